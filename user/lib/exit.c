/* Ending, and the odds and ends of stdlib.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "lock.h"

#define MAX_AT_EXIT 32

static void (*at_exit[MAX_AT_EXIT])(void);
static int at_exit_count;
uint32_t exit_lock; /* these two's */
static unsigned long random_state = 1;

int atexit(void (*fn)(void)) {
    library_lock(&exit_lock);
    bool room = at_exit_count < MAX_AT_EXIT;
    if (room)
        at_exit[at_exit_count++] = fn;
    library_unlock(&exit_lock);
    return room ? 0 : -1;
}

/* The last one registered; NULL: no more. */
static void (*next_handler(void))(void) {
    library_lock(&exit_lock);
    void (*fn)(void) = at_exit_count > 0 ? at_exit[--at_exit_count] : NULL;
    library_unlock(&exit_lock);
    return fn;
}

/* One thread ends the process, which may call exit again in a handler; others wait for the end. */
static void be_the_one_that_ends(void) {
    static uint32_t lock;
    static void *one;
    void *self = __builtin_thread_pointer();
    if (__atomic_load_n(&one, __ATOMIC_RELAXED) == self)
        return;
    lock_take_called(&lock);
    __atomic_store_n(&one, self, __ATOMIC_RELAXED);
}

void exit(int status) {
    if (several_threads)
        be_the_one_that_ends();
    for (void (*fn)(void) = next_handler(); fn; fn = next_handler())
        fn();
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
