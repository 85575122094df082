/* Commands of the shell's own: those that change the shell itself, or must work when no process
 * can be started. exec is not among them, since it needs a command's redirections. */
#pragma once
#include "shexpand.h"

/* argv[0] is the name; the status. */
typedef int (*builtin)(struct shell_args *shell, char **argv);

builtin find_builtin(const char *name); /* NULL: it is a program's name */

/* Makes text, NAME=VALUE, a variable. False: it is none, or there is no memory; it says so. */
bool set_variable(char *text);
