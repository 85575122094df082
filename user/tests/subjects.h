/* What the runner (main.c) runs: each program of tests has a table. */
#pragma once
#include "test.h"

struct subject {
    const char *name;
    const struct test *tests;
};

extern const struct subject subjects[];
extern const unsigned subject_count;
extern const char program[];         /* its name */
extern const char *const roles_from; /* the program that tests run (run_role); NULL: none */
