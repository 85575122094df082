/* The model of world.h: what a space must be. */
#include "worldmodel.h"
#include "mm/kmap.h"
#include "mm/shm.h"

#define WORDS (PAGE_SIZE / 8)

struct world worlds[ENV_PROCS];
static struct frame_stats at_start;

/* ---- the account of one space --------------------------------------------------- */

uint64_t world_commitment(const struct world *w) {
    uint64_t pages = 0, tables = 0, last_large = UINT64_MAX, last_giga = UINT64_MAX;
    uint64_t fixed = walker_levels;
    for (uint64_t i = 0; i < w->pages; i++) {
        const struct page *page = &w->page[i];
        if (page->kind == NONE_GRANTED)
            continue;
        pages += page->owns;
        tables += (i / 512 != last_large) + (i / 512 / 512 != last_giga);
        last_large = i / 512;
        last_giga = i / 512 / 512;
    }
    if (tables > 0)
        tables += walker_levels - 3; /* nothing lies beyond 512 GiB */
    if (world_view() == IN_COPIES)
        return pages + 2 * (tables + fixed);
    return pages + tables + (world_view() == IN_USERS_LOWER_TABLES ? 2 * fixed : fixed);
}

/* ---- the views ------------------------------------------------------------------- */

#define ARENA_FRAMES (MIB(64) / PAGE_SIZE)
static uint32_t references[ARENA_FRAMES]; /* by all leaves of users, and program files */

static uint32_t *references_to(uint64_t pa) {
    MUST(pa >= HOST_RAM_START && pa < HOST_RAM_START + MIB(64), "a leaf to %#lx", (ul)pa);
    return &references[(pa - HOST_RAM_START) / PAGE_SIZE];
}

struct look {
    const struct env_proc *p;
    struct world *w;
    bool count; /* into references */
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
        MUST((va == stack || va == stack + PAGE_SIZE) &&
                 (!user_table || world_view() == IN_USERS_TABLE) &&
                 flags == (PTE_V | PTE_R | PTE_W | PTE_A),
             "%#lx is mapped by %#lx", (ul)va, (ul)e);
}

/* In a table of level 0: no access succeeds, and the frame stays. */
static bool is_kept(uint64_t e) { return (e & PTE_FLAGS) == PTE_V; }

/* 0: nobody has touched it yet. */
static uint64_t shared_frame(const struct page *page) {
    struct object *o = page->shared->object;
    paddr_t frame = o->ops->peek(o, page->index);
    if (frame.v)
        frame_put(frame_single(frame));
    return frame.v;
}

static void look_at_page(struct look *l, uint64_t va, uint64_t pa, uint64_t e) {
    MUST(va / PAGE_SIZE < l->w->pages, "%#lx is mapped above the break", (ul)va);
    struct page *page = &l->w->page[va / PAGE_SIZE];
    MUST(page->kind != NONE_GRANTED, "%#lx is mapped and not granted", (ul)va);
    MUST(page->perm || is_kept(e), "%#lx has %#lx, granted is %#x", (ul)va, (ul)e, page->perm);
    MUST((e & PTE_RWX & ~(uint64_t)page->perm) == 0, "%#lx has %#lx, granted is %#x", (ul)va, (ul)e,
         page->perm);
    MUST(env_refs(pa) >= 1, "%#lx maps the free frame %#lx", (ul)va, (ul)pa);
    MUST(!(e & PTE_W) || page->kind == OF_SHARED || env_refs(pa) == 1,
         "%#lx can be written and is shared", (ul)va);
    const uint64_t *word = pa_ptr(PA(pa)), *wanted = words_of(page);
    MUST(word[0] == wanted[0] && word[WORDS - 1] == wanted[1],
         "process %u, %#lx: reads %#lx %#lx instead of %#lx %#lx", l->p->slot, (ul)va, (ul)word[0],
         (ul)word[WORDS - 1], (ul)wanted[0], (ul)wanted[1]);
    MUST(page->kind != OF_SHARED || pa == shared_frame(page), "%#lx is not the shared page",
         (ul)va);
    if (l->count)
        ++*references_to(pa);
}

static void look_at_user(void *ctx, uint64_t va, uint64_t e, unsigned level) {
    struct look *l = ctx;
    if (va >= USER_MAX) {
        look_at_top(l, va, e, true);
        return;
    }
    MUST(is_kept(e) ? level == 0 : (e & PTE_U) && (e & PTE_R) && (e & PTE_A) && !(e & PTE_G),
         "%#lx has %#lx", (ul)va, (ul)e);
    MUST(!(e & PTE_W) || (e & PTE_D), "%#lx has W without D", (ul)va);
    for (uint64_t off = 0; off < level_size(level); off += PAGE_SIZE)
        look_at_page(l, va + off, pte_pa(e).v + off, e);
    l->present += level_size(level) / PAGE_SIZE;
}

/* The entry where the user's tree ends for va. */
static uint64_t user_entry(uint64_t root, uint64_t va, unsigned *level) {
    *level = walker_levels - 1;
    uint64_t e = ((uint64_t *)pa_ptr(PA(root)))[va >> (12 + 9 * *level) & 511];
    for (; *level > 0 && (e & 15) == 1;
         e = ((uint64_t *)pa_ptr(pte_pa(e)))[va >> (12 + 9 * *level) & 511])
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
    if (world_view() == NOT_AT_ALL) {
        MUST(as->kernel_satp == kernel_satp && !as->kernel.root.v, "its own kernel table");
    } else if (world_view() == IN_USERS_TABLE) {
        MUST(root == as->user.root.v && !as->kernel.root.v, "two roots");
        MUST(user->others == 4, "%lu leaves above USER_MAX", (ul)user->others);
    } else if (world_view() == IN_COPIES) {
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
static void check_absent(const struct env_proc *p, struct world *w) {
    for (uint64_t i = 0; i < w->pages; i++) {
        struct page *page = &w->page[i];
        unsigned level;
        if (page->kind == NONE_GRANTED)
            continue;
        if (pte_valid(user_entry(p->as->user.root.v, i * PAGE_SIZE, &level)))
            continue;
        uint64_t word = page->kind == OF_FILE ? env_program_word(w->program, page->index) : 0;
        if (page->kind == OF_SHARED && shared_frame(page))
            continue;
        MUST(words_of(page)[0] == word && words_of(page)[1] == word, "page %#lx was lost",
             (ul)(i * PAGE_SIZE));
    }
}

static void check_process(const struct env_proc *p, bool count) {
    const struct aspace *as = p->as;
    struct world *w = world_of(p);
    struct look l = {.p = p, .w = w, .count = count};
    check_tree(&as->user, walker_survey(as->user.root.v, 0, 256, look_at_user, &l), "user's");
    MUST(l.present == as->present, "%lu pages are mapped, %lu counted", (ul)l.present,
         (ul)as->present);
    MUST(l.others == (world_view() == IN_USERS_TABLE ? 4 : 2), "%lu leaves above USER_MAX",
         (ul)l.others);
    MUST(as->committed == world_commitment(w), "%lu frames committed instead of %lu",
         (ul)as->committed, (ul)world_commitment(w));
    MUST(as->brk == w->brk, "the break is %#lx instead of %#lx", (ul)as->brk, (ul)w->brk);
    check_mappings(p);
    check_kernel_view(p, &l);
    check_absent(p, w);
    const char *stale = tlbmodel_stale();
    MUST(!stale, "%s", stale);
}

void world_check_process(const struct env_proc *p) { check_process(p, false); }

/* ---- the machine's account -------------------------------------------------------- */

/* The program file that a process runs, in whatever mapping is left of it; or NULL. */
static const struct env_file *file_of(const struct env_proc *p) {
    const struct world *w = world_of(p);
    for (uint64_t i = 0; p->used && i < w->pages; i++)
        if (w->page[i].kind == OF_FILE)
            return CONTAINER_OF(mapping_at(&p->as->mappings, i * PAGE_SIZE)->object,
                                struct env_file, object);
    return NULL;
}

/* The program files in use: references to their pages, and promises. */
static void count_files(uint64_t *committed) {
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        const struct env_file *file = file_of(p);
        bool counted = !file;
        for (struct env_proc *q = env_procs; q < p; q++)
            counted |= file_of(q) == file;
        if (counted)
            continue;
        *committed += file->pages;
        for (uint32_t i = 0; i < file->pages; i++)
            ++*references_to(file->page[i].v);
    }
}

static void count_reference(uint64_t pa) { ++*references_to(pa); }

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
    uint64_t used = mapping_frames() + shm_frames(); /* and the frame of zeros */
    uint64_t committed = at_start.committed + used;
    memset(references, 0, sizeof references);
    ++*references_to(env_frame_of_zeros().v);
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        if (!p->used)
            continue;
        check_process(p, true);
        used += p->as->user.tables + p->as->kernel.tables + 1;
        committed += p->as->committed + 1;
    }
    count_files(&committed);
    used += count_shared(&committed, count_reference);
    used += count_referenced();
    frame_stats(&st);
    frame_check();
    MUST(st.total - st.free - st.cached == used, "%lu frames are in use, counted are %lu",
         (ul)(st.total - st.free - st.cached), (ul)used);
    MUST(st.committed == committed, "%lu frames are promised, counted are %lu", (ul)st.committed,
         (ul)committed);
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

uint64_t world_spares(void) {
    uint64_t used = at_start.total - at_start.free - at_start.cached; /* the frame of zeros */
    return at_start.committed - used;
}

struct env_proc *world_first(void) {
    return &env_procs[0];
}

void world_end(void) {
    struct frame_stats st;
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        if (p->used)
            world_exit(p);
    frame_stats(&st);
    MUST(shm_frames() == 0, "%lu frames have shared memory's records", (ul)shm_frames());
    MUST(mapping_frames() == 0, "%lu frames have mappings", (ul)mapping_frames());
    MUST(st.committed == at_start.committed, "%lu frames stay promised",
         (ul)(st.committed - at_start.committed));
    MUST(st.free + st.cached == at_start.free, "%lu frames are lost",
         (ul)(at_start.free - st.free - st.cached));
    reclaim_frames(UINT64_MAX);
    frame_stats(&st);
    MUST(st.free == at_start.free && st.cached == 0, "a cached frame is lost");
    frame_check();
}
