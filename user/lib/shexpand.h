/* The shell's words, from what was typed to what a command gets. */
#pragma once
#include <stdbool.h>
#include "shparse.h"

/* What expansions refer to, and what commands leave behind. */
struct shell_args {
    int status;        /* $? */
    int pid;           /* $$ */
    int background;    /* $!; 0: nothing was started in the background */
    int argc;          /* $# is argc - 1 */
    char *const *argv; /* $0 $1 ... $9, $* and $@ */
    bool interrupted;  /* by ^C; until the next command is read */
};

/* A command's arguments; argv[n] is NULL. */
struct fields {
    char **argv;
    size_t n, room;
};

/* Appends the fields that the words make: quotes and backslashes taken away,
 *   $? $$ $! $# $0 .. $9 $* $@ $NAME ${NAME}   replaced (any other $ stands for itself), their
 * values split at blanks outside of quotes, and a field with * ? [ outside of
 * quotes replaced by the names in a directory that match, sorted, if any does;
 * only the last component of a path may have them. What export is to set is one field, as
 * in expand_value. False: out of memory. */
bool expand_words(struct fields *f, const struct word *words, const struct shell_args *args);

/* Appends one field for a word, the first of words, whose values are neither split nor looked up:
 * an assignment. False: out of memory. */
bool expand_value(struct fields *f, const struct word *words, const struct shell_args *args);

/* How many bytes of text are a variable's name: letters, digits and _, no digit first. */
size_t name_length(const char *text);

/* Whether the word begins with NAME=. */
bool is_assignment(const struct word *word);

void fields_free(struct fields *f);
