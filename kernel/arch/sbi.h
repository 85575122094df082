/* Calls to the firmware (RISC-V SBI specification). */
#pragma once
#include "lib/types.h"

/* The firmware's console: 12 where the firmware has that (2.0), else the legacy 5.2 and
 * 5.3. read: false when nothing was typed. */
void sbi_console_write(const char *text, size_t n);
bool sbi_console_read(char *c);
void sbi_set_timer(uint64_t when);  /* 6: cpu_time at which to interrupt */
void sbi_send_ipi(uint64_t hartid); /* 7 */
/* Harts: those with the numbers base + i for each bit i of the mask (3.1). */
struct sbi_harts {
    uint64_t mask, base;
};
/* 8: those harts have made an sfence.vma for the range, in all address spaces, when this returns.
 * bytes UINT64_MAX: for all addresses. Panics where the firmware does not do it: old translations
 * would stay in use. */
void sbi_fence(struct sbi_harts who, uint64_t start, uint64_t bytes);
/* 8: the same with a fence.i. */
void sbi_fence_code(struct sbi_harts who);
int sbi_hart_start(uint64_t hartid, paddr_t entry, uint64_t arg) must_check; /* 9; -K_EIO */
void sbi_shutdown(bool failure); /* 10; returns where the firmware cannot */
void sbi_restart(void);          /* likewise */
/* 4: who has made the hart that calls, and which one it is; 0 where the firmware does not say. */
struct sbi_maker {
    uint64_t vendor, architecture, implementation;
};
void sbi_maker(struct sbi_maker *m);
/* 11: the firmware counts from 0 on how often it does this for the hart that calls, until the end;
 * *n: how often that was. -K_ENOTSUP: it does not count; then there is nothing to end. */
#define SBI_MISALIGNED_LOAD 0 /* which the hart does not do itself */
int sbi_count_begin(uint32_t event, uint64_t *counter) must_check;
int sbi_count_end(uint64_t counter, uint64_t *n) must_check;
