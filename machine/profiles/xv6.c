/* xv6 for RISC-V, of every year. */
#include "machine/profiles/profiles.h"

const char profile_xv6[] = //
    "# Of kernel/kalloc.c. With references that are counted, as in the labs about copying on\n"
    "# write, kfree may drop one only, and does not write to the page then.\n"
    "alloc kalloc -> a0\n"
    "free kfree a0 if written\n"
    "# A lock's holder, of whom each hart asks whether it is itself; a word that is set once; and\n"
    "# what prints processes without a lock, so as not to hang.\n"
    "racy holding\n"
    "racy panicked\n"
    "racy procdump\n"
    "processes proc\n"
    "process pid proc.pid\n"
    "process name proc.name\n"
    "process table proc.pagetable\n";
