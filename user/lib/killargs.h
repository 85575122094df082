/* kill, as a program and as a command of the shell's own. */
#pragma once

/* Kills the processes that argv[1] ... name: PID, or -PID for the whole group. Says what is
 * wrong, as name. The status: 0, 1 (no such process) or 2. */
int kill_arguments(const char *name, char **argv);
