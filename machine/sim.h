/* A RISC-V machine: 1 to 8 harts of RV64IMAFDC with the devices of QEMU's `virt` board.
 *
 * Everything that happens follows from what is given to sim_create, from the input, and from
 * the seed: the same on every host. Time is counted in instructions. docs/sim.md says what is
 * modelled and what is not. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_HARTS_MAX = 8, SIM_DISKS_MAX = 8, SIM_PREEMPT_MAX = 100000 };

struct sim;

struct sim_image {
    const uint8_t *bytes;
    uint64_t size;
    const char *name; /* in messages */
};

/* The rules that a guest may break. */
enum sim_rule {
    SIM_STALE_TRANSLATION, /* a kept entry was used that memory contradicts */
    SIM_MISSING_FENCE,     /* a fault by such an entry had no fence */
    SIM_STALE_CODE,
    SIM_USED_FREE, /* a page that is free */
    SIM_FREED_TWICE,
    SIM_TAKEN_TWICE,
    SIM_TABLE_FREED, /* a page table in use was given back */
    SIM_SATP_FREE,   /* satp points to a page that is free */
    SIM_RACE,        /* two harts access memory, and nothing orders that */
};

struct sim_finding {
    enum sim_rule rule;
    const char *text; /* sentences, one line: the rule's name, a colon, what happened */
    int hart;         /* that broke it; -1: a device did */
    uint64_t pc;      /* where; 0: not known */
    uint64_t cause;   /* where the cause was set: the store, the free; 0: not known */
};

struct sim_options {
    unsigned harts;     /* 1 to SIM_HARTS_MAX */
    uint64_t ram_bytes; /* 32 MiB to 4 GiB, whole MiB */
    uint64_t seed;
    const char *append; /* the kernel's arguments; NULL: none */

    bool machine_mode;  /* the kernel starts in M-mode at its address; else in S-mode, with the
                         * machine as its firmware (SBI) */
    bool sstc;          /* the timer of the S-mode */
    bool svadu;         /* harts set A and D; else they raise page faults (Svade) */
    bool misaligned;    /* accesses may be misaligned; else they trap */
    unsigned asid_bits; /* 0 to 16 */
    unsigned levels;    /* of page tables at most: 3 (Sv39) to 5 (Sv57) */
    bool keep;          /* harts keep entries of page tables as long as they may */
    bool stale_code;    /* harts keep what they fetched until fence.i */
    bool frames;        /* what the kernel does with pages of memory is checked: frames.h */
    bool races;         /* accesses of two harts that nothing orders: races/races.h */
    bool legacy_disk;   /* virtio-mmio version 1 */

    /* How the harts take turns: 0: each in turn; else by priorities that change so often, at random
     * steps of so many (races/preempt.h); of 0, a step being an access of the kernel to memory:
     * never. */
    uint32_t preempt;
    uint64_t preempt_length;

    struct sim_image kernel, disks[SIM_DISKS_MAX], initrd;
    struct sim_image profile; /* of the kernel's allocator (frames/profile.h); no bytes: one of the
                               * machine's own, if one fits */

    void *context; /* of the calls that follow */
    void (*console)(void *context, uint8_t byte);
    void (*finding)(void *context, const struct sim_finding *finding); /* a rule was broken */
};

/* What a machine has that nothing is said of. */
struct sim_options sim_defaults(void);
/* An ELF file that is entered where memory begins is a kernel of M-mode. */
bool sim_begins_in_machine_mode(const struct sim_image *kernel);

/* A machine that is about to execute its first instruction; NULL with a sentence in error. The
 * images' bytes stay the caller's, and must stay as long as the machine does. */
struct sim *sim_create(const struct sim_options *options, char *error, size_t error_size);
void sim_destroy(struct sim *sim);

struct sim_end {
    enum {
        SIM_RUNS,  /* it has done what was asked, and could go on */
        SIM_WAITS, /* all harts wait: until next_ns, or for input */
        SIM_POWERED_OFF,
        SIM_RESET,
        SIM_FAILED,     /* the finisher was told so, or a hart did what ends a machine */
        SIM_AT_REQUEST, /* sim_stop_before says which; it could go on */
    } how;
    unsigned code;    /* of SIM_FAILED */
    uint64_t next_ns; /* of SIM_WAITS: when something happens by itself; UINT64_MAX: never */
};

/* Runs so many instructions, of all harts together, or fewer when it ends or all wait. Whether
 * they are asked for at once or one by one makes no difference to the run. */
struct sim_end sim_run(struct sim *sim, uint64_t instructions);
/* The clock goes on to this nanosecond: what harts that wait do not notice. */
void sim_skip(struct sim *sim, uint64_t ns);
/* Bytes that the UART has taken, in their order: less than count when it is full. */
size_t sim_input(struct sim *sim, const uint8_t *bytes, size_t count);

/* What a guest would read from a disk now. false: beyond its end. */
bool sim_disk_read(const struct sim *sim, unsigned disk, uint64_t at, void *to, size_t bytes);

/* How many requests for reads, writes and flushes the disks have done. */
uint64_t sim_requests(const struct sim *sim);
/* sim_run ends before the request that makes them this number; 0: before none. */
void sim_stop_before(struct sim *sim, uint64_t request);
/* Whether the request that it has stopped before only reads. */
bool sim_stopped_before_read(const struct sim *sim);

/* Requests of a disk that fail. */
struct sim_failures {
    uint64_t request;  /* the one that makes its requests this number; 0: none */
    uint64_t from, to; /* those that touch the sectors from.. to - 1 */
};
void sim_fail(struct sim *sim, unsigned disk, const struct sim_failures *failures);

/* The power of `from` fails now, and the disks of `to` are as that may leave them: what was asked
 * for and not flushed may be on them or not, as the seed chooses. `from` is as before and could go
 * on; `to` has disks of the same sizes, and its counts of requests, its failures and all else are
 * as before. false: no memory, and `to` is only good to be destroyed. */
bool sim_cut(const struct sim *from, uint64_t seed, struct sim *to);

/* All that decides how a machine goes on: it is taken between calls of sim_run, and changes nothing
 * in the machine. RAM that did not change between snapshots is shared by them. NULL: no memory. */
struct sim_snapshot *sim_snapshot(struct sim *sim);
/* A machine, the same or one made with options that differ in strings and calls alone, goes on as
 * the one of the snapshot did. false: no memory, and it is only good to be destroyed. */
bool sim_restore(struct sim *sim, const struct sim_snapshot *snapshot);
void sim_snapshot_free(struct sim_snapshot *snapshot);

uint64_t sim_instructions(const struct sim *sim);
uint64_t sim_nanoseconds(const struct sim *sim);
uint64_t sim_findings(const struct sim *sim);
/* Of options.preempt; 0 without it. */
uint64_t sim_steps(const struct sim *sim);
/* The pages that were taken and not given back until now, a line for each place that took some,
 * those with the most first. */
void sim_leaks(struct sim *sim, void (*line)(void *context, const char *text));

/* ---- what is inside, as far as a machine that does not run shows it ------------------------- */
/* The hart that has executed the last instruction. */
unsigned sim_last_hart(const struct sim *sim);

/* 0 to 31 are x0 to x31; then f0 to f31. */
enum sim_register {
    SIM_F = 32,
    SIM_PC = 64,
    SIM_PRIVILEGE, /* 0: U, 1: S, 3: M */
    SIM_STATE,     /* 0: not started, 1: it runs, 2: it waits */
    SIM_MSTATUS,   /* sstatus shows parts of it */
    SIM_MIE,
    SIM_MIP,
    SIM_SATP,
    SIM_STVEC,
    SIM_SEPC,
    SIM_SCAUSE,
    SIM_STVAL,
    SIM_SSCRATCH,
    SIM_MTVEC,
    SIM_MEPC,
    SIM_MCAUSE,
    SIM_MTVAL,
    SIM_MSCRATCH,
    SIM_REGISTERS
};
/* 0 of what there is not. */
uint64_t sim_register(const struct sim *sim, unsigned hart, unsigned which);
/* Reads RAM at a physical address. false: some of it is no RAM, and *to is as it was. */
bool sim_memory(const struct sim *sim, uint64_t pa, void *to, size_t bytes);
/* What the kernel's symbols and lines say of a virtual address: "vm.c:212 (uvmunmap)", or the
 * address. */
void sim_place(const struct sim *sim, uint64_t address, char *buffer, size_t size);
