/* Writes its arguments; -n: without the newline. */
#include <stdio.h>
#include <string.h>
#include <trellis.h>

int main(int argc, char *argv[]) {
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "-n") == 0)
        first = 2;
    for (int i = first; i < argc; i++)
        printf("%s%s", argv[i], i + 1 < argc ? " " : "");
    if (first == 1)
        putchar('\n');
    return finish_output("echo") < 0;
}
