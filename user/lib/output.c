/* The end of a program's output, for all that write to stdout. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <trellis.h>

/* A write can only fail on a pipe when nobody reads it; fstat knows no pipes. */
static bool to_nobody(void) {
    struct stat st;
    return fstat(1, &st) < 0;
}

int output_failed(const char *program) {
    int error = errno;
    if (!to_nobody())
        fprintf(stderr, "%s: write error: %s\n", program, strerror(error));
    return -1;
}

int finish_output(const char *program) {
    if (fflush(stdout) < 0)
        return output_failed(program);
    if (!ferror(stdout))
        return 0;
    if (!to_nobody()) /* an earlier one: the reason may be forgotten */
        fprintf(stderr, "%s: write error\n", program);
    return -1;
}
