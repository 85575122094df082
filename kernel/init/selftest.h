/* Boot argument selftest=NAME: makes the kernel fail in a chosen way, so that
 * tests, and whoever learns to read a panic, can see what it does then. */
#pragma once

/* panic: a panic. fault: a load from an address that is mapped nowhere.
 * overflow: a stack that is used up. write-text: a store to the kernel's code.
 * frames: a panic whose backtrace faults. bad-frame: a load that no machine answers.
 * Returns when there is no such argument; an unknown name is said so. */
void selftest(void);

/* The same on behalf of the first process, when it has its program. null: a load
 * through a null pointer. user-pointer: a load from user memory without copyin.
 * guard: a store below the process's kernel stack. other-stack: a load from the next
 * process's. lost-stack: a switch to that stack without its satp. run-data: a call of
 * something on the stack. bad-table: an entry that leads to where no RAM is. */
void selftest_in_process(void);
