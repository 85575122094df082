/* Memory, conversions, ending, sorting, as ISO C says. */
#pragma once
#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7fffffff

/* Memory from the heap, aligned to 16 bytes; NULL with ENOMEM. Freeing what was
 * not allocated, or twice, ends the program with a message where it is noticed. */
void *malloc(size_t n);
void *calloc(size_t count, size_t n);
void *realloc(void *p, size_t n);
void free(void *p);

/* exit calls what atexit registered (32 at most), last first, and flushes all
 * streams. abort ends the process as if killed. */
void exit(int status) __attribute__((noreturn));
void _Exit(int status) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));
int atexit(void (*fn)(void));

/* The environment, environ of unistd.h, as POSIX says: what it was when the program started, until
 * it is changed; what exec starts gets it. putenv's string becomes part of it. -1 with errno:
 * EINVAL, a name that is empty or has a '='; ENOMEM, nothing was changed. */
char *getenv(const char *name); /* the value; NULL: there is none */
int setenv(const char *name, const char *value, int replace);
int unsetenv(const char *name);
int putenv(char *string);
int clearenv(void);

int abs(int n);
long labs(long n);
long long llabs(long long n);
int atoi(const char *s);
long atol(const char *s);
long long atoll(const char *s);
double atof(const char *s);
long strtol(const char *restrict s, char **restrict end, int base);
long long strtoll(const char *restrict s, char **restrict end, int base);
unsigned long strtoul(const char *restrict s, char **restrict end, int base);
unsigned long long strtoull(const char *restrict s, char **restrict end, int base);
double strtod(const char *restrict s, char **restrict end); /* decimal only, correctly rounded */

typedef struct {
    int quot, rem;
} div_t;
typedef struct {
    long quot, rem;
} ldiv_t;
div_t div(int a, int b);
ldiv_t ldiv(long a, long b);

/* Heapsort: not stable, no recursion, no memory. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *));

int rand(void);
void srand(unsigned seed);
