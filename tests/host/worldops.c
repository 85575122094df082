/* The operations of world.h: each does a thing to a space and to its model, and wants the
 * result that the model has. */
#include "worldmodel.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "mm/zeros.h"

#define COPY_MAX (3 * PAGE_SIZE)

uint64_t (*world_choose)(uint64_t n) = host_random_below;
static uint64_t next_word;

bool failure_is_due(uint64_t need, bool asked) {
    struct frame_stats st;
    frame_stats(&st);
    return asked || st.committed + need > st.total;
}

static struct page *granted(struct world *w, uint64_t va, uint64_t perm) {
    uint64_t i = va / PAGE_SIZE;
    return i < w->pages && w->page[i].kind != NONE_GRANTED && (w->page[i].perm & perm) == perm
               ? &w->page[i]
               : NULL;
}

static uint64_t *word_at(struct page *page, uint64_t va) {
    uint64_t off = va & (PAGE_SIZE - 1);
    return off == 0 ? words_of(page) : off == PAGE_SIZE - 8 ? words_of(page) + 1 : NULL;
}

void world_touch(struct env_proc *p, uint64_t va, enum walker_access access) {
    static const uint64_t perm[] = {
        [WALKER_LOAD] = PTE_R, [WALKER_STORE] = PTE_W, [WALKER_FETCH] = PTE_X};
    struct page *page = granted(world_of(p), va, perm[access]);
    uint64_t pa;
    bool ok = env_touch(p, va, access, &pa);
    MUST(ok == (page != NULL), "a touch of %#lx (%d) %s", (ul)va, access,
         ok ? "succeeds" : "fails");
    uint64_t *word = page ? word_at(page, va) : NULL;
    if (word && access == WALKER_STORE)
        *(uint64_t *)pa_ptr(PA(pa)) = *word = ++next_word;
    else if (word)
        MUST(*(uint64_t *)pa_ptr(PA(pa)) == *word, "%#lx reads wrong", (ul)va);
    env_kernel(p);
}

/* How many bytes of [va, va + n) come before the first page that lacks perm. */
static uint64_t accessible(struct world *w, uint64_t va, uint64_t n, uint64_t perm) {
    uint64_t done = 0;
    while (done < n && granted(w, va + done, perm))
        done += PAGE_SIZE - ((va + done) & (PAGE_SIZE - 1));
    return MIN(done, n);
}

/* What a copy gives of which so many bytes are accessible. */
static int copy_result(uint64_t va, uint64_t n, uint64_t good) {
    return (n ? good == n : va <= USER_MAX) ? 0 : -K_EFAULT;
}

void world_copyin(struct env_proc *p, uint64_t va, uint64_t n) {
    static char buffer[COPY_MAX];
    struct world *w = world_of(p);
    uint64_t good = accessible(w, va, n, PTE_R);
    env_kernel(p);
    int err = copyin(buffer, UA(va), n);
    MUST(err == copy_result(va, n, good), "copyin(%#lx, %lu) is %d", (ul)va, (ul)n, err);
    for (uint64_t at = ROUND_UP(va, 8); !err && at - va + 8 <= n; at += 8) { /* it may wrap */
        uint64_t got, *word = word_at(granted(w, at, 0), at);
        memcpy(&got, buffer + (at - va), 8);
        MUST(!word || got == *word, "copyin of %#lx reads %#lx", (ul)at, (ul)got);
    }
}

void world_copyout(struct env_proc *p, uint64_t va, uint64_t n) {
    static char buffer[COPY_MAX];
    struct world *w = world_of(p);
    uint64_t good = accessible(w, va, n, PTE_W);
    memset(buffer, 0, sizeof buffer);
    for (uint64_t at = ROUND_UP(va, 8); at - va + 8 <= n; at += 8) { /* likewise */
        uint64_t word = ++next_word;
        memcpy(buffer + (at - va), &word, 8);
        if (good > 0 && at + 8 <= va + good && word_at(granted(w, at, 0), at))
            *word_at(granted(w, at, 0), at) = word;
    }
    env_kernel(p);
    int err = copyout(UA(va), buffer, n);
    MUST(err == copy_result(va, n, good), "copyout(%#lx, %lu) is %d", (ul)va, (ul)n, err);
}

void model_grant(struct world *w, uint64_t start, uint64_t end, struct page like) {
    for (uint64_t i = start / PAGE_SIZE; i < end / PAGE_SIZE; i++, like.index++)
        w->page[i] = like;
    w->pages = MAX(w->pages, end / PAGE_SIZE);
}

void model_remove(struct world *w, uint64_t start, uint64_t end) {
    for (uint64_t i = start / PAGE_SIZE; i < MIN(end / PAGE_SIZE, w->pages); i++)
        w->page[i] = (struct page){0};
    while (w->pages && w->page[w->pages - 1].kind == NONE_GRANTED)
        w->pages--;
}

static struct page memory(struct object *zeros, uint64_t perm) {
    return (struct page){.kind = OF_ZEROS,
                         .zeros = zeros,
                         .perm = (uint8_t)perm,
                         .limit = PTE_RWX,
                         .owns = perm & PTE_W};
}

static uint64_t low_bytes(uint64_t word, uint64_t n) {
    return n < 8 ? word & ((1ULL << 8 * n) - 1) : word;
}

static void model_shrink(struct world *w, uint64_t brk) {
    struct page *page = granted(w, brk, PTE_W);
    uint64_t used = brk & (PAGE_SIZE - 1);
    if (used && page && page->kind != OF_SHARED) {
        page->word[0] = low_bytes(page->word[0], used);
        page->word[1] = low_bytes(page->word[1], used > PAGE_SIZE - 8 ? used - (PAGE_SIZE - 8) : 0);
    }
    uint64_t keep = granted(w, brk, 0) ? ROUND_UP(brk, PAGE_SIZE) : ROUND_DOWN(brk, PAGE_SIZE);
    if (keep < w->heap_end) {
        model_remove(w, keep, w->heap_end);
        w->heap_end = keep;
    }
}

int world_sbrk(struct env_proc *p, int64_t delta) {
    struct world *w = world_of(p);
    uint64_t old, brk = w->brk + (uint64_t)delta;
    bool possible = delta < 0 ? -(uint64_t)delta <= w->brk : (uint64_t)delta <= USER_MAX - w->brk;
    uint64_t end = possible ? MAX(ROUND_UP(brk, PAGE_SIZE), w->heap_end) : 0;
    bool blocked = possible && delta > 0 && any_granted(w, w->heap_end, end);
    bool asked = frame_fail_countdown > 0;
    env_kernel(p);
    int err = aspace_sbrk(p->as, delta, &old);
    MUST(old == w->brk, "sbrk says that the break was %#lx", (ul)old);
    if (err) {
        uint64_t need = delta > 0 ? (uint64_t)delta / PAGE_SIZE * 66 / 64 + 8 : 0;
        MUST(blocked ? err == -K_EEXIST
                     : err == -K_ENOMEM && (!possible || failure_is_due(need, asked)),
             "sbrk(%ld) is %d", (long)delta, err);
        return err;
    }
    MUST(possible && !blocked, "sbrk(%ld) succeeds", (long)delta);
    if (delta < 0)
        model_shrink(w, brk);
    else if (delta > 0 && end > w->heap_end) {
        model_grant(w, w->heap_end, end, memory(&zeros_heap, PTE_R | PTE_W));
        w->heap_end = end;
    }
    w->brk = brk;
    return 0;
}

int world_fork(struct env_proc *p, struct env_proc **child) {
    bool asked = frame_fail_countdown > 0;
    env_kernel(p);
    int err = env_fork(p, child);
    if (err == -K_ENOMEM)
        MUST(failure_is_due(world_commitment(world_of(p)) + p->as->mappings.count / 16 + 3, asked),
             "fork is %d", err);
    if (!err)
        *world_of(*child) = *world_of(p);
    return err;
}

static void model_exec(struct world *w, unsigned program) {
    const struct env_program *from = &env_programs[program];
    uint16_t file_page = 0;
    uint64_t end = 0;
    w->program = program;
    w->pages = 0;
    memset(w->page, 0, sizeof w->page);
    for (uint32_t i = 0; i < from->segments; i++) {
        uint64_t start = from->segment[i].start, perm = from->segment[i].perm;
        for (uint64_t j = 0; j < from->segment[i].pages; j++) {
            uint64_t file = from->segment[i].file_pages;
            bool copied = j < file && j >= file - from->segment[i].copied;
            struct page page = memory(copied ? &zeros_filled : &zeros_bss, perm);
            page.owns |= copied;
            if (j < file) {
                page.word[0] = page.word[1] = env_program_word(program, file_page);
                page.kind = copied ? OF_ZEROS : OF_FILE;
                page.index = file_page++;
            }
            end = start + (j + 1) * PAGE_SIZE;
            model_grant(w, end - PAGE_SIZE, end, page);
        }
    }
    struct page stack = memory(&zeros_stack, PTE_R | PTE_W);
    stack.word[0] = stack.word[1] = ENV_STACK_WORD;
    model_grant(w, end + PAGE_SIZE, end + 2 * PAGE_SIZE, stack);
    w->brk = w->heap_end = ROUND_UP(end + 2 * PAGE_SIZE, LARGE_SIZE);
    if (w->brk > end + 2 * PAGE_SIZE)
        model_grant(w, w->brk - PAGE_SIZE, w->brk, memory(&zeros_heap, PTE_R | PTE_W));
}

int world_exec(struct env_proc *p, unsigned program, uint64_t version) {
    bool asked = frame_fail_countdown > 0;
    env_kernel(p);
    int err = env_exec(p, program, version);
    if (err)
        MUST(err == -K_ENOMEM && failure_is_due(1000, asked), "exec is %d", err);
    else
        model_exec(world_of(p), program);
    return err;
}

void world_exit(struct env_proc *p) { env_exit(p); }

/* ---- random use ------------------------------------------------------------------- */

static uint64_t choose(uint64_t n) { return world_choose(n); }

static uint64_t some_va(struct env_proc *p) {
    const uint64_t wild[] = {TRAPFRAME,
                             TRAMPOLINE,
                             KSTACK(0),
                             KSTACK(0) + PAGE_SIZE,
                             USER_MAX,
                             USER_MAX - PAGE_SIZE,
                             USER_HALF_END,
                             KERNEL_HALF,
                             KERNEL_HALF + GIB(2),
                             UINT64_MAX - PAGE_SIZE + 1,
                             GIB(1)};
    uint64_t brk = world_of(p)->brk, pages = brk / PAGE_SIZE;
    switch (choose(16)) {
    case 0: return wild[choose(ARRAY_LEN(wild))];
    case 1: return ROUND_DOWN(brk, PAGE_SIZE);
    case 2: return ROUND_UP(brk, PAGE_SIZE);
    case 3: return choose(pages + 2) / 512 * LARGE_SIZE; /* where large leaves begin */
    case 4: return choose(8) * PAGE_SIZE;
    case 5 ... 6: return ENV_MAPS_START + choose(ENV_MAPS / PAGE_SIZE) * PAGE_SIZE;
    case 7 ... 10: return ENV_MAPS_START + choose(16) * PAGE_SIZE;
    default: return choose(pages + 2) * PAGE_SIZE;
    }
}

static uint64_t an_end_of_page(uint64_t page) { return page + (choose(2) ? PAGE_SIZE - 8 : 0); }

static void some_sbrk(struct env_proc *p) {
    const int64_t wild[] = {INT64_MIN, INT64_MAX, INT32_MIN, (int64_t)USER_MAX};
    uint64_t brk = world_of(p)->brk;
    int64_t delta;
    switch (choose(8)) {
    case 0: delta = wild[choose(ARRAY_LEN(wild))]; break;
    case 1: delta = (int64_t)choose(512) * 8; break;
    case 2: delta = -(int64_t)(choose(512) * 8); break;
    case 3: delta = (int64_t)(choose(10) * PAGE_SIZE); break;
    case 4: delta = -(int64_t)(choose(10) * PAGE_SIZE); break;
    case 5: delta = (int64_t)(ROUND_UP(brk, LARGE_SIZE) - brk + choose(3) * LARGE_SIZE); break;
    case 6: delta = (int64_t)(choose(700) * PAGE_SIZE); break;
    default: delta = -(int64_t)ROUND_DOWN(choose(brk + 1), 8); break;
    }
    bool small = delta <= 0 || (uint64_t)delta > MIB(64) || brk + (uint64_t)delta < MIB(12);
    if (small)
        (void)!world_sbrk(p, delta);
}

static void some_fork(struct env_proc *p) {
    struct env_proc *child;
    if (!world_fork(p, &child) && choose(2))
        env_run(child, choose(ENV_HARTS));
}

static void some_exit(struct env_proc *p) {
    unsigned others = 0;
    for (const struct env_proc *q = env_procs; q < env_procs + ENV_PROCS; q++)
        others += q->used && q != p;
    if (others)
        world_exit(p);
}

static struct env_proc *some_process(void) {
    for (uint64_t i = choose(ENV_PROCS);; i = (i + 1) % ENV_PROCS)
        if (env_procs[i].used)
            return &env_procs[i];
}

static enum walker_access some_access(void) { return 1 + choose(3); }

/* The process goes on where it was, or moves, or has a thread more on another hart. */
static void go_on(struct env_proc *p) {
    uint32_t hart = choose(ENV_HARTS);
    switch (p->hart >= 0 ? choose(8) : 0) {
    case 0: env_run(p, hart); break;
    case 1 ... 3: env_join(p, hart); break;
    default: env_join(p, p->hart); break;
    }
}

/* Its other threads are in user mode or in the kernel, while this one does something. */
static void others_go_on(struct env_proc *p) {
    struct hart *self = hart_self();
    for (uint32_t hart = 0; hart < ENV_HARTS; hart++) {
        if (hart == self->index || !env_runs(p, hart))
            continue;
        host_hart_be(hart);
        if (choose(2))
            env_user(p);
        else
            env_kernel(p);
    }
    host_hart = self;
}

void world_step(void) {
    struct env_proc *p = some_process();
    go_on(p);
    others_go_on(p);
    env_user(p);
    tlbmodel_speculate(12);
    env_kernel(p);
    if (choose(8) == 0)
        frame_fail_countdown = 1 + choose(3);
    switch (choose(28)) {
    case 0 ... 5: world_touch(p, an_end_of_page(some_va(p)), some_access()); break;
    case 6 ... 7: world_copyin(p, some_va(p) + choose(3) * 2040, choose(COPY_MAX / 8) * 8); break;
    case 8 ... 10: world_copyout(p, some_va(p) + choose(3) * 2040, choose(COPY_MAX / 8) * 8); break;
    case 11 ... 14: some_sbrk(p); break;
    case 15: some_fork(p); break;
    case 16: (void)!world_exec(p, choose(ENV_PROGRAMS), choose(2)); break;
    case 17: some_exit(p); break;
    case 20 ... 27: some_mapping(p); break;
    case 18: reclaim_frames(choose(20)); break;
    default: tlbmodel_speculate(50); break;
    }
    frame_fail_countdown = 0;
    if (p->used && p->hart >= 0) {
        env_join(p, p->hart);
        env_user(p);
        world_check_process(p);
        env_kernel(p);
    }
    const char *stale = tlbmodel_stale();
    MUST(!stale, "%s", stale);
}
