/* Boot argument selftest=NAME: makes the kernel fail in a chosen way, so that
 * tests can see what it does then. */
#pragma once

/* panic: a panic. fault: a load from an address that is mapped nowhere.
 * overflow: a stack that is used up. write-text: a store to the kernel's code.
 * Returns when there is no such argument; an unknown name is said so. */
void selftest(void);
