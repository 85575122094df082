/* What programs like cp and mv make of their arguments. */
#pragma once
#include <stdbool.h>

/* PROGRAM FILE NAME, or PROGRAM FILE... DIRECTORY: calls each(from, to) for every
 * file, to being NAME or the file's own name in DIRECTORY. Returns the program's exit
 * status: 0; 1 when a call returned false, having said why, or a path was too long;
 * 2 when the arguments are not like that. */
int files_to_dir(const char *program, int argc, char *argv[],
                 bool (*each)(const char *from, const char *to));
