/* A virtio disk in the host's memory, for the driver that the including file has as a part: the
 * names of registers and structures are the driver's. What it must not do fails the test. */
#pragma once
#include "hostarch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECTORS 256
#define IRQ 7
#define SIM 0x10002000UL

static struct {
    /* What the test chooses. */
    uint32_t version, queue_max, device_status_refused;
    uint64_t features;
    bool fail_next;       /* the next request ends with VIRTIO_BLK_S_IOERR */
    bool late_completion; /* one request ends just before the acknowledgement */
    bool no_notify;
    /* Registers. */
    uint32_t status, features_sel, driver_sel, queue_num, queue_ready, interrupt;
    uint64_t driver_features, capacity, desc, avail, used;
    /* Work. */
    uint16_t avail_seen, used_index;
    uint16_t heads[QUEUE_MAX];
    uint32_t pending;
    uint32_t served, flushes, notices;
    uint8_t data[SECTORS * SECTOR_SIZE];
} sim;

static void (*irq_handler)(void *ctx);
static void *irq_ctx;

int irq_of_node(fdt_node node, uint32_t *irq) { return fdt_cell(node, "interrupts", 0, irq); }

void irq_register(uint32_t irq, void (*handler)(void *ctx), void *ctx) {
    assert_int_equal(irq, IRQ);
    irq_handler = handler;
    irq_ctx = ctx;
}

static void *device_ptr(uint64_t pa) { return pa_ptr(PA(pa)); }

/* Takes what the driver has made available, into the pending requests. */
static void sim_fetch(void) {
    const struct available *a = device_ptr(sim.avail);
    while (sim.avail_seen != a->index) {
        assert_true(sim.pending < sim.queue_num);
        sim.heads[sim.pending++] = a->ring[sim.avail_seen++ % sim.queue_num];
    }
}

static uint8_t sim_transfer(const struct header *h, const struct descriptor *data) {
    assert_true(data->len > 0 && data->len % SECTOR_SIZE == 0);
    uint64_t at = h->sector * SECTOR_SIZE;
    assert_true(at + data->len <= sizeof sim.data); /* the driver checks before */
    if (h->type == REQUEST_IN) {
        assert_int_equal(data->flags, DESC_NEXT | DESC_WRITE);
        memcpy(device_ptr(data->addr), sim.data + at, data->len);
    } else {
        assert_int_equal(h->type, REQUEST_OUT);
        assert_int_equal(data->flags, DESC_NEXT);
        assert_false(sim.driver_features & FEATURE_RO);
        memcpy(sim.data + at, device_ptr(data->addr), data->len);
    }
    return 0;
}

static void sim_put_used(uint32_t id) {
    struct used *u = device_ptr(sim.used);
    u->ring[sim.used_index % sim.queue_num].id = id;
    u->ring[sim.used_index % sim.queue_num].len = 1;
    u->index = ++sim.used_index;
    sim.interrupt |= INTERRUPT_USED;
}

/* Serves the pending request i. */
static void sim_serve(uint32_t i) {
    uint16_t head = sim.heads[i];
    sim.heads[i] = sim.heads[--sim.pending];
    const struct descriptor *desc = device_ptr(sim.desc);
    const struct descriptor *d = &desc[head];
    const struct header *h = device_ptr(d->addr);
    assert_int_equal(d->len, 16);
    assert_int_equal(d->flags, DESC_NEXT);
    const struct descriptor *s = &desc[d->next];
    uint8_t status = 0;
    sim.served++;
    if (h->type == REQUEST_FLUSH) {
        assert_true(sim.driver_features & FEATURE_FLUSH);
        assert_int_equal(h->sector, 0);
        sim.flushes++;
    } else {
        const struct descriptor *data = s;
        s = &desc[data->next];
        if (!sim.fail_next)
            status = sim_transfer(h, data);
    }
    if (sim.fail_next)
        status = 1;
    sim.fail_next = false;
    assert_int_equal(s->flags, DESC_WRITE);
    assert_int_equal(s->len, 1);
    *(uint8_t *)device_ptr(s->addr) = status;
    sim_put_used(head);
}

static void sim_raise(void) {
    assert_int_equal(sim.status & STATUS_DRIVER_OK, STATUS_DRIVER_OK);
    while (sim.interrupt) /* level-triggered */
        irq_handler(irq_ctx);
}

/* Time passes: some request ends, any of them. */
static void sim_step(void) {
    sim_fetch();
    if (sim.pending)
        sim_serve((uint32_t)host_random_below(sim.pending));
    if (host_random_below(3) == 0 || sim.pending == 0)
        sim_raise();
}

static uint32_t sim_read(uint64_t offset, unsigned bytes) {
    assert_int_equal(bytes, 4);
    switch (offset) {
    case R_MAGIC: return MAGIC;
    case R_VERSION: return sim.version;
    case R_DEVICE_ID: return DEVICE_BLOCK;
    case R_DEVICE_FEATURES: return (uint32_t)(sim.features >> (32 * sim.features_sel));
    case R_QUEUE_NUM_MAX: return sim.queue_max;
    case R_QUEUE_READY: return sim.queue_ready;
    case R_INTERRUPT_STATUS: return sim.interrupt;
    case R_STATUS: return sim.status;
    case R_CONFIG_GENERATION: return 0;
    case R_CONFIG_CAPACITY: return (uint32_t)sim.capacity;
    case R_CONFIG_CAPACITY + 4: return (uint32_t)(sim.capacity >> 32);
    }
    fail_msg("read of register %#lx", offset);
    return 0;
}

static void set_half(uint64_t *reg, bool high, uint32_t v) {
    *reg = high ? (uint32_t)*reg | (uint64_t)v << 32 : (*reg >> 32 << 32 | v);
}

static void sim_set_status(uint32_t v) {
    if (v == 0) {
        sim.queue_ready = sim.interrupt = sim.pending = 0;
    } else if (v & STATUS_FEATURES_OK && !(sim.status & STATUS_FEATURES_OK)) {
        assert_int_equal(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
        assert_int_equal(sim.driver_features & ~sim.features, 0);
        assert_true(sim.driver_features & FEATURE_VERSION_1);
        v &= ~sim.device_status_refused;
    } else if (v & STATUS_DRIVER_OK) {
        assert_true(sim.status & STATUS_FEATURES_OK);
        assert_true(sim.queue_ready);
    }
    sim.status = v;
}

static void sim_write(uint64_t offset, uint32_t v, unsigned bytes) {
    assert_int_equal(bytes, 4);
    switch (offset) {
    case R_DEVICE_FEATURES_SEL: sim.features_sel = v; return;
    case R_DRIVER_FEATURES_SEL: sim.driver_sel = v; return;
    case R_DRIVER_FEATURES: set_half(&sim.driver_features, sim.driver_sel, v); return;
    case R_QUEUE_SEL: assert_int_equal(v, 0); return;
    case R_QUEUE_NUM:
        assert_true(v > 0 && v <= sim.queue_max && (v & (v - 1)) == 0);
        sim.queue_num = v;
        return;
    case R_QUEUE_DESC:
    case R_QUEUE_DESC + 4: set_half(&sim.desc, offset & 4, v); return;
    case R_QUEUE_DRIVER:
    case R_QUEUE_DRIVER + 4: set_half(&sim.avail, offset & 4, v); return;
    case R_QUEUE_DEVICE:
    case R_QUEUE_DEVICE + 4: set_half(&sim.used, offset & 4, v); return;
    case R_QUEUE_READY:
        assert_true(sim.desc && sim.avail && sim.used && sim.queue_num);
        assert_int_equal(sim.desc % 16, 0);
        assert_int_equal(sim.avail % 2, 0);
        assert_int_equal(sim.used % 4, 0);
        sim.queue_ready = v;
        return;
    case R_QUEUE_NOTIFY:
        assert_true(sim.status & STATUS_DRIVER_OK);
        sim.notices++;
        return;
    case R_INTERRUPT_ACK:
        if (sim.late_completion && sim.pending) {
            sim.late_completion = false;
            sim_serve(0);
        }
        sim.interrupt &= ~v;
        return;
    case R_STATUS: sim_set_status(v); return;
    }
    fail_msg("write of register %#lx", offset);
}
