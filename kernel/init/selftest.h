/* Boot argument selftest=NAME: makes the kernel fail in a chosen way, so that
 * tests, and who learns to read a panic, can see what it does then. */
#pragma once

/* panic: a panic. fault: a load from an address that is mapped nowhere.
 * overflow: a stack that is used up. write-text: a store to the kernel's code.
 * frames: a panic whose backtrace faults.
 * Returns when there is no such argument; an unknown name is said so. */
void selftest(void);

/* The same on behalf of the first process, when it has its program. null: a load
 * through a null pointer. user-pointer: a load from user memory without copyin.
 * guard: a store below the process's kernel stack. other-stack: a load from the next
 * process's. run-data: a call of something on the stack. */
void selftest_in_process(void);
