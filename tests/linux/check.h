/* How the programs here tell what is not so: one line for each thing, and "NAME: OK" at the end
 * when all is, NAME being that of the source file. */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int failures;

/* __BASE_FILE__ is the source, not this header. */
static inline int print_name(void) {
    const char *name = strrchr("/" __BASE_FILE__, '/') + 1;
    return printf("%.*s: ", (int)strlen(name) - 2, name); /* without .c */
}

static inline void wrong(int line, const char *what, const char *kind, int number) {
    print_name();
    printf("line %d: %s (%s %d)\n", line, what, kind, number);
    failures++;
}

/* errno is what this left in it. */
#define CHECK(what) \
    do { \
        errno = 0; \
        if (!(what)) \
            wrong(__LINE__, #what, "errno", errno); \
    } while (0)

#define CHECK_EQ(what, wanted) \
    do { \
        int is = (what); \
        if (is != (wanted)) \
            wrong(__LINE__, #what, "is", is); \
    } while (0)

/* For the end of main: its status. */
static inline int tell_end(void) {
    if (!failures) {
        print_name();
        puts("OK");
    }
    return failures != 0;
}
