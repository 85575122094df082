/* Processes for host tests: threads that sleep and wake as the kernel's do. A
 * sleep that nobody can end is found: when the last thread that runs goes to
 * sleep, the test fails with the names of the locks that the sleepers gave up.
 *
 * Also what kprintf prints, kept for the test to look at. */
#pragma once
#include "hostarch.h"
#include "lib/types.h"
#include "proc/proc.h"

#define KSTUB_PROCS 8

/* The main thread becomes process 0, without files; nothing is printed yet. */
void kstub_reset(void);

/* Runs body(0) .. body(n - 1) at once, each in a process (and hart) of its own that
 * has no files and no current directory; returns when all have. n < KSTUB_PROCS. */
void kstub_parallel(unsigned n, void (*body)(unsigned i));

/* The i-th process of kstub_parallel; process 0 is the main thread's. */
struct proc *kstub_proc(unsigned i);

/* This host thread runs process i from now on. */
void kstub_run(unsigned i);

/* What kill does: proc_killed says so, and a sleep ends early. */
void kstub_kill(struct proc *p);

/* Waits, without sleeping in the kernel's sense, until p sleeps. */
void kstub_until_asleep(struct proc *p);
bool kstub_sleeps(const struct proc *p); /* just now */

extern char kstub_printed[8192];
