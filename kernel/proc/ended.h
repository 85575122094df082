/* Watching for the end of a process, whosever child it is.
 *
 * Who watches one holds its number (ids.h): nobody else has that meanwhile, so the process is the
 * one in its slot for as long as that has the number, and has ended when not. */
#pragma once
#include "proc/proc.h"

struct watch;

/* Numbers that are held so at a time; who holds one counts (pidfile.c). */
#define ENDED_MOST 16384

/* A process, which may be a zombie, and one more user of its number. -K_ESRCH: there is none. */
int ended_hold(int32_t pid, struct proc **p) must_check;
void ended_drop(int32_t pid);

/* Whether it has ended: its parent can be told, or was. w, unless it is NULL, watches from before
 * that look on (watch.h): it is told once if it has not ended yet, and else never. */
bool ended_look(struct proc *p, int32_t pid, struct watch *w);

/* p, the running process, has exited for all to see. */
void ended_tell(struct proc *p);
