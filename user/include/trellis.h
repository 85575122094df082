/* What Trellis has beside the xv6 interface and the C library. */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "lib/abi.h"

/* Gives the program a stack of so many bytes from the heap; without it, the
 * stack is what the arguments leave of the one page that exec makes, or 16 KiB
 * when that is less than half of it. Once, at file
 * level: PROGRAM_STACK(32 * 1024); */
#define PROGRAM_STACK(bytes) const unsigned long program_stack_bytes = (bytes)
extern const unsigned long program_stack_bytes;

/* Ticks of ABI_TICKS_PER_SECOND. sleep_ticks: 0, or -1 when killed meanwhile. */
int uptime(void);
int sleep_ticks(int ticks);

/* abi.h has the structures. Each 0 (procinfo: as there), or -1. */
int poweroff(int status); /* returns only on error */
int sysinfo(struct abi_sysinfo *info);
int procinfo(int slot, struct abi_procinfo *info);
int vmprint(pid_t pid);

/* A process's memory, pid 0 for the caller's: abi.h. vmtable: 1, or 0 when the walk for
 * head.va ends above head.level; vmregions: how many there are, of which max are told. -1:
 * no such process. */
int vmtable(pid_t pid, struct abi_vmtable *table);
int vmregions(pid_t pid, struct abi_vmregion *regions, int max);

/* For the end of a program that prints: flushes stdout; 0, or -1 when something
 * could not be written. Then it has said so, except when stdout is a pipe that
 * nobody reads any more: so ends the left side of "ls | head". */
int finish_output(const char *program);
int output_failed(const char *program); /* the latter half alone; -1 */

/* The counters that user mode may read (Zicntr). */
static inline uint64_t rdtime(void) {
    uint64_t n;
    __asm__ volatile("rdtime %0" : "=r"(n));
    return n;
}

static inline uint64_t rdcycle(void) {
    uint64_t n;
    __asm__ volatile("rdcycle %0" : "=r"(n));
    return n;
}

static inline uint64_t rdinstret(void) {
    uint64_t n;
    __asm__ volatile("rdinstret %0" : "=r"(n));
    return n;
}
