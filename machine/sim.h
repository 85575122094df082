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
    SIM_TABLE_FREED,    /* a page table in use was given back */
    SIM_SATP_FREE,      /* satp points to a page that is free */
    SIM_BAD_ENTRY,      /* what is no entry stands in a page table */
    SIM_OPEN_TO_USER,   /* user mode may use what is the kernel's */
    SIM_MAPPED_FREE,    /* or a page that is free */
    SIM_WRITABLE_CODE,  /* a leaf has W and X */
    SIM_STACK_OVERFLOW, /* the kernel's stack is at its end */
    SIM_NO_STACK,       /* sp is where nothing is mapped */
    SIM_USER_MEMORY,    /* the kernel uses a page of user mode with SUM off */
    SIM_NOT_MARKED,     /* A or D is 0, and nobody sets it */
    SIM_MISALIGNED,     /* an access that may trap, and nobody does it then */
    SIM_DEVICE_ADDRESS, /* a device is told one that is no memory */
    SIM_RING_ORDER,     /* the index of a ring may be seen before its entry */
    SIM_RACE,           /* two harts access memory, and nothing orders that */
};

/* Rules that are looked after if one wants: bits of sim_options.checks. */
enum sim_check {
    SIM_CHECK_ENTRIES = 1,                         /* SIM_BAD_ENTRY */
    SIM_CHECK_OPEN = 2,                            /* SIM_OPEN_TO_USER, SIM_MAPPED_FREE */
    SIM_CHECK_WX = 4,                              /* SIM_WRITABLE_CODE, of the kernel */
    SIM_CHECK_USER_WX = 8,                         /* and of user mode */
    SIM_CHECK_STACK = 16,                          /* SIM_STACK_OVERFLOW, SIM_NO_STACK */
    SIM_CHECK_USER_MEMORY = 32,                    /* SIM_USER_MEMORY */
    SIM_CHECK_MARKS = 64,                          /* SIM_NOT_MARKED */
    SIM_CHECK_MISALIGNED = 128,                    /* SIM_MISALIGNED */
    SIM_CHECK_DEVICE = 256,                        /* SIM_DEVICE_ADDRESS, SIM_RING_ORDER */
    SIM_CHECKS_DEFAULT = 511 & ~SIM_CHECK_USER_WX, /* old kernels of xv6 load programs so */
};
/* The one of this name: "entries", "open", "wx", "user-wx", "stack", "user-memory", "marks",
 * "misaligned", "device", or those of "all"; 0: there is none. */
unsigned sim_check_named(const char *name);

struct sim_finding {
    enum sim_rule rule;
    const char *text; /* sentences, one line: the rule's name, a colon, what happened */
    int hart;         /* that broke it; -1: a device did */
    uint64_t pc;      /* where: in the instruction, or in the call; 0: not known */
    uint64_t cause;   /* where the cause was set: the store, the call of free; 0: not known */
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
    bool speculate;     /* and read them before they are asked for: with keep */
    bool stale_code;    /* harts keep what they fetched until fence.i, and speculate in that, too */
    bool frames;        /* what the kernel does with pages of memory is checked: frames.h */
    bool races;         /* accesses of two harts that nothing orders: races/races.h */
    unsigned checks;    /* of enum sim_check */
    bool locks;         /* who takes which lock is noted: sim_lock */
    bool legacy_disk;   /* virtio-mmio version 1 */
    bool events;        /* what it meets is recorded: sim_event */

    /* How the harts take turns: 0: each in turn; else by priorities that change so often, at random
     * steps of so many (races/preempt.h); of 0, a step being an access of the kernel to memory:
     * never. */
    uint32_t preempt;
    uint64_t preempt_length;

    struct sim_image kernel, disks[SIM_DISKS_MAX], initrd;
    struct sim_image firmware; /* begins in M-mode where memory begins, with what OpenSBI's
                                * fw_dynamic wants in a2; the kernel stands 2 MiB above. Wants
                                * machine_mode. No bytes: none */
    struct sim_image profile;  /* of the kernel's allocator (frames/profile.h); no bytes: one of the
                                * machine's own, if one fits */

    void *context; /* of the calls that follow */
    void (*console)(void *context, uint8_t byte);
    void (*finding)(void *context, const struct sim_finding *finding); /* a rule was broken */
    void (*called)(void *context); /* the function of sim_watch_function; or NULL */
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
/* Of these, the ones in a mode (0: U, 1: S, 3: M), of all harts since each was started. Of a call
 * that the machine answers as the firmware none counts. */
uint64_t sim_instructions_in(const struct sim *sim, unsigned privilege);
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
/* The value of a symbol of the kernel. false: it has none of that name. */
bool sim_symbol(const struct sim *sim, const char *name, uint64_t *value);
/* Where a hart's page tables put a virtual address for the mode it is in, as memory has them; it
 * keeps nothing of that. false: nowhere. */
bool sim_physical(struct sim *sim, unsigned hart, uint64_t va, uint64_t *pa);
/* What the kernel's symbols and lines say of a virtual address: "vm.c:212 (uvmunmap)", or the
 * address. */
void sim_place(const struct sim *sim, uint64_t address, char *buffer, size_t size);

/* ---- events: of a machine that was made with options.events --------------------------------- */
enum sim_event_kind {
    SIM_EVENT_TRAP,  /* value: cause, the trap's value (stval, mtval), the mode before */
    SIM_EVENT_SATP,  /* value: the new one, the old one; not told when they are the same */
    SIM_EVENT_TABLE, /* an entry of a page table has changed. value: its address, the new one, the
                      * old one. A table is what can be reached from the roots (sim_roots) */
};
struct sim_event {
    enum sim_event_kind kind;
    int hart;
    uint64_t when; /* sim_instructions right after; of an interrupt it may be right before */
    uint64_t pc;   /* of the instruction; of an interrupt, that which is executed after it */
    uint64_t value[3];
    unsigned level; /* of the entry; 0: of 4 KiB */
};
/* How many there have been. Numbers below have a sim_event, but for old ones, of which it is
 * false. After sim_restore, numbers up to sim_events_known are those that will come if the input
 * is the same; sim_events_forget is for when it will be another. */
uint64_t sim_events(const struct sim *sim);
uint64_t sim_events_known(const struct sim *sim);
bool sim_event(const struct sim *sim, uint64_t number, struct sim_event *event);
void sim_events_forget(struct sim *sim);
/* The last event that changed the entry of a page table at pa. false: it is not known. */
bool sim_written(const struct sim *sim, uint64_t pa, struct sim_event *event);

/* The page tables that satp had lately. */
enum { SIM_ROOTS_MAX = 32 };
struct sim_root {
    uint64_t pa;
    uint16_t asid;
    unsigned levels;   /* 3: Sv39 */
    uint64_t switches; /* so often has a satp been set to it, from another value */
    uint64_t when;     /* the last time, and by which hart */
    unsigned hart;
};
unsigned sim_roots(const struct sim *sim, struct sim_root roots[SIM_ROOTS_MAX]);

/* The process whose page table has its root there, as the kernel's own structs say it at present:
 * where they are, a profile tells (frames/profile.h), and DWARF. false: none, or it is not known.
 */
struct sim_owner {
    int32_t pid;
    char name[32]; /* of its program; as much of it as has room, and "" when that is not known */
};
bool sim_owner(const struct sim *sim, uint64_t root, struct sim_owner *owner);

/* Waits for a call of the kernel's function, the first, second ... from now on; only one is
 * waited for; 0: for none, but options.called is told of each. false: there is no such function. It
 * changes nothing in the run, and does not go back with a snapshot. */
bool sim_watch_function(struct sim *sim, const char *name, uint64_t call);
/* sim_instructions when its first instruction was about to be executed; UINT64_MAX: not yet. */
uint64_t sim_function_called(const struct sim *sim);

/* Runs until the hart has called a function or returned from one, so many instructions at most:
 * SIM_NO_JUMP then, or when the machine ends or waits. end is as of sim_run. */
enum sim_jump { SIM_NO_JUMP, SIM_CALL, SIM_RETURN };
enum sim_jump sim_run_to_jump(struct sim *sim, unsigned hart, uint64_t instructions,
                              struct sim_end *end);

/* An entry of a page table that a hart keeps beside memory. */
struct sim_kept {
    uint64_t va, pa, value, when; /* what it translates first; where, what and when it was read */
    uint64_t memory;              /* what is there now */
    uint16_t asid;
    unsigned level;
    bool global;
};
/* The index-th, in no order that means something; false: there are no more. */
bool sim_kept(const struct sim *sim, unsigned hart, unsigned index, struct sim_kept *kept);

/* Who has a page of RAM, as far as it is known: the allocator's functions by a profile. */
struct sim_frame {
    enum {
        SIM_FRAME_UNKNOWN,
        SIM_FRAME_FREE,
        SIM_FRAME_TAKEN,
        SIM_FRAME_IMAGE,
        SIM_FRAME_TABLE
    } is;
    uint64_t from; /* a place in the function that took it or gave it back; 0: not known */
    uint64_t when;
    unsigned hart;
};
/* false: no RAM. */
bool sim_frame(const struct sim *sim, uint64_t pa, struct sim_frame *frame);

/* An exception (interrupts and environment calls are none), and the hart as it was then. */
struct sim_exception {
    uint64_t cause, pc, value; /* what xcause, xepc and xtval are set to */
    uint64_t satp, status;     /* status: mstatus */
    uint64_t ra, sp, fp;       /* x1, x2, x8 */
    uint64_t since, when;      /* instructions of all harts until the first and the last time */
    uint64_t again;     /* how often it has come in a row, with no environment call between */
    unsigned privilege; /* where it was raised */
};
/* The hart's last exception, or the one `ago` before it. false: it is not known. */
bool sim_exception(const struct sim *sim, unsigned hart, unsigned ago, struct sim_exception *to);
/* satp at the last exception or environment call of U-mode; 0: there was none. */
uint64_t sim_user_satp(const struct sim *sim, unsigned hart);

enum { SIM_LOCK_CALLERS = 4 };
/* Who has made a word other than 0 by an atomic instruction, the last time: who took a lock, if it
 * is one. */
struct sim_lock {
    uint64_t pa, pc;
    uint64_t callers[SIM_LOCK_CALLERS]; /* where functions return to, perhaps: ra, and what the
                                         * frame pointers lead to. 0: not known */
    uint64_t when;
    unsigned hart;
};
/* false: that is not known of this word, or options.locks is not set. */
bool sim_lock(const struct sim *sim, uint64_t pa, struct sim_lock *to);
