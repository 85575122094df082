/* The model of world.h. */
#include "world.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/design.h"
#include "mm/kmap.h"
#include "mm/uaccess.h"
#include <string.h>

#define PAGES (MIB(32) / PAGE_SIZE)
#define WORDS (PAGE_SIZE / 8)
#define COPY_MAX (3 * PAGE_SIZE)

enum kind { NONE_GRANTED, OF_IMAGE, OF_ZEROS };

struct page {
    uint8_t kind, perm;
    uint16_t image_page;
    uint64_t first, last; /* the words at its ends */
};

static struct world {
    unsigned program;
    uint64_t brk;
    uint64_t pages; /* none is granted from here on */
    struct page page[PAGES];
} worlds[ENV_PROCS];

uint64_t (*world_choose)(uint64_t n) = host_random_below;
static struct frame_stats at_start;
static uint64_t next_word;

static struct world *world_of(const struct env_proc *p) { return &worlds[p - env_procs]; }

static bool is_design(const char *name) { return strcmp(design.name, name) == 0; }

#define MUST(cond, fmt, ...) \
    do { \
        if (!(cond)) \
            env_fail("%s: " fmt " (%s)", design.name, ##__VA_ARGS__, #cond); \
    } while (0)

typedef unsigned long ul;

/* ---- the account of one space --------------------------------------------------- */

static uint64_t expected_commitment(const struct world *w) {
    uint64_t pages = 0, tables = 0, last_large = UINT64_MAX, last_giga = UINT64_MAX;
    for (uint64_t i = 0; i < w->pages; i++) {
        const struct page *page = &w->page[i];
        if (page->kind == NONE_GRANTED)
            continue;
        pages += page->kind == OF_ZEROS || (page->perm & PTE_W);
        tables += (i / 512 != last_large) + (i / 512 / 512 != last_giga);
        last_large = i / 512;
        last_giga = i / 512 / 512;
    }
    if (is_design("mirror"))
        return pages + 2 * tables + 6;
    return pages + tables + (is_design("share") ? 6 : 3);
}

/* ---- the views ------------------------------------------------------------------- */

#define ARENA_FRAMES (MIB(64) / PAGE_SIZE)
static uint32_t references[ARENA_FRAMES]; /* by all leaves of users, and images */

static uint32_t *references_to(uint64_t pa) {
    MUST(pa >= HOST_RAM_START && pa < HOST_RAM_START + MIB(64), "a leaf to %#lx", (ul)pa);
    return &references[(pa - HOST_RAM_START) / PAGE_SIZE];
}

struct look {
    const struct env_proc *p;
    const struct world *w;
    bool count;       /* into references */
    uint64_t present, others;
    uint64_t user_root;
};

/* What is not the process's memory: the stack, the trampoline, the trapframe. */
static void look_at_top(struct look *l, uint64_t va, uint64_t e, bool user_table) {
    uint64_t flags = e & PTE_FLAGS & ~PTE_D;
    uint64_t stack = KSTACK(l->p->slot);
    l->others++;
    if (va == TRAMPOLINE)
        MUST(flags == (PTE_V | PTE_R | PTE_X | PTE_G | PTE_A), "the trampoline is %#lx", (ul)e);
    else if (va == TRAPFRAME)
        MUST(user_table && flags == (PTE_V | PTE_R | PTE_W | PTE_A) &&
                 pte_pa(e).v == l->p->trapframe.v,
             "the trapframe is %#lx", (ul)e);
    else
        MUST((va == stack || va == stack + PAGE_SIZE) && (!user_table || is_design("unify")) &&
                 flags == (PTE_V | PTE_R | PTE_W | PTE_A),
             "%#lx is mapped by %#lx", (ul)va, (ul)e);
}

static void look_at_page(struct look *l, uint64_t va, uint64_t pa, uint64_t e) {
    MUST(va / PAGE_SIZE < l->w->pages, "%#lx is mapped above the break", (ul)va);
    const struct page *page = &l->w->page[va / PAGE_SIZE];
    MUST(page->kind != NONE_GRANTED, "%#lx is mapped and not granted", (ul)va);
    MUST((e & PTE_RWX & ~(uint64_t)page->perm) == 0, "%#lx has %#lx, granted is %#x", (ul)va,
         (ul)e, page->perm);
    MUST(env_refs(pa) >= 1, "%#lx maps the free frame %#lx", (ul)va, (ul)pa);
    MUST(!(e & PTE_W) || env_refs(pa) == 1, "%#lx can be written and is shared", (ul)va);
    const uint64_t *word = pa_ptr(PA(pa));
    MUST(word[0] == page->first && word[WORDS - 1] == page->last,
         "process %u, %#lx: reads %#lx %#lx instead of %#lx %#lx", l->p->slot, (ul)va,
         (ul)word[0], (ul)word[WORDS - 1], (ul)page->first, (ul)page->last);
    if (l->count)
        ++*references_to(pa);
}

static void look_at_user(void *ctx, uint64_t va, uint64_t e, unsigned level) {
    struct look *l = ctx;
    if (va >= USER_MAX) {
        look_at_top(l, va, e, true);
        return;
    }
    MUST((e & PTE_U) && (e & PTE_R) && (e & PTE_A) && !(e & PTE_G), "%#lx has %#lx", (ul)va,
         (ul)e);
    MUST(!(e & PTE_W) || (e & PTE_D), "%#lx has W without D", (ul)va);
    for (uint64_t off = 0; off < level_size(level); off += PAGE_SIZE)
        look_at_page(l, va + off, pte_pa(e).v + off, e);
    l->present += level_size(level) / PAGE_SIZE;
}

/* The entry where the user's tree ends for va. */
static uint64_t user_entry(uint64_t root, uint64_t va, unsigned *level) {
    uint64_t e = ((uint64_t *)pa_ptr(PA(root)))[va >> 30 & 511];
    for (*level = 2; *level > 0 && (e & 15) == 1; e = ((uint64_t *)pa_ptr(pte_pa(e)))
                                                      [va >> (12 + 9 * *level) & 511])
        --*level;
    return e;
}

static void look_at_mirror(void *ctx, uint64_t va, uint64_t e, unsigned level) {
    struct look *l = ctx;
    if (va >= USER_MAX) {
        look_at_top(l, va, e, false);
        return;
    }
    unsigned user_level;
    uint64_t user = user_entry(l->user_root, va, &user_level);
    MUST(user_level == level && e == (user & ~(PTE_U | PTE_X)),
         "%#lx is %#lx in the mirror and %#lx for the user", (ul)va, (ul)e, (ul)user);
    l->present += level_size(level) / PAGE_SIZE;
}

static void look_at_kernel_top(void *ctx, uint64_t va, uint64_t e, unsigned level) {
    look_at_top(ctx, va, e, false);
}

static uint64_t root_of(uint64_t satp) { return satp << 20 >> 8; }

static void check_kernel_half(uint64_t root) {
    const uint64_t *entry = pa_ptr(PA(root)), *kernel = pa_ptr(kernel_pt.root);
    for (unsigned i = 256; i < 512; i++)
        MUST(entry[i] == kernel[i], "root entry %u is not the kernel's", i);
}

static void check_tree(const struct pt *pt, struct walker_survey s, const char *which) {
    MUST(!s.fault, "%s view: %s", which, s.fault);
    MUST(s.empty == 0, "%s view: %lu empty tables", which, (ul)s.empty);
    MUST(s.tables == pt->tables, "%s view: %lu tables, %u counted", which, (ul)s.tables,
         pt->tables);
}

static void check_kernel_view(const struct env_proc *p, struct look *user) {
    const struct aspace *as = p->as;
    struct look l = {.p = p, .w = user->w, .user_root = as->user.root.v};
    uint64_t root = root_of(as->kernel_satp);
    check_kernel_half(root);
    if (is_design("walk")) {
        MUST(as->kernel_satp == kernel_satp && !as->kernel.root.v, "its own kernel table");
    } else if (is_design("unify")) {
        MUST(root == as->user.root.v && !as->kernel.root.v, "two roots");
        MUST(user->others == 4, "%lu leaves above USER_MAX", (ul)user->others);
    } else if (is_design("mirror")) {
        check_tree(&as->kernel, walker_survey(root, 0, 256, look_at_mirror, &l), "kernel's");
        MUST(l.present == user->present, "the mirror has %lu pages of %lu", (ul)l.present,
             (ul)user->present);
        MUST(l.others == 3, "%lu leaves above USER_MAX", (ul)l.others);
    } else {
        MUST(!memcmp(pa_ptr(PA(root)), pa_ptr(as->user.root), 255 * 8), "the roots differ");
        check_tree(&as->kernel, walker_survey(root, 255, 256, look_at_kernel_top, &l), "kernel's");
        MUST(l.others == 3 && as->kernel.root.v == root, "%lu leaves above USER_MAX", (ul)l.others);
    }
}

/* Pages that are not there would be filled with what the model says. */
static void check_absent(const struct env_proc *p, const struct world *w) {
    for (uint64_t i = 0; i < w->pages; i++) {
        const struct page *page = &w->page[i];
        unsigned level;
        if (page->kind == NONE_GRANTED)
            continue;
        if (pte_valid(user_entry(p->as->user.root.v, i * PAGE_SIZE, &level)))
            continue;
        uint64_t word = page->kind == OF_IMAGE ? env_program_word(w->program, page->image_page) : 0;
        MUST(page->first == word && page->last == word, "page %#lx was lost", (ul)(i * PAGE_SIZE));
    }
}

static void check_process(const struct env_proc *p, bool count) {
    const struct aspace *as = p->as;
    const struct world *w = world_of(p);
    struct look l = {.p = p, .w = w, .count = count};
    check_tree(&as->user, walker_survey(as->user.root.v, 0, 256, look_at_user, &l), "user's");
    MUST(l.present == as->present, "%lu pages are mapped, %lu counted", (ul)l.present,
         (ul)as->present);
    MUST(l.others == (is_design("unify") ? 4 : 2), "%lu leaves above USER_MAX", (ul)l.others);
    MUST(as->committed == expected_commitment(w), "%lu frames committed instead of %lu",
         (ul)as->committed, (ul)expected_commitment(w));
    MUST(as->brk == w->brk, "the break is %#lx instead of %#lx", (ul)as->brk, (ul)w->brk);
    check_kernel_view(p, &l);
    check_absent(p, w);
    const char *stale = tlbmodel_stale();
    MUST(!stale, "%s", stale);
}

void world_check_process(const struct env_proc *p) { check_process(p, false); }

/* ---- the machine's account -------------------------------------------------------- */

/* The images in use: their records, and references to their pages. */
static uint64_t count_images(uint64_t *committed) {
    uint64_t records = 0;
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        bool counted = !p->used || !p->as->image;
        for (struct env_proc *q = env_procs; q < p; q++)
            counted |= q->used && p->used && q->as->image == p->as->image;
        if (counted)
            continue;
        records++;
        *committed += p->as->image->pages + 1;
        for (uint32_t i = 0; i < p->as->image->pages; i++)
            ++*references_to(p->as->image->page[i].v);
    }
    return records;
}

static uint64_t count_referenced(void) {
    uint64_t frames = 0;
    for (uint64_t i = 0; i < ARENA_FRAMES; i++) {
        if (!references[i])
            continue;
        uint32_t refs = env_refs(HOST_RAM_START + i * PAGE_SIZE);
        MUST(refs == references[i], "frame %#lx has %u references, counted are %u",
             (ul)(HOST_RAM_START + i * PAGE_SIZE), refs, references[i]);
        frames++;
    }
    return frames;
}

void world_check(void) {
    struct frame_stats st;
    uint64_t used = 0, committed = 0;
    memset(references, 0, sizeof references);
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        if (!p->used)
            continue;
        check_process(p, true);
        used += p->as->user.tables + p->as->kernel.tables + 1;
        committed += p->as->committed + 1;
    }
    used += count_images(&committed);
    used += count_referenced();
    frame_stats(&st);
    frame_check();
    MUST(st.total - st.free - st.cached == used, "%lu frames are in use, counted are %lu",
         (ul)(st.total - st.free - st.cached), (ul)used);
    MUST(st.committed == committed, "%lu frames are promised, counted are %lu",
         (ul)st.committed, (ul)committed);
}

void world_fresh(uint64_t mib, unsigned asid_bits) {
    struct env_proc *p;
    memset(worlds, 0, sizeof worlds);
    env_fresh(mib, asid_bits);
    frame_stats(&at_start);
    MUST(!env_create(&p), "the first process");
    env_run(p, 0);
    MUST(!world_exec(p, 0, 0), "its program");
}

struct env_proc *world_first(void) { return &env_procs[0]; }

void world_end(void) {
    struct frame_stats st;
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        if (p->used)
            world_exit(p);
    frame_stats(&st);
    MUST(st.committed == at_start.committed, "%lu frames stay promised",
         (ul)(st.committed - at_start.committed));
    MUST(st.free + st.cached == at_start.free, "%lu frames are lost",
         (ul)(at_start.free - st.free - st.cached));
    frame_reclaim(UINT64_MAX);
    frame_stats(&st);
    MUST(st.free == at_start.free && st.cached == 0, "an image is lost");
    frame_check();
}

/* FNV-1a. */
static void mix(uint64_t *hash, uint64_t value) {
    for (unsigned i = 0; i < 8; i++, value >>= 8)
        *hash = (*hash ^ (value & 0xff)) * 0x100000001b3ULL;
}

uint64_t world_hash(void) {
    uint64_t hash = 0xcbf29ce484222325ULL;
    struct frame_stats st;
    frame_stats(&st);
    mix(&hash, st.total - st.free - st.cached);
    mix(&hash, st.committed);
    for (const struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        const struct aspace *as = p->as;
        mix(&hash, p->used);
        if (!p->used)
            continue;
        mix(&hash, walker_survey(as->user.root.v, 0, 256, NULL, NULL).hash);
        mix(&hash, walker_survey(root_of(as->kernel_satp), 0, 256, NULL, NULL).hash);
        mix(&hash, as->user_satp);
        mix(&hash, as->committed);
        mix(&hash, as->present);
        mix(&hash, as->brk);
        mix(&hash, (uint64_t)as->image);
        for (uint32_t i = 0; i < as->regions; i++) {
            mix(&hash, as->region[i].start);
            mix(&hash, as->region[i].end);
        }
    }
    return hash;
}

/* ---- operations ------------------------------------------------------------------ */

/* A failure must have a reason: one was asked for, or need frames are not there. */
static bool failure_is_due(uint64_t need, bool asked) {
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
    return off == 0 ? &page->first : off == PAGE_SIZE - 8 ? &page->last : NULL;
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
    for (uint64_t at = ROUND_UP(va, 8); !err && at + 8 <= va + n; at += 8) {
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
    for (uint64_t at = ROUND_UP(va, 8); at + 8 <= va + n; at += 8) {
        uint64_t word = ++next_word;
        memcpy(buffer + (at - va), &word, 8);
        if (at + 8 <= va + good && word_at(granted(w, at, 0), at))
            *word_at(granted(w, at, 0), at) = word;
    }
    env_kernel(p);
    int err = copyout(UA(va), buffer, n);
    MUST(err == copy_result(va, n, good), "copyout(%#lx, %lu) is %d", (ul)va, (ul)n, err);
}

static void grant(struct world *w, uint64_t start, uint64_t end, struct page like) {
    for (uint64_t i = start / PAGE_SIZE; i < end / PAGE_SIZE; i++) {
        w->page[i] = like;
        w->pages = MAX(w->pages, i + 1);
    }
}

static uint64_t low_bytes(uint64_t word, uint64_t n) {
    return n < 8 ? word & ((1ULL << 8 * n) - 1) : word;
}

static void model_shrink(struct world *w, uint64_t brk) {
    w->pages = MIN(w->pages, ROUND_UP(brk, PAGE_SIZE) / PAGE_SIZE);
    struct page *page = granted(w, brk, PTE_W);
    uint64_t used = brk & (PAGE_SIZE - 1);
    if (used && page) {
        page->first = low_bytes(page->first, used);
        page->last = low_bytes(page->last, used > PAGE_SIZE - 8 ? used - (PAGE_SIZE - 8) : 0);
    }
}

int world_sbrk(struct env_proc *p, int64_t delta) {
    struct world *w = world_of(p);
    uint64_t old, brk = w->brk + (uint64_t)delta;
    bool possible = delta < 0 ? -(uint64_t)delta <= w->brk : (uint64_t)delta <= USER_MAX - w->brk;
    bool asked = frame_fail_countdown > 0;
    env_kernel(p);
    int err = aspace_sbrk(p->as, delta, &old);
    MUST(old == w->brk, "sbrk says that the break was %#lx", (ul)old);
    if (err) {
        uint64_t need = delta > 0 ? (uint64_t)delta / PAGE_SIZE * 66 / 64 + 8 : 0;
        MUST(err == -K_ENOMEM && (!possible || failure_is_due(need, asked)), "sbrk(%ld) is %d",
             (long)delta, err);
        return err;
    }
    MUST(possible, "sbrk(%ld) succeeds", (long)delta);
    if (delta < 0)
        model_shrink(w, brk);
    else
        grant(w, ROUND_UP(w->brk, PAGE_SIZE), ROUND_UP(brk, PAGE_SIZE),
              (struct page){.kind = OF_ZEROS, .perm = PTE_R | PTE_W});
    w->brk = brk;
    return 0;
}

int world_fork(struct env_proc *p, struct env_proc **child) {
    bool asked = frame_fail_countdown > 0;
    env_kernel(p);
    int err = env_fork(p, child);
    if (err == -K_ENOMEM)
        MUST(failure_is_due(expected_commitment(world_of(p)) + 1, asked), "fork is %d", err);
    if (!err)
        *world_of(*child) = *world_of(p);
    return err;
}

static void model_exec(struct world *w, unsigned program) {
    const struct env_program *from = &env_programs[program];
    uint16_t image_page = 0;
    uint64_t end = 0;
    w->program = program;
    w->pages = 0;
    memset(w->page, 0, sizeof w->page);
    for (uint32_t i = 0; i < from->segments; i++) {
        uint64_t start = from->segment[i].start, perm = from->segment[i].perm;
        for (uint64_t j = 0; j < from->segment[i].pages; j++) {
            struct page page = {.kind = OF_ZEROS, .perm = perm};
            if (j < from->segment[i].file_pages) {
                page.first = page.last = env_program_word(program, image_page);
                page.kind = OF_IMAGE;
                page.image_page = image_page++;
            }
            end = start + (j + 1) * PAGE_SIZE;
            grant(w, end - PAGE_SIZE, end, page);
        }
    }
    grant(w, end + PAGE_SIZE, end + 2 * PAGE_SIZE,
          (struct page){OF_ZEROS, PTE_R | PTE_W, 0, ENV_STACK_WORD, ENV_STACK_WORD});
    w->brk = end + 2 * PAGE_SIZE;
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
    static const uint64_t wild[] = {TRAPFRAME, TRAMPOLINE, KSTACK(0), KSTACK(0) + PAGE_SIZE,
                                    USER_MAX, USER_MAX - PAGE_SIZE, USER_HALF_END, KERNEL_HALF,
                                    KERNEL_HALF + GIB(2), UINT64_MAX - PAGE_SIZE + 1, GIB(1)};
    uint64_t brk = world_of(p)->brk, pages = brk / PAGE_SIZE;
    switch (choose(16)) {
    case 0: return wild[choose(ARRAY_LEN(wild))];
    case 1: return ROUND_DOWN(brk, PAGE_SIZE);
    case 2: return ROUND_UP(brk, PAGE_SIZE);
    case 3: return choose(pages + 2) / 512 * LARGE_SIZE; /* where large leaves begin */
    case 4: return choose(8) * PAGE_SIZE;
    default: return choose(pages + 2) * PAGE_SIZE;
    }
}

static uint64_t an_end_of_page(uint64_t page) { return page + (choose(2) ? PAGE_SIZE - 8 : 0); }

static void some_sbrk(struct env_proc *p) {
    static const int64_t wild[] = {INT64_MIN, INT64_MAX, INT32_MIN, (int64_t)USER_MAX};
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

void world_step(void) {
    struct env_proc *p = some_process();
    env_run(p, choose(4) && p->hart >= 0 ? (uint64_t)p->hart : choose(ENV_HARTS));
    env_user(p);
    tlbmodel_speculate(12);
    env_kernel(p);
    if (choose(8) == 0)
        frame_fail_countdown = 1 + choose(3);
    switch (choose(20)) {
    case 0 ... 5: world_touch(p, an_end_of_page(some_va(p)), some_access()); break;
    case 6 ... 7: world_copyin(p, some_va(p) + choose(3) * 2040, choose(COPY_MAX / 8) * 8); break;
    case 8 ... 10: world_copyout(p, some_va(p) + choose(3) * 2040, choose(COPY_MAX / 8) * 8); break;
    case 11 ... 14: some_sbrk(p); break;
    case 15: some_fork(p); break;
    case 16: (void)!world_exec(p, choose(ENV_PROGRAMS), choose(2)); break;
    case 17: some_exit(p); break;
    case 18: frame_reclaim(choose(20)); break;
    default: tlbmodel_speculate(50); break;
    }
    frame_fail_countdown = 0;
    if (p->used && p->hart >= 0) {
        env_run(p, p->hart);
        env_user(p);
        world_check_process(p);
        env_kernel(p);
    }
    const char *stale = tlbmodel_stale();
    MUST(!stale, "%s", stale);
}
