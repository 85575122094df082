/* Waits for so many seconds; fractions count in tenths, rounded up. */
#include <stdio.h>
#include <stdlib.h>
#include <trellis.h>

int main(int argc, char *argv[]) {
    char *end = NULL;
    double seconds = argc == 2 ? strtod(argv[1], &end) : -1;
    if (!end || *end || end == argv[1] || !(seconds >= 0 && seconds < 1e8)) {
        fprintf(stderr, "usage: sleep SECONDS\n");
        return 2;
    }
    double ticks = seconds * ABI_TICKS_PER_SECOND;
    int whole = (int)ticks;
    return sleep_ticks(whole + (ticks > whole)) < 0;
}
