/* What the doctor's parts know of each other. */
#pragma once
#include "machine/doctor/doctor.h"
#include "machine/doctor/letters.h"
#include "machine/doctor/trace.h"
#include "machine/doctor/walk.h"

enum {
    PLACE_ROOM = 200,
    FACT_ROOM = 1024,
    FACTS = 14,
    DEPTH = 12,
    DIAGNOSES = 40,
    LINE_ROOM = 160
};
enum { LINES_KEPT = 24 };

struct fact {
    const char *name;
    char text[FACT_ROOM];
};

/* Something that is wrong. Its name is that of its words in tools/doctor.d. */
struct diagnosis {
    char name[48];
    unsigned weight; /* the most likely cause has the highest */
    int hart;        /* -1: none */
    const char *forgive;
    char where[PLACE_ROOM];
    char stack[DEPTH][PLACE_ROOM]; /* the function that runs, and who has called it */
    unsigned calls[DEPTH];         /* how often each is there in a row: a recursion */
    unsigned depth;
    struct fact facts[FACTS];
    unsigned fact_count;
};

/* What the guest has printed. */
struct console {
    uint64_t bytes;
    char line[LINE_ROOM]; /* without its end; what is longer is cut off */
    unsigned length;
    char lines[LINES_KEPT][LINE_ROOM]; /* a ring of whole lines */
    uint64_t line_count;
    char panic[LINE_ROOM]; /* the words after "panic:", of the first; empty: none */
    uint64_t panic_at;     /* instructions until then */
    bool trapped;          /* the three that follow were printed: scause, sepc, stval */
    uint64_t scause, sepc, stval;
    char test[LINE_ROOM];   /* the last that was begun */
    char failed[LINE_ROOM]; /* the first that has failed; empty: none */
    unsigned killed;        /* how often a process was killed by usertrap() */
};

struct doctor {
    struct sim *sim;
    unsigned harts;
    uint64_t seconds;
    struct console console;
    struct diagnosis list[DIAGNOSES];
    unsigned count;
    /* When something has happened for the last time. */
    uint64_t bytes, requests, happened, happened_ns;
    uint64_t traced;                /* when the harts were looked at closely */
    uint64_t spun[SIM_HARTS_MAX];   /* the lock that each was at then; 0: none */
    uint64_t looped[SIM_HARTS_MAX]; /* how often its last exception had come, at the last look */
    unsigned last_hart;             /* before the report lets the machine run */
};

/* ---- console.c ---- */
void console_put(struct console *console, uint8_t byte, uint64_t now);

/* ---- places.c ---- */
/* "vm.c:212 (uvmunmap)"; of an alias of the kernel's code, such as a trampoline, where it is. */
void place_of(const struct doctor *doctor, uint64_t satp, unsigned privilege, uint64_t address,
              char to[PLACE_ROOM]);
/* Whether the image knows something of the address. */
bool place_known(const char *place);
/* Whether the place is in a function that panics, by its name: panic, panic_for_trap, kpanic. */
bool place_panics(const char *place);

struct stack_at {
    uint64_t satp, pc, ra, sp, fp;
    unsigned privilege;
};
struct stack_at stack_of_hart(const struct doctor *doctor, unsigned hart);
struct stack_at stack_of_exception(const struct sim_exception *exception);
/* Sets where and stack of a diagnosis. */
void stack_walk(const struct doctor *doctor, const struct stack_at *at, struct diagnosis *to);
/* Whether an instruction that calls stands before the address. */
bool stack_returns(const struct doctor *doctor, const struct stack_at *at, uint64_t address);
bool place_same_function(const char *a, const char *b);
/* Takes off the functions that panic, so that the first is the one that called them. */
void stack_drop_panic(struct diagnosis *diagnosis);

/* ---- diagnoses.c ---- */
/* A new one; when there is no room, one that nobody sees. */
struct diagnosis *diagnosis_new(struct doctor *doctor, const char *name, unsigned weight, int hart);
void fact_text(struct diagnosis *d, const char *name, const char *text);
void fact_hex(struct diagnosis *d, const char *name, uint64_t value);
void fact_number(struct diagnosis *d, const char *name, uint64_t value);
void fact_place(const struct doctor *doctor, struct diagnosis *d, const char *name,
                uint64_t address);
void diagnoses_sort(struct doctor *doctor);

/* ---- faults.c ---- */
/* Adds what is to be said of an exception. */
struct diagnosis *fault_explain(struct doctor *doctor, unsigned hart,
                                const struct sim_exception *exception, unsigned weight);
/* Of a chain of exceptions, each in the handler of the one before, the first: the cause of the one
 * that is `ago` before the hart's last. */
struct sim_exception fault_first(const struct doctor *doctor, unsigned hart, unsigned ago);
/* An exception that came so often in a row is a loop. */
enum { LOOP_LEAST = 1000 };
bool fault_loops(const struct doctor *doctor, unsigned hart, struct sim_exception *newest);
/* Explains what a loop began with: the exception whose handler raised the next one, and so on. */
struct diagnosis *fault_explain_loop(struct doctor *doctor, unsigned hart,
                                     const struct sim_exception *newest, unsigned weight);

/* ---- causes.c ---- */
void causes_find(struct doctor *doctor, enum doctor_over over, struct sim_end end,
                 const struct activity activity[SIM_HARTS_MAX]);

/* ---- tables.c ---- */
/* The tables below satp, in the words of vmprint; nothing when there is no paging. */
void tables_print(const struct sim *sim, uint64_t satp, struct text *to);
