/* Scripts: files that begin with "#!" and the path of the program that is to read them, which may
 * be followed by one argument. Pure work on bytes, which the host tests and fuzzes. */
#pragma once
#include "lib/types.h"

#define SCRIPT_NAME 256 /* bytes of a path in a program's file, with the terminator */
#define SCRIPT_LINE 256 /* what is looked at: a line has one byte less */
#define SCRIPT_DEPTH 5  /* so many scripts, each read by the next one, as Linux has it */

struct script {
    char line[SCRIPT_LINE]; /* both strings are in it, terminated */
    uint16_t name;          /* where the interpreter's path is; 0: it is no script */
    uint16_t argument;      /* and its argument; 0: there is none */
};

/* What the first n bytes of a file say, of which no more than SCRIPT_LINE count. The argument is
 * what stands between the path and the end of the line, without the blanks and tabs around it; of
 * a line that is too long it is cut, but a path is not: then it is no script. */
void script_parse(const char *bytes, size_t n, struct script *s);
