/* Ending, and the odds and ends of stdlib.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_AT_EXIT 32

static void (*at_exit[MAX_AT_EXIT])(void);
static int at_exit_count;
static unsigned long random_state = 1;

int atexit(void (*fn)(void)) {
    if (at_exit_count == MAX_AT_EXIT)
        return -1;
    at_exit[at_exit_count++] = fn;
    return 0;
}

void exit(int status) {
    while (at_exit_count > 0)
        at_exit[--at_exit_count]();
    fflush(NULL);
    _exit(status);
}

int abs(int n) { return n < 0 ? -n : n; }
long labs(long n) { return n < 0 ? -n : n; }
long long llabs(long long n) { return n < 0 ? -n : n; }
div_t div(int a, int b) { return (div_t){a / b, a % b}; }
ldiv_t ldiv(long a, long b) { return (ldiv_t){a / b, a % b}; }

void srand(unsigned seed) { random_state = seed; }

/* A 64-bit linear congruence (Knuth's multiplier); its high bits are the good ones. */
int rand(void) {
    random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
    return (int)(random_state >> 33);
}
