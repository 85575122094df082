/* System calls that there are not: the console is told once of each number and program, so
 * that a program that goes on calling does not fill it. */
#pragma once
#include "lib/types.h"

#define UNKNOWN_CALLS 64 /* pairs of program and number that are told, until the machine ends */

enum unknown_call {
    UNKNOWN_KNOWN, /* was told, or there were too many: say nothing */
    UNKNOWN_NEW,   /* to be told */
    UNKNOWN_LAST,  /* to be told, and that it was the last one */
};

/* A program of this name has called this number. */
enum unknown_call unknown_call_note(const char *name, int32_t number);
