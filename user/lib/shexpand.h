/* The shell's words, from what was typed to what a command gets. */
#pragma once
#include <stdbool.h>
#include "shparse.h"

/* What expansions refer to. */
struct shell_args {
    int status;        /* $? */
    int pid;           /* $$ */
    int argc;          /* $# is argc - 1 */
    char *const *argv; /* $0 $1 ... $9, $* and $@ */
};

/* A command's arguments; argv[n] is NULL. */
struct fields {
    char **argv;
    size_t n, room;
};

/* Appends the fields that the words make: quotes and backslashes taken away,
 *   $? $$ $# $0 .. $9 $* $@   replaced (any other $ stands for itself), their
 * values split at blanks outside of quotes, and a field with * ? [ outside of
 * quotes replaced by the names in a directory that match, sorted, if any does;
 * only the last component of a path may have them. False: out of memory. */
bool expand_words(struct fields *f, const struct word *words, const struct shell_args *args);

void fields_free(struct fields *f);
