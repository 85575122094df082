/* A hart: registers, control and status registers, and what it keeps of memory.
 *
 * Above `random` is what the specifications say a hart has, below it what this machine needs to
 * know. The tlb and the fetch entries are kept for speed and hold nothing that cannot be had again
 * (hart_forget). The code pages are what the hart has fetched, which memory may have no more. */
#pragma once
#include "machine/cpu/decode.h"
#include "machine/cpu/noted.h"
#include "machine/cpu/privileged.h"
#include "machine/rules/state.h"
#include <stdbool.h>
#include <stdint.h>

struct sim;

enum access { ACCESS_FETCH, ACCESS_LOAD, ACCESS_STORE };

#define MENVCFG_STCE (1ull << 63)

/* The upper half of a register of F that holds a single: unprivileged specification 12.2. */
#define NAN_BOX 0xffffffff00000000ull

enum { PMP_ENTRIES = 16 };

/* A page that loads and stores reach without a walk. A tag is the page's virtual address, or
 * TLB_NONE, which no address has in its place. */
#define TLB_NONE 0x800ull /* a tag has at most the three lowest bits of an offset */
/* Of a page whose accesses are told to somebody: the tag has this bit, which no address has. */
#define TLB_WATCHED 0x400ull
enum { TLB_SETS = 256, FETCH_SETS = 64 };
struct tlb_entry {
    uint64_t load, store; /* tags */
    uintptr_t delta;      /* host address minus virtual address */
};
struct fetch_entry {
    uint64_t tag;
    struct code_page *page;
};
/* Which privilege and which rules a translation was made for. */
enum tlb_context { CONTEXT_U, CONTEXT_S, CONTEXT_S_SUM, CONTEXT_M, CONTEXT_MPRV, CONTEXTS };

/* A page of memory as the hart has fetched it. */
struct code_page {
    uint64_t pa;
    struct code_page *next; /* of the same bucket */
    uint8_t bytes[4096];
    uint64_t hooks[CODE_SLOTS / 64]; /* the slots whose ops are OP_HOOK when they are decoded */
    uint32_t crossing; /* the instruction that begins in the last slot, the last time */
    struct op ops[CODE_SLOTS + 2];
};
enum { CODE_BUCKETS = 256, CODE_PAGES = 512 };

/* A page that was fetched ahead: see ahead.h. */
struct page_ahead {
    uint64_t pa; /* 0: none */
    uint8_t bytes[4096];
};
enum { AHEAD_PAGES = 16 }; /* a power of two */

/* An entry of a page table that the hart has read and may use in place of memory until a fence
 * covers it: privileged specification 4.2.1 and 4.3.2. */
struct kept {
    uint64_t va;    /* the first address that it translates */
    uint64_t pa;    /* where it was read */
    uint64_t value; /* what was read */
    uint64_t when;  /* instructions of all harts until then */
    uint16_t asid;
    uint8_t level; /* 0: of 4 KiB */
    bool used, global;
    uint16_t place; /* in keeper.live */
    uint16_t next;  /* one more than the next entry of the same bucket of keeper.by_pa; 0: none */
};
enum { KEPT_SETS = 256, KEPT_WAYS = 4, KEPT = KEPT_SETS * KEPT_WAYS, KEPT_BUCKETS = 1024 };
enum { STALE_MAX = 8 };
struct keeper {
    struct kept entries[KEPT];
    uint16_t live[KEPT]; /* the used ones */
    unsigned count;
    uint16_t by_pa[KEPT_BUCKETS]; /* one more than the first entry; 0: none */
};

struct hart {
    unsigned id;
    enum { HART_STOPPED, HART_STARTED } state; /* SBI HSM */
    bool waiting;                              /* in wfi */
    enum privilege priv;
    uint64_t pc;
    uint64_t x[33]; /* x[32]: what is written to x0 */
    uint64_t f[32];
    uint64_t instret;
    uint64_t cycles_added; /* mcycle minus minstret, modulo 2^64 */
    uint64_t in_mode[4];   /* instructions, by privilege, until instret was mode_since */
    uint64_t mode_since;
    bool reserved; /* by LR, at this address */
    uint64_t reservation;

    uint64_t mstatus, mtvec, mepc, mcause, mtval, mscratch, mie, mip, medeleg, mideleg;
    uint64_t mcounteren, scounteren, menvcfg, senvcfg;
    uint64_t stvec, sepc, scause, stval, sscratch, satp, stimecmp;
    bool seip; /* as software has set it; the wire is or-ed: 3.1.9 */
    uint8_t fflags, frm;
    uint8_t pmpcfg[PMP_ENTRIES];
    uint64_t pmpaddr[PMP_ENTRIES];

    uint64_t random; /* state of the hart's choices */
    struct keeper keeper;
    struct stale_use { /* of entries that another hart has changed: see keep_expire */
        struct kept by;
        uint64_t pc, va, memory, when;
        enum access access;
    } stale[STALE_MAX];
    unsigned stale_count;
    struct page_ahead ahead[AHEAD_PAGES];
    unsigned ahead_count; /* how many there have been */
    struct {
        bool pending; /* a fault was raised by a kept entry, though memory's is good */
        struct kept by;
        uint64_t pc, va;
        enum privilege priv;
        unsigned traps; /* taken in this mode since, less those that are over */
    } spurious;

    struct hart_rules rules;
    struct noted_exceptions noted;

    /* The trap that the call in hand has met. */
    uint64_t cause, tval;

    /* Of the turn: instructions given, and those left. `later` are not among them until the
     * instruction in hand is done, since the next one is to be fetched anew. */
    int64_t turn, left, later;
    bool yielded; /* it ends before its time: hart_yield */

    struct { /* caches */
        struct tlb_entry tlb[CONTEXTS][TLB_SETS];
        struct fetch_entry fetch[CONTEXTS][FETCH_SETS];
        /* The sets that may hold something, so that few are emptied each time. */
        uint64_t tlb_filled[CONTEXTS][TLB_SETS / 64], fetch_filled[CONTEXTS];
        struct code_page *buckets[CODE_BUCKETS];
        unsigned code_pages;
    } caches;
};

/* Registers as after a reset, at pc, in `priv`. */
void hart_reset(struct sim *sim, struct hart *hart, enum privilege priv, uint64_t pc);

/* Executes at most `budget` instructions; ends early when the hart waits, has stopped, or the
 * machine asks (hart_yield). Returns how many were executed. */
int64_t hart_run(struct sim *sim, struct hart *hart, int64_t budget);

/* The turn ends after the instruction in hand. */
static inline void hart_yield(struct hart *hart) {
    hart->turn -= hart->left;
    hart->left = hart->later = 0;
    hart->yielded = true;
}

static inline enum tlb_context hart_context(const struct hart *hart) {
    if (hart->priv == PRIV_M)
        return hart->mstatus & MSTATUS_MPRV ? CONTEXT_MPRV : CONTEXT_M;
    if (hart->priv == PRIV_U)
        return CONTEXT_U;
    return hart->mstatus & MSTATUS_SUM ? CONTEXT_S_SUM : CONTEXT_S;
}

/* minstret, within a turn too. */
static inline uint64_t hart_instret(const struct hart *hart) {
    return hart->instret + (uint64_t)(hart->turn - hart->left);
}

/* The mode is another from now on. */
static inline void hart_set_mode(struct hart *hart, enum privilege priv) {
    uint64_t now = hart_instret(hart);
    hart->in_mode[hart->priv] += now - hart->mode_since;
    hart->mode_since = now;
    hart->priv = priv;
}

/* A trap is to be taken: sets cause and value and is false, for `return trap_is(...)`. */
static inline bool trap_is(struct hart *hart, uint64_t cause, uint64_t value) {
    hart->cause = cause;
    hart->tval = value;
    return false;
}
