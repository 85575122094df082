/* The machine of aspaceenv.h. The sources of frame and tlb are part of this file,
 * so that a fresh machine can be made and freed frames looked at. */
#include "mm/frame.h"
#include "mm/frame_pool.h"
/* Every frame that falls free is looked at first. */
#define frame_release frame_release_unchecked
#define pool_give_large pool_give_large_unchecked
#define frame_take frame_take_at_once
#define frame_put_zeroed frame_put_zeroed_unchecked
paddr_t frame_take(void);
void frame_put_zeroed(paddr_t pa);
void frame_release(struct frame *f, paddr_t pa);
void pool_give_large(paddr_t pa);
#include "mm/frame_cache.c"
#include "mm/frame_pool.c"
#undef frame_release
#undef pool_give_large
#undef frame_take
#undef frame_put_zeroed
#include "mm/frame.c"
#include "mm/frame_account.c"
#include "mm/frame_boot.c"
#include "mm/reclaim.c"
#include "mm/mapping.c"
/* What a fault makes ready is in hand for a while. */
#define ready_make ready_make_unseen
#include "mm/ready.c"
#undef ready_make
#include "mm/tlb.c"
#include "mm/zeros.c"

#include "aspaceenv.h"
#include "aspaceprograms.h"
#include "arch/usermem.h"
#include "freshframes.h"
#include "hostarch.h"
#include "mm/design.h"
#include "mm/commit.h"
#include "mm/kmap.h"
#include "mm/kstack.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct env_proc env_procs[ENV_PROCS];
static struct env_proc *running[ENV_HARTS];

void env_fail(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    abort();
}

/* ---- frames --------------------------------------------------------------- */

paddr_t env_frame_of_zeros(void) { return frame_of_zeros; }

uint32_t env_refs(uint64_t pa) {
    const struct frame *head = frame_record(PA(ROUND_DOWN(pa, LARGE_SIZE)));
    if (head->order == FRAME_LARGE_ORDER && !head->in_pool && head->refs)
        return head->refs;
    return frame_record(PA(ROUND_DOWN(pa, PAGE_SIZE)))->refs;
}

void (*env_meanwhile)(void);

paddr_t frame_take(void) {
    void (*others)(void) = env_meanwhile;
    struct hart *self = hart_self();
    env_meanwhile = NULL;
    if (others)
        others();
    host_hart = self;
    return frame_take_at_once();
}

void (*env_when_ready)(void);

void ready_make(struct ready *r) {
    void (*others)(void) = env_when_ready;
    struct hart *self = hart_self();
    env_when_ready = NULL;
    ready_make_unseen(r);
    if (others)
        others();
    host_hart = self;
}

void (*env_at_release)(uint64_t pa, uint64_t size);

static void look_at(paddr_t pa, uint64_t size) {
    tlbmodel_speculate(1);
    if (env_at_release)
        env_at_release(pa.v, size);
    if (tlbmodel_reaches(pa.v, size))
        env_fail("frame %#lx is given back while a hart can reach it", (unsigned long)pa.v);
}

void frame_release(struct frame *f, paddr_t pa) {
    look_at(pa, PAGE_SIZE);
    frame_release_unchecked(f, pa);
}

void frame_put_zeroed(paddr_t pa) {
    look_at(pa, PAGE_SIZE);
    frame_put_zeroed_unchecked(pa);
}

void pool_give_large(paddr_t pa) {
    look_at(pa, LARGE_SIZE);
    pool_give_large_unchecked(pa);
}

/* ---- the kernel's half: a stand-in for mm/kmap ------------------------------ */

struct pt kernel_pt;
uint64_t kernel_satp;
static bool booting;
static paddr_t trampoline_frame, stacks[ENV_PROCS][KSTACK_SIZE / PAGE_SIZE];

static bool tables[GIB(1) / PAGE_SIZE]; /* by frame of RAM: is it a page table? */

static bool *table_flag(uint64_t pa) {
    uint64_t frame = (pa - HOST_RAM_START) / PAGE_SIZE;
    return frame < ARRAY_LEN(tables) ? &tables[frame] : NULL;
}

static bool is_table(uint64_t pa) {
    const bool *flag = table_flag(pa);
    return flag && *flag;
}

static int table_take(paddr_t *table) {
    *table = booting ? ptr_pa(frame_boot_alloc(PAGE_SIZE, PAGE_SIZE)) : frame_take_zeroed();
    *table_flag(table->v) = true;
    return 0;
}

static void table_give(paddr_t table, bool zeroed) {
    *table_flag(table.v) = false;
    if (zeroed)
        frame_put_zeroed(table);
    else
        frame_put(frame_single(table));
}

const struct pt_memory pt_frames = {table_take, table_give};

void kmap_share_half(struct pt *pt) {
    const pte_t *from = pa_ptr(kernel_pt.root);
    pte_t *to = pa_ptr(pt->root);
    for (unsigned i = PT_ENTRIES / 2; i < PT_ENTRIES; i++)
        to[i] = from[i];
}

int kmap_trampoline(struct pt *pt) {
    return pt_map(pt, VA(TRAMPOLINE), trampoline_frame, PAGE_SIZE, PTE_R | PTE_X | PTE_G, 0);
}

int kstack_map(struct pt *pt, uint32_t slot) {
    int err = 0;
    for (unsigned i = 0; !err && i < ARRAY_LEN(stacks[slot]); i++)
        err = pt_map(pt, VA(KSTACK(slot) + i * PAGE_SIZE), stacks[slot][i], PAGE_SIZE,
                     PTE_R | PTE_W, 0);
    return err;
}

void kstack_unmap(struct pt *pt, uint32_t slot) {
    pt_take_leaves(pt, VA(KSTACK(slot)), VA(KSTACK_TOP(slot)), NULL, NULL);
}

static void make_kernel_half(void) {
    booting = true;
    trampoline_frame = ptr_pa(frame_boot_alloc(PAGE_SIZE, PAGE_SIZE));
    for (unsigned slot = 0; slot < ENV_PROCS; slot++)
        for (unsigned i = 0; i < ARRAY_LEN(stacks[slot]); i++)
            stacks[slot][i] = ptr_pa(frame_boot_alloc(PAGE_SIZE, PAGE_SIZE));
    env_must(!pt_init(&kernel_pt, paging.levels, &pt_frames), "the kernel's table");
    env_must(!pt_map(&kernel_pt, VA(KERNEL_HALF + GIB(2)), PA(GIB(2)), GIB(1) + MIB(4),
                     PTE_R | PTE_W | PTE_G, paging.levels - 1),
             "RAM");
    env_must(!kmap_trampoline(&kernel_pt), "the trampoline");
    for (unsigned slot = 0; slot < ENV_PROCS; slot++)
        env_must(!kstack_map(&kernel_pt, slot), "a stack");
    kernel_satp = pt_satp(&kernel_pt, 0);
    booting = false;
}

/* Addresses that somebody uses or has used. */
static uint64_t some_address(void) {
    const struct env_proc *p = &env_procs[host_random_below(ENV_PROCS)];
    uint64_t room = p->used ? p->as->brk + 4 * PAGE_SIZE : MIB(8);
    switch (host_random_below(16)) {
    case 0: return TRAMPOLINE;
    case 1: return TRAPFRAME;
    case 2: return KSTACK(host_random_below(ENV_PROCS)) + PAGE_SIZE;
    case 3: return KERNEL_HALF + GIB(2);
    case 4 ... 6: return ENV_MAPS_START + ROUND_DOWN(host_random_below(ENV_MAPS), PAGE_SIZE);
    default: return ROUND_DOWN(host_random_below(room), PAGE_SIZE);
    }
}

void (*env_at_boot)(void);

void env_fresh(uint64_t mib, unsigned asid_width) {
    if (host_ram_base)
        reclaim_frames(UINT64_MAX);
    records = (struct slab)SLAB_INIT(records, sizeof(struct mapping));
    forget_frames();
    env_forget_programs();
    memset(env_procs, 0, sizeof env_procs);
    memset(running, 0, sizeof running);
    memset(tables, 0, sizeof tables);
    asid_bits = 16;
    host_ram_map(MIB(mib));
    frame_add_range(PA(HOST_RAM_START), PA(HOST_RAM_START + MIB(mib)));
    tlbmodel_interest = NULL;
    tlbmodel_is_table = is_table;
    tlbmodel_reset(asid_width);
    make_kernel_half();
    if (env_at_boot)
        env_at_boot();
    frame_init();
    zeros_boot_init();
    env_must(!commit_spares(ENV_HARTS), "the spare frames");
    for (uint32_t i = ENV_HARTS; i-- > 0;) {
        host_hart_be(i);
        csr_write(satp, kernel_satp);
        tlb_init_hart(16);
    }
    tlbmodel_interest = some_address;
}

/* ---- processes ---------------------------------------------------------------- */

static int some_hart_of(const struct env_proc *p) {
    for (int hart = 0; hart < ENV_HARTS; hart++)
        if (running[hart] == p)
            return hart;
    return -1;
}

/* Who ran there runs there no more. */
static void take_from(uint32_t hart) {
    struct env_proc *p = running[hart];
    running[hart] = NULL;
    if (p->hart == (int)hart)
        p->hart = some_hart_of(p);
}

static void idle(uint32_t hart) {
    struct env_proc *p = running[hart];
    if (!p)
        return;
    struct hart *before = hart_self();
    host_hart_be(hart);
    env_kernel(p);
    tlbmodel_swtch(kernel_satp);
    tlb_leave(&p->as->tlb);
    take_from(hart);
    host_hart = before;
}

bool env_runs(const struct env_proc *p, uint32_t hart) { return running[hart] == p; }

void env_end_threads(struct env_proc *p, uint32_t hart) {
    for (uint32_t i = 0; i < ENV_HARTS; i++)
        if (i != hart && running[i] == p)
            idle(i);
}

void env_join(struct env_proc *p, uint32_t hart) {
    struct env_proc *before = running[hart];
    host_hart_be(hart);
    p->hart = hart;
    if (before == p)
        return;
    if (before) {
        env_kernel(before);
        take_from(hart);
    }
    running[hart] = p;
    hart_self()->space = p->as;
    tlb_activate(&p->as->tlb);
    tlbmodel_speculate(2);
    tlbmodel_swtch(p->as->kernel_satp);
    if (before)
        tlb_leave(&before->as->tlb);
}

void env_run(struct env_proc *p, uint32_t hart) {
    env_end_threads(p, hart);
    env_join(p, hart);
}

void env_user(struct env_proc *p) { tlbmodel_trampoline_out(p->as->user_satp); }
void env_kernel(struct env_proc *p) { tlbmodel_trampoline_in(p->as->kernel_satp); }

unsigned env_design;

int env_create_space(struct env_proc *p, struct aspace *as) {
    return aspace_create(as, design_at(env_design), 2 * p->slot + (as - p->spaces), p->slot,
                         p->trapframe);
}

int env_create(struct env_proc **out) {
    for (uint32_t slot = 0; slot < ENV_PROCS; slot++) {
        struct env_proc *p = &env_procs[slot];
        if (p->used)
            continue;
        *p = (struct env_proc){.used = true, .slot = slot, .hart = -1, .as = &p->spaces[0]};
        aspace_init(&p->spaces[0]);
        aspace_init(&p->spaces[1]);
        int err = frame_alloc(&p->trapframe);
        if (!err && (err = env_create_space(p, p->as)))
            frame_free(p->trapframe);
        p->used = !err;
        *out = p;
        return err;
    }
    return -K_EAGAIN;
}

void env_replace_space(struct env_proc *p) {
    struct aspace *old = p->as, *as = &p->spaces[old == &p->spaces[0]];
    if (p->hart >= 0)
        env_end_threads(p, p->hart);
    p->as = as;
    if (p->hart >= 0) {
        harts[p->hart].space = as;
        tlb_activate(&as->tlb);
        tlb_load(as->kernel_satp);
        tlb_leave(&old->tlb);
    }
    aspace_destroy(old);
}

void env_exit(struct env_proc *p) {
    env_end_threads(p, ENV_HARTS);
    aspace_destroy(p->as);
    frame_free(p->trapframe);
    p->used = false;
}

int env_fork(struct env_proc *parent, struct env_proc **child) {
    int err = env_create(child);
    if (!err && (err = aspace_clone((*child)->as, parent->as)))
        env_exit(*child);
    return err;
}

/* ---- touches ------------------------------------------------------------------ */

static uint64_t bit_of(enum walker_access access) {
    return access == WALKER_LOAD ? PTE_R : access == WALKER_STORE ? PTE_W : PTE_X;
}

bool (*env_trusts_kept)(void);
unsigned env_repairs = 1;

/* One access under the satp that is loaded. False: it may fault. */
static bool try_access(uint64_t va, enum walker_access access, enum walker_mode mode,
                       uint64_t *pa) {
    struct tlbmodel_access a = tlbmodel_access(va, access, mode);
    if (a.ambiguous)
        env_fail("an access to %#lx may reach two frames", (unsigned long)va);
    *pa = a.pa;
    return !a.may_fault || (a.may_succeed && env_trusts_kept && env_trusts_kept());
}

bool env_touch(struct env_proc *p, uint64_t va, enum walker_access access, uint64_t *pa) {
    for (unsigned repairs = 0;; repairs++) {
        env_user(p);
        tlbmodel_speculate(2);
        if (try_access(va, access, WALKER_USER, pa))
            return true;
        if (repairs == env_repairs)
            env_fail("a repaired touch of %#lx may fault again, for ever", (unsigned long)va);
        env_kernel(p);
        tlbmodel_speculate(2);
        if (aspace_fault(p->as, va, bit_of(access)))
            return false;
    }
}

/* The copy routines: the kernel's accesses through the table that it runs on. */
static bool copy_access(uint64_t va, bool store, enum walker_mode mode, uint64_t *pa) {
    enum walker_access access = store ? WALKER_STORE : WALKER_LOAD;
    for (unsigned repairs = 0; !try_access(va, access, mode, pa); repairs++) {
        tlbmodel_speculate(2);
        if (va >= USER_HALF_END)
            env_fail("a copy leaves the user's half at %#lx", (unsigned long)va);
        if (repairs == env_repairs)
            env_fail("a repaired copy at %#lx may fault again, for ever", (unsigned long)va);
        if (aspace_fault(aspace_self(), va, bit_of(access)))
            return false;
        tlbmodel_speculate(2);
    }
    return true;
}

/* Or else of the host, which has up to 47 bits for them, and nothing as low as tests use. */
static bool is_user(const void *p) {
    return (uint64_t)p < 1ULL << 38 || ((uint64_t)p >= 1ULL << 47 && (uint64_t)p < USER_HALF_END);
}

static int copy(void *dst, const void *src, size_t n, enum walker_mode mode) {
    bool store = is_user(dst);
    uint64_t user = store ? (uint64_t)dst : (uint64_t)src, pa;
    for (size_t done = 0, m; done < n; done += m) {
        m = MIN(n - done, PAGE_SIZE - ((user + done) & (PAGE_SIZE - 1)));
        if (!copy_access(user + done, store, mode, &pa))
            return -K_EFAULT;
        if (store)
            memcpy(pa_ptr(PA(pa)), (const char *)src + done, m);
        else
            memcpy((char *)dst + done, pa_ptr(PA(pa)), m);
    }
    return 0;
}

static int copy_string(char *dst, const char *src, size_t size, enum walker_mode mode) {
    uint64_t pa;
    for (size_t i = 0; i < size; i++) {
        if (!copy_access((uint64_t)src + i, false, mode, &pa))
            return -K_EFAULT;
        if (!(dst[i] = *(const char *)pa_ptr(PA(pa))))
            return 0;
    }
    return -K_ENAMETOOLONG;
}

enum walker_mode env_copy_mode = WALKER_SUPERVISOR;

void sum_set(void) {
    env_must(env_copy_mode == WALKER_SUPERVISOR, "SUM is set where it is set already");
    env_copy_mode = WALKER_SUPERVISOR_SUM;
}

void sum_clear(void) {
    env_must(env_copy_mode == WALKER_SUPERVISOR_SUM, "SUM is cleared where it is not set");
    env_copy_mode = WALKER_SUPERVISOR;
}

int ucopy(void *dst, const void *src, size_t n) { return copy(dst, src, n, env_copy_mode); }
int ucopystr(char *dst, const char *src, size_t size) {
    return copy_string(dst, src, size, env_copy_mode);
}
