/* kill, as a program and as a command of the shell's own. */
#pragma once

/* Sends SIGKILL, or the signal of a first argument -NAME or -NUMBER, to the processes that the
 * others name: PID, or -PID for the whole group; -l lists the signals instead. Says what is
 * wrong, as name. The status: 0, 1 (no such process) or 2. */
int kill_arguments(const char *name, char **argv);
