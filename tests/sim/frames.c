/* A kernel of M-mode that uses its pages wrongly, each CASE in one way: test_sim_frames.py. The
 * comments "wrong:" and "given:" mark the lines that the machine has to name. */
#include "guest.h"

#define PAGE 4096ul
#define PAGES 64
#define V 1ul
#define RWXAD (2ul | 4ul | 8ul | 0x40ul | 0x80ul)
#define SV39 (8ul << 60)
#define GIGA (1ul << 30)

GUEST_START(16384, "");

static u8 memory[PAGES][PAGE] __attribute__((aligned(4096)));
static int lock;

static struct run { struct run *next; } * list;
static u8 references[PAGES];

static void acquire(void) {
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        ;
}
static void release(void) { __atomic_store_n(&lock, 0, __ATOMIC_RELEASE); }

NOINLINE static void fill(u8 *page, u8 byte) {
    for (u64 i = 0; i < PAGE; i++)
        ((volatile u8 *)page)[i] = byte;
}

/* ---- the allocator --------------------------------------------------------------------------- */
static u64 index_of(void *page) { return (u64)((u8 *)page - memory[0]) / PAGE; }

NOINLINE void *kalloc(void) {
    acquire();
    struct run *r = list;
    if (r) {
        list = r->next;
        references[index_of(r)] = 1;
    }
    release();
    if (r)
        fill((u8 *)r, 5);
    return r;
}

NOINLINE void kfree(void *page) {
    acquire();
    int last = references[index_of(page)] <= 1;
    if (!last)
        references[index_of(page)]--;
    release();
    if (!last)
        return;
    fill(page, 1);
    acquire();
    ((struct run *)page)->next = list;
    list = page;
    release();
}

/* 2^order pages in a row, which are not kalloc's. */
static u8 others[8][PAGE] __attribute__((aligned(4096)));
NOINLINE int take_many(void **page, int order) {
    *page = others[0];
    return order > 3 ? -1 : 0;
}
NOINLINE void give_many(void *page, int order) { *(volatile u8 *)page = (u8)order; }
NOINLINE void scrub(u8 *page) { fill(page, 7); }

/* ---- the machine ----------------------------------------------------------------------------- */
__attribute__((noreturn)) static void end(void) {
    for (;;)
        *(volatile unsigned *)0x100000 = 0x5555;
}
#define set_satp(value) __asm__ volatile("csrw satp, %0" : : "r"(value) : "memory")
static void fence(void) { __asm__ volatile("sfence.vma" : : : "memory"); }
static u64 satp_of(u64 *root) { return SV39 | (u64)root / PAGE; }
static u64 entry_of(void *page) { return (u64)page >> 2 | V; }

/* All memory at its own addresses, by leaves of the root. */
static u64 *new_table(void) {
    u64 *table = kalloc();
    fill((u8 *)table, 0);
    return table;
}
static u64 *new_root(void) {
    u64 *root = new_table();
    root[0] = V | RWXAD;
    root[2] = entry_of((void *)(2 * GIGA)) | RWXAD;
    return root;
}

static u64 result;
NOINLINE static u64 look(volatile u64 *at) { return *at; /* wrong: look */ }

static u64 *map(u64 *root, void *page) { /* at 5 GiB */
    u64 *middle = new_table(), *last = new_table();
    last[0] = entry_of(page) | RWXAD;
    middle[0] = entry_of(last);
    root[5] = entry_of(middle);
    return last;
}

/* ---- what is done wrongly -------------------------------------------------------------------- */
NOINLINE static void give(void *page) { kfree(page); /* given: give */ }

NOINLINE static void case_load(void) {
    u64 *page = kalloc();
    result = look(page);
    give(page);
    result = look(page + 3);
}
NOINLINE static void case_store(void) {
    volatile u64 *page = kalloc();
    page[7] = 1;
    give((void *)page);
    page[7] = 2; /* wrong: store */
}
NOINLINE static void case_amo(void) {
    u64 *page = kalloc();
    __atomic_fetch_add(page, 1, __ATOMIC_SEQ_CST);
    give(page);
    __atomic_fetch_add(page, 1, __ATOMIC_SEQ_CST); /* wrong: amo */
}
NOINLINE static void case_fetch(void) {
    unsigned short *page = kalloc();
    page[0] = page[32] = 0x8082; /* ret */
    __asm__ volatile("fence.i" : : : "memory");
    ((void (*)(void))(page + 32))();
    give(page);
    ((void (*)(void))(page + 32))();
}
NOINLINE static void case_twice(void) {
    void *page = kalloc();
    give(page);
    kfree(page); /* wrong: twice */
}
NOINLINE static void case_handed(void) {
    struct run *page = kalloc(); /* given: handed */
    list = page;
    page->next = 0;
    result = (u64)kalloc(); /* wrong: handed */
}
NOINLINE static void case_root(void) {
    u64 *root = new_root();
    set_satp(satp_of(root));
    fence();
    result = look(root);
    kfree(root); /* wrong: root */
    set_satp(0);
}
NOINLINE static void case_linked(void) {
    u64 *root = new_root(), *last = map(root, kalloc());
    set_satp(satp_of(root));
    fence();
    kfree(last); /* wrong: linked */
    set_satp(0);
}
NOINLINE static void case_kept(void) {
    u64 *root = new_root(), *last = map(root, kalloc()), *middle = (u64 *)(root[5] << 2 & -PAGE);
    set_satp(satp_of(root));
    fence();
    result = look((u64 *)(5 * GIGA));
    middle[0] = 0;
    kfree(last); /* wrong: kept */
    root[5] = 0;
    fence();
    kfree(middle);
    set_satp(0);
}
NOINLINE static void case_satp(void) {
    u64 *root = new_root();
    give(root);
    set_satp(satp_of(root)); /* wrong: satp */
    set_satp(0);
}
NOINLINE static void case_walk(void) {
    u64 *root = new_root(), *last = map(root, kalloc()), *middle = (u64 *)(root[5] << 2 & -PAGE);
    middle[0] = 0;
    give(last);
    middle[0] = entry_of(last);
    set_satp(satp_of(root));
    fence();
    result = look((u64 *)(5 * GIGA)) & 0; /* faults, since kfree has filled it */
}
NOINLINE static void case_leak(void) {
    void *page = 0;
    for (volatile int i = 0; i < 3; i++)
        page = kalloc(); /* given: three */
    kfree(page);
    result = (u64)kalloc(); /* given: one */
}

/* The pages of take_many, by a profile of the test's own. */
NOINLINE static void case_many(void) {
    void *page;
    if (take_many(&page, 4) == 0) /* fails: nothing was taken */
        end();
    take_many(&page, 1);
    others[1][5] = 1;
    give_many(page, 1); /* given: many */
    others[2][5] = 1;   /* is not one of them */
    scrub(others[1]);
    others[1][6] = 1; /* wrong: many */
}

/* The disk, virtio-mmio version 2, queue 0: reads a sector into a page that was given back. */
static struct {
    struct {
        u64 address;
        unsigned length;
        unsigned short flags, next;
    } descriptors[8];
    struct {
        unsigned short flags, index, ring[8];
    } available;
    struct {
        volatile unsigned short flags, index;
        u64 ring[8];
    } used __attribute__((aligned(8)));
} queue __attribute__((aligned(4096)));
static void disk_set(u64 offset, u64 value) {
    *(volatile unsigned *)(0x10001000 + offset) = (unsigned)value;
}
static void disk_set_address(u64 offset, void *to) {
    disk_set(offset, (u64)to);
    disk_set(offset + 4, (u64)to >> 32);
}
static void disk_start(void) {
    disk_set(0x70, 3); /* ACKNOWLEDGE, DRIVER */
    disk_set(0x24, 1); /* VERSION_1 alone */
    disk_set(0x20, 1);
    disk_set(0x70, 11); /* FEATURES_OK */
    disk_set(0x30, 0);
    disk_set(0x38, 8);
    disk_set_address(0x80, &queue.descriptors);
    disk_set_address(0x90, &queue.available);
    disk_set_address(0xa0, &queue.used);
    disk_set(0x44, 1);
    disk_set(0x70, 15); /* DRIVER_OK */
}
NOINLINE static void case_disk(void) {
    static struct {
        unsigned type, reserved;
        u64 sector;
    } request;
    static u8 status;
    void *page = kalloc();
    disk_start();
    queue.descriptors[0].address = (u64)&request;
    queue.descriptors[0].length = sizeof(request);
    queue.descriptors[0].flags = 1; /* NEXT */
    queue.descriptors[0].next = 1;
    queue.descriptors[1].address = (u64)page;
    queue.descriptors[1].length = 512;
    queue.descriptors[1].flags = 3; /* NEXT, WRITE */
    queue.descriptors[1].next = 2;
    queue.descriptors[2].address = (u64)&status;
    queue.descriptors[2].length = 1;
    queue.descriptors[2].flags = 2;
    queue.available.index = 1;
    give(page);
    disk_set(0x50, 0);
    while (queue.used.index == 0)
        ;
}

/* Nothing wrong, with two harts and tables that come and go. */
NOINLINE static void case_good(void) {
    for (int i = 0; i < 20; i++) {
        u64 *root = new_root(), *page = kalloc(), *last = map(root, page);
        u64 *middle = (u64 *)(root[5] << 2 & -PAGE);
        set_satp(satp_of(root));
        fence();
        result = look((u64 *)(5 * GIGA));
        references[index_of(page)]++; /* two have it, and one gives it back */
        kfree(page);
        page[1] = 1;
        root[5] = 0;
        set_satp(0);
        fence();
        kfree(last);
        kfree(middle);
        kfree(page);
        kfree(root);
    }
}

/* ---- start ----------------------------------------------------------------------------------- */
static void *shared;
static int arrived;

/* Hart 1 uses what hart 0 gives back. */
NOINLINE static void case_other(void) {
    shared = kalloc();
    __atomic_store_n(&arrived, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) == 1)
        ;
    give(shared);
    __atomic_store_n(&arrived, 3, __ATOMIC_RELEASE);
    while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) == 3)
        ;
}

static void second(void) {
    if (CASE == case_good)
        for (;;)
            kfree(kalloc());
    if (CASE != case_other)
        return;
    while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) != 1)
        ;
    result = look(shared);
    __atomic_store_n(&arrived, 2, __ATOMIC_RELEASE);
    while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) != 3)
        ;
    result = look(shared);
    __atomic_store_n(&arrived, 4, __ATOMIC_RELEASE);
}

static void in_s_mode(void) {
    CASE();
    end();
}

__attribute__((used)) void start(u64 hart) {
    static void (*const unused[])(void) = {case_load,  case_store,  case_amo,    case_fetch,
                                           case_twice, case_handed, case_root,   case_many,
                                           case_kept,  case_satp,   case_walk,   case_leak,
                                           case_good,  case_other,  case_linked, case_disk};
    static int ready;
    (void)unused;
    if (hart == 1) {
        while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
            ;
        second();
        for (;;)
            __asm__ volatile("wfi");
    }
    for (u64 i = 0; i < PAGES; i++)
        kfree(memory[i]);
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    __asm__ volatile("csrw pmpaddr0, %0; csrw pmpcfg0, %1" : : "r"(-1ul >> 10), "r"(0x1f));
    __asm__ volatile("csrw mtvec, %0" : : "r"(end));
    __asm__ volatile("csrw mepc, %0" : : "r"(in_s_mode));
    __asm__ volatile("csrc mstatus, %0; csrs mstatus, %1; mret" : : "r"(0x1800), "r"(0x800));
}
