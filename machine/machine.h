/* The machine from inside: what its parts know of each other. Users have sim.h. */
#pragma once
#include "machine/cpu/hart.h"
#include "machine/dev/env.h"
#include "machine/dev/clint.h"
#include "machine/dev/disk.h"
#include "machine/dev/finisher.h"
#include "machine/dev/plic.h"
#include "machine/dev/rtc.h"
#include "machine/dev/uart.h"
#include "machine/dev/virtio_blk.h"
#include "machine/events/events.h"
#include "machine/frames/frames.h"
#include "machine/image/place.h"
#include "machine/processes.h"
#include "machine/races/preempt.h"
#include "machine/races/races.h"
#include "machine/sim.h"

#define RAM_BASE 0x80000000ull

/* What is known of a page of RAM: bits of sim.page_flags. A store to a page that has one of
 * PAGE_WATCHED goes the long way (memory_written). */
enum {
    PAGE_TABLE = 1,  /* some hart has read an entry of it in a walk */
    PAGE_CODE = 2,   /* some hart has fetched from it */
    PAGE_FREED = 4,  /* it is free, or may be in a moment: loads are told too (frames_touched) */
    PAGE_SHOWN = 64, /* it is a page table whose changes are events */
    PAGE_RING = 128, /* a disk's available ring is in it */
    PAGE_WATCHED = PAGE_TABLE | PAGE_CODE | PAGE_FREED | PAGE_SHOWN | PAGE_RING,
    PAGE_MAY_STORE = 8, /* some hart's tlb may have it for stores */
    PAGE_MAY_LOAD = 16, /* or for loads */
    PAGE_CHANGED = 32,  /* it may be another than in sim.base; stores by the tlb set this before */
};

/* Who wrote 8 bytes that were watched, the last time. */
struct written {
    uint64_t pa, pc, when;
    uint8_t hart;
    bool by_device;
};
enum { WRITTEN_SLOTS = 4096, TOLD_MAX = 256 };

struct sim {
    struct sim_options options;
    uint64_t executed; /* instructions of all harts, but for the turn that runs */
    struct hart *running;
    uint64_t skipped; /* nanoseconds in which all harts waited */
    uint64_t waited;  /* instructions that the others let pass which waited, for whole turns */
    uint64_t random;
    unsigned turn_of;   /* the hart whose turn is next */
    unsigned turn_hart; /* whose turn it is, or was */
    int64_t turn_left;  /* instructions of it; 0: the next begins */
    uint64_t turn_done; /* and of it until now */
    unsigned turn_runs; /* harts that did not wait when it began */
    struct sim_end end;
    uint64_t tohost, fromhost; /* physical addresses of htif.h; 0: none */
    uint64_t stop_before;      /* the request of a disk, counted from 1; 0: none */

    struct clint clint;
    struct plic plic;
    struct uart uart;
    struct finisher finisher;
    struct rtc rtc;
    struct virtio_blk blk[SIM_DISKS_MAX];
    struct disk disk[SIM_DISKS_MAX];

    uint8_t *ram;
    uint8_t *page_flags; /* for each page of RAM */
    uint16_t *page_kept; /* for each: its entries that harts keep */
    struct blocks base;  /* RAM as the last snapshot that was taken or restored has it */

    struct written written[WRITTEN_SLOTS];
    uint64_t told[TOLD_MAX]; /* findings that were told, by their places */
    unsigned told_count;
    struct place_image kernel; /* its names and lines */
    struct frames frames;
    struct events events;
    struct processes processes;
    struct races races;
    struct preempt preempt;
    bool watching; /* one of these two is on: no access of the kernel is without a call */
    struct rules rules;
    struct noted_locks locks;
    struct dev_env env;

    struct hart harts[SIM_HARTS_MAX]; /* last: a snapshot has as many as there are */
};

/* Instructions of all harts until now, the turn that runs included. */
static inline uint64_t sim_now(const struct sim *sim) {
    return sim->executed + (sim->running ? (uint64_t)(sim->running->turn - sim->running->left) : 0);
}
/* Nanoseconds of the machine's clock: an instruction of each hart takes one, and a hart that waits
 * lets as many pass as the others execute. That is counted at the end of a turn. */
static inline uint64_t sim_now_ns(const struct sim *sim) {
    return (sim_now(sim) + sim->waited) / sim->options.harts + sim->skipped;
}

static inline bool ram_has(const struct sim *sim, uint64_t pa, uint64_t bytes) {
    uint64_t offset = pa - RAM_BASE;
    return offset < sim->options.ram_bytes && bytes <= sim->options.ram_bytes - offset;
}

/* Somebody stores to the page of pa by the long way. */
static inline void page_changed(struct sim *sim, uint64_t pa) {
    sim->page_flags[(pa - RAM_BASE) >> 12] |= PAGE_CHANGED;
}

/* xorshift64*: the next number of a sequence of choices. */
static inline uint64_t choose(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}
