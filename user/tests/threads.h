/* Threads of tests, by the system calls alone. They have no thread-local variables, so no errno:
 * of the library they may call what does not fail. */
#pragma once
#include "test.h"

#define TASK_STACK (4 * PAGE)

struct task {
    void (*fn)(uint64_t);
    uint64_t arg;
    uint32_t here; /* 1, until the thread has left its stack */
    int tid;
    char *stack;
};

/* A thread that calls fn(arg) on a stack of its own and ends. The first one, on a given stack,
 * gives its number or what the call gave; the second one fails the test when there is none. */
int task_try(struct task *t, void (*fn)(uint64_t), uint64_t arg, void *stack);
void task_start(struct task *t, void (*fn)(uint64_t), uint64_t arg);
void task_join(struct task *t);

/* Sleeps while the word has this value; gives it another, and wakes all who wait. */
void wait_for_word(uint32_t *word, uint32_t while_it_is);
void set_word(uint32_t *word, uint32_t value);
