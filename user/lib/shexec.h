/* How the shell starts a program. */
#pragma once
#include "shexpand.h"

/* Replaces this process by the program that the first field names, looked for where
 * program_path (trellis.h) says; a file that begins with #! is run as a shell script. Exits with
 * 127 when there is none, or 126 when it cannot run. */
void execute(const struct fields *f) __attribute__((noreturn));
