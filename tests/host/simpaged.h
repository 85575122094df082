/* A guest of S-mode with page tables, whose harts execute what the test says, word by word. */
#pragma once
#include "machine/cpu/code.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/memory.h"
#include "simguest.h"

/* Page tables of Sv39: all of memory as one page of 1 GiB, and pages of 4 KiB from VA on. */
#define ROOT (RAM_BASE + 0x300000)
#define TABLE1 (ROOT + 0x1000)
#define TABLE0 (ROOT + 0x2000)
#define OTHER0 (ROOT + 0x3000)
#define VA 0x40000000ull
#define SLOT(n) (TABLE0 + 8 * (n))
#define PAGE_A (RAM_BASE + 0x400000)
#define PAGE_B (RAM_BASE + 0x401000)
#define FULL 0xc7ull /* D A W R V */
#define READ_ONLY 0xc3ull
#define USER 0x10ull
#define GLOBAL 0x20ull
#define SATP(asid) (8ull << 60 | (uint64_t)(asid) << 44 | ROOT >> 12)

static inline uint64_t leaf(uint64_t pa, uint64_t bits) { return pa >> 2 | bits; }

static inline void start_paged(void) {
    guest_start();
    poke(ROOT + 8 * 2, leaf(RAM_BASE, 0xcf));
    poke(ROOT + 8 * 1, leaf(TABLE1, 1));
    poke(TABLE1, leaf(TABLE0, 1));
    poke(SLOT(0), leaf(PAGE_A, FULL));
    poke(PAGE_A, 0xaaaa);
    poke(PAGE_B, 0xbbbb);
    PUT(HANDLER_AT, HERE);
    for (unsigned i = 0; i < guest.harts; i++) {
        struct hart *hart = &sim->harts[i];
        hart->satp = SATP(0);
        hart->stvec = HANDLER_AT;
        hart->x[10] = VA;
        hart->waiting = i > 0;
    }
}

/* The hart alone executes a word, in S-mode. */
static inline void execute_on(unsigned id, uint32_t word) {
    PUT(CODE_AT, word);
    code_fence(sim, &sim->harts[id]);
    for (unsigned i = 0; i < guest.harts; i++)
        sim->harts[i].waiting = i != id;
    sim->harts[id].pc = CODE_AT;
    sim_run(sim, 1);
}
static inline void execute(uint32_t word) { execute_on(0, word); }

static inline uint64_t load_on(unsigned id, uint64_t va) {
    sim->harts[id].x[10] = va;
    sim->harts[id].x[11] = 0;
    sim->harts[id].scause = 0;
    execute_on(id, LD(11, 10, 0));
    return sim->harts[id].x[11];
}
static inline uint64_t load(uint64_t va) { return load_on(0, va); }
static inline void store_on(unsigned id, uint64_t va, uint64_t value) {
    sim->harts[id].x[10] = va;
    sim->harts[id].x[11] = value;
    sim->harts[id].scause = 0;
    execute_on(id, SD(11, 10, 0));
}
static inline void store(uint64_t va, uint64_t value) { store_on(0, va, value); }
static inline void fence_on(unsigned id, uint64_t va, int64_t asid) {
    sim->harts[id].x[12] = va;
    sim->harts[id].x[13] = (uint64_t)asid;
    execute_on(id, SFENCE_VMA(va ? 12 : 0, asid >= 0 ? 13 : 0));
}
static inline void fence(uint64_t va, int64_t asid) { fence_on(0, va, asid); }

enum { SEEDS = 32, BELIEVED = SEEDS / 2 }; /* 3 in 4, with room for chance */
