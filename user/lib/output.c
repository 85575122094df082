/* The end of a program's output, for all that write to stdout. */
#include <stdio.h>
#include <sys/stat.h>
#include <trellis.h>

/* A write can only fail on a pipe when nobody reads it; fstat knows no pipes. */
int output_failed(const char *program) {
    struct stat st;
    if (fstat(1, &st) == 0)
        fprintf(stderr, "%s: write error\n", program);
    return -1;
}

int finish_output(const char *program) {
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : output_failed(program);
}
