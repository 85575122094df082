/* A kernel after the manner of xv6 that is ill, each CASE in one way, for the doctor:
 * test_sim_doctor.py. The comments "ill:" mark the lines that it has to name, "from:" those where
 * the cause was set. Two harts. */
#include "guest.h"

#define PAGE 4096ul
#define PAGES 64
#define V 1ul
#define R 2ul
#define W 4ul
#define X 8ul
#define A 0x40ul
#define D 0x80ul
#define ALL (R | W | X | A | D)
#define SV39 (8ul << 60)
#define GIGA (1ul << 30)
#define STRING(x) #x
#define NAMED(x) STRING(x)

GUEST_START(16384, "    li s0, 0\n");
__asm__(".balign 4\n"
        "kernelvec:\n" /* as xv6's: it saves on the stack that was interrupted */
        "    addi sp, sp, -256\n"
        "    sd ra, 0(sp)\n"
        "    call kerneltrap\n"
        "    ld ra, 0(sp)\n"
        "    addi sp, sp, 256\n"
        "    sret\n"
        ".balign 4\n"
        "justreturn:\n"
        "    sret\n"
        ".balign 4096\n"
        "faraway:\n" /* switches to the table in a0, in a page of its own */
        "    sfence.vma\n"
        "    csrw satp, a0\n"
        "    sfence.vma\n" /* ill: switch */
        "    ret\n"
        ".balign 4096\n");
void kernelvec(void), justreturn(void), faraway(u64 satp);

static u8 memory[PAGES][PAGE] __attribute__((aligned(4096)));

/* ---- the console ----------------------------------------------------------------------------- */
static u64 uart = 0x10000000;
static void put(char c) { *(volatile u8 *)uart = (u8)c; /* ill: uart */ }
static void print(const char *text) {
    while (*text)
        put(*text++);
}
static void print_hex(u64 value) {
    print("0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

__attribute__((noreturn)) NOINLINE void panic(const char *why) {
    print("panic: ");
    print(why);
    print("\n");
    for (;;)
        ;
}

#define csr_read(name) \
    ({ \
        u64 value_; \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)); \
        value_; \
    })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" : : "r"(value) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " #name ", %0" : : "r"(value) : "memory")
static void fence(void) { __asm__ volatile("sfence.vma" : : : "memory"); }

__attribute__((used)) void kerneltrap(void) {
    print("scause ");
    print_hex(csr_read(scause));
    print("\nsepc=");
    print_hex(csr_read(sepc));
    print(" stval=");
    print_hex(csr_read(stval));
    print("\n");
    panic("kerneltrap");
}

/* ---- locks ----------------------------------------------------------------------------------- */
struct spinlock {
    unsigned locked;
    const char *name;
};
static struct spinlock kmem = {0, "kmem"}, disk = {0, "virtio_disk"};

NOINLINE void acquire(struct spinlock *lock) {
    csr_clear(sstatus, 2ul);
    while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE))
        ;
}
NOINLINE void release(struct spinlock *lock) {
    __atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

/* ---- pages ----------------------------------------------------------------------------------- */
static struct run { struct run *next; } * list;

NOINLINE static void fill(u8 *page, u8 byte) {
    for (u64 i = 0; i < PAGE; i++)
        ((volatile u8 *)page)[i] = byte;
}
NOINLINE void *kalloc(void) {
    acquire(&kmem);
    struct run *r = list;
    if (r)
        list = r->next;
    release(&kmem);
    if (r)
        fill((u8 *)r, 5);
    return r;
}
NOINLINE void kfree(void *page) {
    fill(page, 1);
    acquire(&kmem);
    ((struct run *)page)->next = list;
    list = page;
    release(&kmem);
}

NOINLINE static u64 *new_table(void) {
    u64 *table = kalloc();
    fill((u8 *)table, 0);
    return table;
}
static u64 satp_of(u64 *root) { return SV39 | (u64)root / PAGE; }

NOINLINE static u64 *walk(u64 *table, u64 va) {
    for (int level = 2; level > 0; level--) {
        u64 *entry = &table[va >> (12 + 9 * level) & 511];
        if (!(*entry & V))
            *entry = (u64)new_table() >> 2 | V;
        table = (u64 *)(*entry << 2 & -PAGE);
    }
    return &table[va >> 12 & 511];
}
NOINLINE static void mappages(u64 *root, u64 va, void *page, u64 bits) {
    u64 *entry = walk(root, va);
    if (*entry & V)
        panic("remap"); /* ill: remap */
    *entry = (u64)page >> 2 | bits | V;
}
/* All memory at its own addresses, by leaves of the root. */
static u64 *kvmmake(void) {
    u64 *root = new_table();
    root[0] = V | ALL;
    root[2] = 2 * GIGA >> 2 | V | ALL;
    return root;
}
static u64 *paging(void) {
    u64 *root = kvmmake();
    csr_write(satp, satp_of(root));
    fence();
    return root;
}

/* ---- how it is ill --------------------------------------------------------------------------- */
enum { HERE = 5 }; /* in GiB, where nothing is mapped at first */
static u64 result;
NOINLINE static u64 look(volatile u64 *at) { return *at; /* ill: look */ }
NOINLINE static void poke(volatile u64 *at) { *at = 1; /* ill: poke */ }

NOINLINE static void case_good(void) {
    u64 *root = paging();
    mappages(root, HERE * GIGA, kalloc(), R | W | A | D);
    poke((u64 *)(HERE * GIGA));
}
NOINLINE static void case_fence(void) {
    u64 *root = paging();
    for (u64 at = HERE * GIGA; at < HERE * GIGA + 8 * PAGE; at += PAGE) {
        mappages(root, at, kalloc(), R | W | A | D);
        poke((u64 *)at);
        u64 *entry = walk(root, at), other = (u64)kalloc() >> 2 | R | W | A | D | V;
        *entry = other; /* from: fence */
        poke((u64 *)at);
    }
}
NOINLINE static void case_twice(void) {
    void *page = kalloc();
    kfree(page); /* from: twice */
    kfree(page); /* ill: twice */
}
NOINLINE static void case_remap(void) {
    u64 *root = paging();
    mappages(root, HERE * GIGA, kalloc(), R | W | A | D);
    mappages(root, HERE * GIGA, kalloc(), R | W | A | D); /* from: remap */
}
NOINLINE static void freewalk(u64 *table) {
    for (int i = 0; i < 512; i++)
        if (table[i] & (R | W | X))
            panic("freewalk: leaf"); /* ill: freewalk */
        else if (table[i] & V)
            freewalk((u64 *)(table[i] << 2 & -PAGE));
    kfree(table);
}
NOINLINE static void case_freewalk(void) {
    u64 *root = new_table();
    mappages(root, HERE * GIGA, kalloc(), R | W | A | D);
    freewalk(root); /* from: freewalk */
}
NOINLINE static void case_d(void) { /* the handler changes nothing */
    u64 *root = paging();
    csr_write(stvec, justreturn);
    mappages(root, HERE * GIGA, kalloc(), R | W | A);
    poke((u64 *)(HERE * GIGA)); /* from: d */
}
NOINLINE static void case_unmapped(void) {
    paging();
    result = look((u64 *)(HERE * GIGA + 0x2008)); /* from: unmapped */
}
NOINLINE static u64 deeper(u64 depth) { /* ill: stack */
    volatile u64 here[32];
    here[0] = depth;
    return depth ? deeper(depth - 1) + here[0] : 0;
}
/* On a stack of one page with a guard below it, and below that another stack. */
NOINLINE static void case_stack(void) {
    u64 *root = paging();
    for (u64 i = 0; i < 3; i++)
        if (i != 1)
            mappages(root, HERE * GIGA + i * PAGE, kalloc(), R | W | A | D);
    __asm__ volatile("mv sp, %0" : : "r"(HERE * GIGA + 3 * PAGE));
    result = deeper(1000);
    for (;;)
        ;
}
NOINLINE static void case_satp(void) { /* ill: satp */
    csr_write(satp, SV39 | 0x123456);
    fence();
}
NOINLINE static void case_switch(void) { /* the new table has the page of `faraway` elsewhere */
    u64 *root = kvmmake(), *other = new_table();
    mappages(other, (u64)case_switch & -PAGE, (void *)((u64)case_switch & -PAGE), ALL);
    csr_write(satp, satp_of(root));
    fence();
    faraway(satp_of(other)); /* from: switch */
}
NOINLINE static void case_uart(void) {
    uart = 0x10010000;
    print("hello\n");
}
static void (*volatile nobody)(void);
NOINLINE static void case_zero(void) { nobody(); /* ill: zero */ }
NOINLINE static void case_endless(void) {
    for (;;)
        ; /* ill: endless */
}
NOINLINE static void take(struct spinlock *lock) { acquire(lock); /* ill: take */ }
NOINLINE static void keep(struct spinlock *lock) { acquire(lock); /* from: keep */ }
static int arrived;
NOINLINE static void case_held(void) {
    while (!__atomic_load_n(&arrived, __ATOMIC_ACQUIRE))
        ;
    take(&disk);
}
NOINLINE static void case_self(void) {
    keep(&disk);
    take(&disk);
}
NOINLINE static void case_disabled(void) {
    print("I wait\n");
    csr_write(sie, 0ul);
    for (;;)
        __asm__ volatile("wfi"); /* ill: disabled */
}
NOINLINE static void case_timer(void) {
    csr_write(sie, 32ul);
    for (;;)
        __asm__ volatile("wfi"); /* ill: timer */
}
NOINLINE static void case_idle(void) { /* the clock goes on, and nobody is woken */
    csr_write(sie, 32ul);
    for (;;) {
        csr_write(0x14d, csr_read(time) + 100000); /* stimecmp: 10 ms */
        __asm__ volatile("wfi");                   /* ill: idle */
    }
}
NOINLINE static void program(void) {
    for (;;)
        ; /* ill: user */
}
NOINLINE static void case_user(void) {
    csr_clear(sstatus, 0x100ul); /* SPP: to the user */
    csr_write(sepc, program);
    __asm__ volatile("sret");
}
NOINLINE static void case_test(void) {
    print("test sbrkmuch: ");
    print("sbrkmuch: sbrk failed\nFAILED\nSOME TESTS FAILED\n");
}

/* ---- start ----------------------------------------------------------------------------------- */
/* Hart 1 does nothing, but in one case. */
static void second(void) {
    if (CASE == case_held) {
        keep(&disk);
        __atomic_store_n(&arrived, 1, __ATOMIC_RELEASE);
    }
    for (;;)
        __asm__ volatile("wfi");
}

static void in_s_mode(u64 hart) {
    csr_write(stvec, CASE == case_uart || CASE == case_satp || CASE == case_switch ? 0 : kernelvec);
    if (hart == 1)
        second();
    if (CASE == case_good || CASE == case_disabled)
        print(NAMED(CASE) " boots\n");
    CASE();
    print("$ ");
    for (;;)
        ;
}

__attribute__((used)) void start(u64 hart) {
    static void (*const unused[])(void) = {
        case_good, case_fence,  case_twice,    case_remap, case_freewalk, case_d,       case_stack,
        case_satp, case_switch, case_uart,     case_zero,  case_endless,  case_held,    case_idle,
        case_user, case_self,   case_disabled, case_timer, case_test,     case_unmapped};
    (void)unused;
    for (u64 i = 0; hart == 0 && i < PAGES; i++)
        kfree(memory[i]);
    csr_write(pmpaddr0, -1ul >> 10);
    csr_write(pmpcfg0, 0x1ful);
    csr_write(medeleg, 0xfffful);
    csr_write(mideleg, 0xfffful);
    csr_write(0x30a, 1ul << 63); /* menvcfg.STCE */
    csr_write(mcounteren, 7ul);
    csr_write(mepc, in_s_mode);
    csr_clear(mstatus, 0x1000ul);
    __asm__ volatile("csrs mstatus, %0; mv a0, %1; mret" : : "r"(0x800), "r"(hart) : "a0");
}
