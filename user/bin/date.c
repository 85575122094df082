/* The date: date [-u] [+FORMAT]. -u: of UTC, whatever TZ says; FORMAT: strftime's (time.h). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <trellis.h>
#include <unistd.h>

#define FORMAT "%a %b %e %H:%M:%S %Z %Y"
#define TEXT 512

int main(int argc, char *argv[]) {
    const char *format = FORMAT;
    char text[TEXT] = "";
    bool wrong = false;
    for (int option; (option = getopt(argc, argv, "u")) != -1;)
        wrong |= option == '?' || unsetenv("TZ") < 0;
    if (argv[optind] && argv[optind][0] == '+')
        format = argv[optind++] + 1;
    if (wrong || argv[optind]) {
        fprintf(stderr, "usage: date [-u] [+FORMAT]\n");
        return 2;
    }
    time_t now = time(NULL);
    struct tm *tm = localtime(&now);
    if (!tm || (strftime(text, sizeof text, format, tm) == 0 && *format)) {
        fprintf(stderr, "date: that is longer than %d bytes, or nothing\n", TEXT - 1);
        return 1;
    }
    puts(text);
    return finish_output("date") < 0;
}
