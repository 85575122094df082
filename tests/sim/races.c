/* A kernel of M-mode for two harts, with cases that have a race or what orders it. The test writes
 * the name of one into the file, over the dots of `chosen`, and the machine has to name the lines
 * with the comments "first:" and "second:" (test_sim_races.py). */
#include "guest.h"

#define SHARED __attribute__((aligned(64))) volatile

GUEST_START(4096, "");

static SHARED u64 data;
static SHARED u32 done;
static SHARED struct { u32 word, other; } lock;
volatile unsigned char bytes[8] __attribute__((aligned(8)));

static u64 hart_id(void) {
    u64 id;
    __asm__ volatile("csrr %0, mhartid" : "=r"(id));
    return id;
}

/* ---- locks ---------------------------------------------------------------------------------- */
#define FENCE(before, after) __asm__ volatile("fence " #before "," #after : : : "memory")

static void lock_nothing(void) {}

/* As xv6 takes and gives it back. */
static void lock_amoswap(void) {
    while (__sync_lock_test_and_set(&lock.word, 1) != 0)
        ;
    __sync_synchronize();
}
static void unlock_amoswap(void) {
    __sync_synchronize();
    __sync_lock_release(&lock.word);
}

/* As compilers make it of the atomics of C11. */
static void lock_atomic(void) {
    while (__atomic_exchange_n(&lock.word, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&lock.word, __ATOMIC_RELAXED))
            ;
}
static void unlock_atomic(void) { __atomic_store_n(&lock.word, 0, __ATOMIC_RELEASE); }

static void lock_reserved(void) {
    u32 was;
    __asm__ volatile("1: lr.w.aq %0, (%1)\n"
                     "   bnez %0, 1b\n"
                     "   sc.w %0, %2, (%1)\n"
                     "   bnez %0, 1b\n"
                     : "=&r"(was)
                     : "r"(&lock.word), "r"(1)
                     : "memory");
}
static void unlock_swapped(void) {
    __asm__ volatile("amoswap.w.rl zero, zero, (%0)" : : "r"(&lock.word) : "memory");
}

/* The ticket in word is given, the one in other is served. */
static void lock_ticket(void) {
    u32 mine = __atomic_fetch_add(&lock.word, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&lock.other, __ATOMIC_ACQUIRE) != mine)
        ;
}
static void unlock_ticket(void) { __atomic_store_n(&lock.other, lock.other + 1, __ATOMIC_RELEASE); }

/* Without atomic instructions: each hart in turn. */
static void lock_turns(void) {
    u32 me = (u32)hart_id();
    while (lock.word != me)
        ;
    FENCE(r, rw);
}
static void unlock_turns(void) {
    u32 other = !hart_id();
    FENCE(rw, w);
    lock.word = other;
}

/* Nothing is acquired, and nothing is released. */
static void lock_relaxed(void) {
    while (__atomic_exchange_n(&lock.word, 1, __ATOMIC_RELAXED))
        ;
}
static void unlock_relaxed(void) { __atomic_store_n(&lock.word, 0, __ATOMIC_RELAXED); }
#define unlock_nothing lock_nothing

/* ---- what is done --------------------------------------------------------------------------- */
#define COUNT(take, give) \
    for (int i = 0; i < 300; i++) { \
        take(); \
        data++; \
        give(); \
    }

NOINLINE static void case_nothing(u64 id){COUNT(lock_nothing, unlock_nothing)} NOINLINE
    static void case_amoswap(u64 id){COUNT(lock_amoswap, unlock_amoswap)} NOINLINE
    static void case_atomic(u64 id){COUNT(lock_atomic, unlock_atomic)} NOINLINE
    static void case_reserved(u64 id){COUNT(lock_reserved, unlock_swapped)} NOINLINE
    static void case_ticket(u64 id){COUNT(lock_ticket, unlock_ticket)} NOINLINE
    static void case_turns(u64 id){COUNT(lock_turns, unlock_turns)} NOINLINE
    static void case_relaxed(u64 id){COUNT(lock_relaxed, unlock_relaxed)} NOINLINE
    static void case_no_release(u64 id){COUNT(lock_amoswap, unlock_relaxed)} NOINLINE
    static void case_no_acquire(u64 id){COUNT(lock_relaxed, unlock_amoswap)}

NOINLINE static void writer(void) {
    data = 7; /* first: plain */
}
NOINLINE static u64 reader(void) { return data; /* second: plain */ }

/* Hart 1 is told by a word, in an order or in none. */
NOINLINE static void case_plain(u64 id) {
    if (id == 0) {
        writer();
        lock.word = 1;
    } else {
        while (!lock.word)
            ;
        reader();
    }
}
NOINLINE static void case_published(u64 id) {
    if (id == 0) {
        writer();
        __atomic_store_n(&lock.word, 1, __ATOMIC_RELEASE);
    } else {
        while (!__atomic_load_n(&lock.word, __ATOMIC_ACQUIRE))
            ;
        reader();
    }
}
/* As xv6 begins: fences of its own, and a word that is only volatile. */
NOINLINE static void case_started(u64 id) {
    if (id == 0) {
        writer();
        __sync_synchronize();
        lock.word = 1;
    } else {
        while (lock.word == 0)
            ;
        __sync_synchronize();
        reader();
    }
}
/* The fence is on the wrong side. */
NOINLINE static void case_late(u64 id) {
    if (id == 0) {
        __sync_synchronize();
        lock.word = 1;
        writer();
    } else {
        while (lock.word == 0)
            ;
        __sync_synchronize();
        for (int i = 0; i < 5000; i++)
            __asm__ volatile("");
        reader();
    }
}
/* What the first owner did is seen by the last: references. */
NOINLINE static void case_references(u64 id) {
    if (id == 0)
        data = 1;
    if (__atomic_add_fetch(&lock.word, 1, __ATOMIC_ACQ_REL) == 2)
        data = 2;
}
/* Neighbours in a word are nobody's race. */
NOINLINE static void case_neighbours(u64 id) {
    for (int i = 0; i < 1000; i++)
        bytes[id]++;
}
/* An interrupt that one hart asks of the other. */
NOINLINE static void case_interrupt(u64 id) {
    if (id == 0) {
        writer();
        *(volatile u32 *)0x2000004 = 1;
    } else {
        u64 pending = 0;
        __asm__ volatile("csrw mie, %0" : : "r"(8));
        while (!(pending & 8)) {
            __asm__ volatile("wfi");
            __asm__ volatile("csrr %0, mip" : "=r"(pending));
        }
        reader();
    }
}

/* ---- which of them --------------------------------------------------------------------------- */
char chosen[] = "case: ................";
enum { NAME_AT = 6 };

static const struct {
    const char *name;
    void (*run)(u64 id);
} cases[] = {
#define CASE(name) \
    { #name, case_##name }
    CASE(nothing),    CASE(amoswap),    CASE(atomic),     CASE(reserved),
    CASE(ticket),     CASE(turns),      CASE(relaxed),    CASE(no_release),
    CASE(no_acquire), CASE(plain),      CASE(published),  CASE(started),
    CASE(late),       CASE(references), CASE(neighbours), CASE(interrupt),
#undef CASE
};

static int is_chosen(const char *name) {
    for (u32 i = 0; name[i]; i++)
        if (name[i] != chosen[NAME_AT + i])
            return 0;
    return 1;
}

void start(u64 id) {
    for (u32 i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (is_chosen(cases[i].name))
            cases[i].run(id);
    __atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
    while (id != 0 || done != 2)
        ;
    for (;;)
        *(volatile u32 *)0x100000 = 0x5555;
}
