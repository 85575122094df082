/* What drivers stand on, for host tests: processes that sleep and are woken,
 * user memory, device registers, interrupts. One thread: what would happen
 * while a process sleeps happens in the test's idle function. */
#pragma once
#include "lib/types.h"

/* ---- sleeping. sleep_on calls this, with no lock held, until a wakeup of the
 * channel; a test that lets the sleeper wait for ever fails. */
extern void (*stub_idle)(void);
extern unsigned stub_sleeps; /* times that sleep_on was called */
extern bool stub_killed;     /* what proc_killed says; also ends a sleep */

/* ---- user memory: [STUB_USER, STUB_USER + STUB_USER_SIZE), the rest faults. */
#define STUB_USER 0x10000
#define STUB_USER_SIZE 0x10000
extern uint8_t stub_user[STUB_USER_SIZE];

/* ---- registers: kmap_device(pa) gives the address pa, and accesses to it come
 * to the device whose range holds it; an access to no device's fails the test. */
struct stub_device {
    uint64_t start, size;
    uint32_t (*read)(uint64_t offset, unsigned bytes);
    void (*write)(uint64_t offset, uint32_t value, unsigned bytes);
};
void stub_add_device(const struct stub_device *device);

/* ---- what kprintf printed */
extern char stub_log[8192];

/* Forgets devices, log, sleeps; gives kprintf its sink. */
void stub_reset(void);
