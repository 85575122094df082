/* Stands in for processes, user memory and the bus: devstub.h. */
#include "devstub.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/kmap.h"
#include "mm/uaccess.h"
#include "proc/wait.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PATIENCE 100000 /* idle rounds until a sleeper counts as lost */
#define DEVICES 8

void (*stub_idle)(void);
unsigned stub_sleeps;
bool stub_killed;
uint8_t stub_user[STUB_USER_SIZE];
char stub_log[8192];

static struct stub_device devices[DEVICES];
static unsigned device_count;
static size_t log_size;

static void log_sink(void *ctx, const char *text, size_t n) {
    assert_true(log_size + n < sizeof stub_log);
    memcpy(stub_log + log_size, text, n);
    stub_log[log_size += n] = '\0';
}

void stub_reset(void) {
    device_count = 0;
    log_size = 0;
    stub_log[0] = '\0';
    stub_idle = NULL;
    stub_sleeps = 0;
    stub_killed = false;
    kprintf_set_sink(log_sink, NULL);
}

/* ---- sleeping ------------------------------------------------------------*/

void wait_channel_init(struct wait_channel *wc) { list_init(&wc->sleepers); }

bool proc_killed(void) { return stub_killed; }
bool proc_interrupted(void) { return stub_killed; }

void wakeup(struct wait_channel *wc) {
    while (list_pop_front(&wc->sleepers)) {
    }
}

void sleep_on(struct wait_channel *wc, struct spinlock *lk) {
    static struct list nobody;
    spin_expect_only(lk, "a sleep");
    list_init(&nobody);
    list_push_back(&wc->sleepers, &nobody);
    stub_sleeps++;
    bool killed_before = stub_killed;
    spin_unlock(lk);
    for (int rounds = 0; !list_empty(&nobody) && stub_killed == killed_before; rounds++) {
        if (rounds == PATIENCE || !stub_idle)
            fail_msg("a sleeper that nobody wakes");
        stub_idle();
    }
    spin_lock(lk);
    list_remove(&nobody);
}

/* ---- user memory ---------------------------------------------------------*/

static uint8_t *user_bytes(uaddr_t at, size_t n) {
    uint64_t offset = at.v - STUB_USER;
    return offset <= STUB_USER_SIZE && n <= STUB_USER_SIZE - offset ? stub_user + offset : NULL;
}

int copyin(void *dst, uaddr_t src, size_t n) {
    const uint8_t *p = user_bytes(src, n);
    if (!p)
        return -K_EFAULT;
    memcpy(dst, p, n);
    return 0;
}

int copyout(uaddr_t dst, const void *src, size_t n) {
    uint8_t *p = user_bytes(dst, n);
    if (!p)
        return -K_EFAULT;
    memcpy(p, src, n);
    return 0;
}

/* ---- registers -----------------------------------------------------------*/

void *kmap_device(uint64_t pa, uint64_t bytes) { return (void *)pa; }

void stub_add_device(const struct stub_device *device) {
    assert_true(device_count < DEVICES);
    devices[device_count++] = *device;
}

static const struct stub_device *device_at(const volatile void *reg, unsigned bytes) {
    uint64_t at = (uint64_t)reg;
    for (unsigned i = 0; i < device_count; i++)
        if (at >= devices[i].start && at + bytes <= devices[i].start + devices[i].size)
            return &devices[i];
    fail_msg("access to %#lx, where no device is", (unsigned long)at);
    abort();
}

static uint32_t device_read(const volatile void *reg, unsigned bytes) {
    const struct stub_device *d = device_at(reg, bytes);
    return d->read((uint64_t)reg - d->start, bytes);
}

static void device_write(volatile void *reg, uint32_t v, unsigned bytes) {
    const struct stub_device *d = device_at(reg, bytes);
    d->write((uint64_t)reg - d->start, v, bytes);
}

uint8_t mmio_read8(const volatile void *reg) { return (uint8_t)device_read(reg, 1); }
uint32_t mmio_read32(const volatile void *reg) { return device_read(reg, 4); }
void mmio_write8(volatile void *reg, uint8_t v) { device_write(reg, v, 1); }
void mmio_write32(volatile void *reg, uint32_t v) { device_write(reg, v, 4); }
