/* Patterns: grep's regular expressions and the shell's file names. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_MAX 128 /* items of an expression */

struct byte_set {
    uint64_t bits[4];
};

/* A regular expression: a row of byte sets, each once or any number of times.
 * Matching takes time in proportion to text times items, and no recursion. */
struct pattern {
    unsigned n;
    bool at_start, at_end; /* ^ and $ */
    struct pattern_item {
        struct byte_set set;
        bool star;
    } item[PATTERN_MAX];
};

/* Compiles  c  .  [set]  [^set]  \c  each perhaps with * behind it, ^ in front and
 * $ at the end. NULL, or what is wrong; then p is undefined. */
const char *pattern_compile(struct pattern *p, const char *text, bool ignore_case);

/* Whether some part of the n bytes matches. */
bool pattern_match(const struct pattern *p, const char *text, size_t n);

/* Whether the whole name matches a pattern of  c  ?  *  [set]  [!set]  \c  . An
 * unclosed [ stands for itself. */
bool glob_match(const char *pattern, const char *name);
