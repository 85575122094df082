/* What the tests of many processes in the file system share. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fsenv.h"
#include <stdio.h>

#define THREADS 4
#define FILES 20 /* of a thread */

static inline int setup(void **state) {
    fsenv_ram = MIB(32);
    fsenv_commit_limit = 4096;
    fsenv_fresh(3000, 30, 300);
    return 0;
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, setup, fsenv_teardown)

/* File n of a thread: each has another name, size and content. */
static inline void make_file(unsigned thread, unsigned n) {
    char name[16];
    snprintf(name, sizeof name, "/t%u-%u", thread, n);
    t_make_file(name, 1000 + 100 * n, thread * 100 + n);
}

static inline bool file_is_there(unsigned thread, unsigned n) {
    char name[16];
    snprintf(name, sizeof name, "/t%u-%u", thread, n);
    return t_file_is(name, 1000 + 100 * n, thread * 100 + n);
}
