/* Changes of mappings by the threads of threadworld.h: done, and in the model. */
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/shm.h"
#include "mm/zeros.h"
#include "threadops.h"
#include <string.h>

static struct shared shareds[SHARED_OBJECTS];

void forget_shared_objects(void) { memset(shareds, 0, sizeof shareds); }

bool changes(const struct thread *t, const struct thread *by) {
    const struct change *c = &by->change;
    return by->p == t->p && c->kind != NONE && c->kind != FORK && c->start <= t->page &&
           t->page < c->end;
}

void log_for_forks(const struct env_proc *p, uint64_t i, unsigned which, uint64_t value) {
    for (struct thread *t = threads; t < threads + FIBERS; t++) {
        struct change *c = &t->change;
        if (t->p != p || c->kind != FORK || c->counted)
            continue;
        MUST(c->logged < LOGGED, "a fork lasts too long for this test");
        c->log[c->logged].page = i;
        c->log[c->logged].which = which;
        c->log[c->logged++].value = value;
    }
}

/* ---- changes ----------------------------------------------------------------------------- */

static bool has_hole(const struct world *w, const struct change *c) {
    for (uint64_t i = c->start; i < c->end; i++)
        if (w->page[i].kind == NOTHING)
            return true;
    return false;
}

static bool has_any(const struct world *w, const struct change *c) {
    for (uint64_t i = c->start; i < c->end; i++)
        if (w->page[i].kind != NOTHING)
            return true;
    return false;
}

static void drop_page(struct page *page) {
    if (page->kind == ZEROS)
        page->words = (struct words){{0, 0}};
    page->own = false;
}

/* Whoever stored while the break moved may have done so before the rest of the page was zeroed, or
 * after. */
static void zero_rest(struct thread *t, uint64_t i) {
    struct page *page = &world_of(t->p)->page[i];
    uint64_t now = word_in_memory(t->p, i, 1);
    MUST(now == 0 || (now == page->words.at[1] && page->stored >= t->change.began),
         "what is behind the break was not zeroed at %#lx", (ul)va_of(i));
    page->words.at[1] = now;
}

static void count_sbrk(struct thread *t, struct world *w) {
    struct change *c = &t->change;
    c->old = w->brk;
    if (c->delta < 0 && (uint64_t)-c->delta > w->brk) {
        c->expected = -K_ENOMEM;
        return;
    }
    w->brk += (uint64_t)c->delta;
    for (uint64_t i = 0; i < HEAP_PAGES; i++) {
        struct page *page = &w->page[i];
        if (va_of(i) >= w->brk)
            *page = (struct page){0};
        else if (page->kind == NOTHING)
            *page = (struct page){
                .kind = ZEROS,
                .perm = PTE_R | PTE_W,
                .words = {{word_in_memory(t->p, i, 0), word_in_memory(t->p, i, 1)}}};
    }
    if (c->delta < 0 && w->brk % PAGE_SIZE)
        zero_rest(t, w->brk / PAGE_SIZE);
}

static void count_map(struct change *c, struct world *w) {
    if (!c->replace && has_any(w, c)) {
        c->expected = -K_EEXIST;
        return;
    }
    struct page like = c->like;
    for (uint64_t i = c->start; i < c->end; i++, like.index++)
        w->page[i] = like;
}

void count_change(struct thread *t) {
    struct change *c = &t->change;
    struct world *w = world_of(t->p);
    c->counted = true;
    trace("its change counts");
    switch (c->kind) {
    case MAP: count_map(c, w); break;
    case UNMAP:
        for (uint64_t i = c->start; i < c->end; i++)
            w->page[i] = (struct page){0};
        break;
    case PROTECT:
        c->expected = has_hole(w, c) ? -K_ENOMEM : 0;
        for (uint64_t i = c->start; !c->expected && i < c->end; i++)
            w->page[i].perm = c->like.perm;
        break;
    case DROP:
        c->expected = has_hole(w, c) ? -K_ENOMEM : 0;
        for (uint64_t i = c->start; i < c->end; i++)
            drop_page(&w->page[i]);
        break;
    case GRANTED: c->all = !has_hole(w, c); break;
    case SBRK: count_sbrk(t, w); break;
    case FORK:
        *world_of(c->child) = *w;
        world_of(c->child)->whole = false;
        break;
    case NONE: break;
    }
}

static struct change *begin_change(struct thread *t, enum change_kind kind, uint64_t start,
                                   uint64_t end) {
    struct change *c = &t->change;
    static const char *const names[] = {"nothing", "map",  "unmap",   "protect",
                                        "drop",    "sbrk", "granted", "fork"};
    *c = (struct change){.kind = kind, .start = start, .end = end, .began = threads_now};
    trace("%s, pages %lu to %lu", names[kind], (ul)start, (ul)end);
    for (struct thread *other = threads; other < threads + FIBERS; other++)
        if (other->page != NOWHERE)
            other->unsure |= changes(other, t);
    return c;
}

static void end_change(struct thread *t, int err) {
    MUST(t->change.counted, "a change had no turn");
    MUST(err == t->change.expected, "a change of kind %u is %d instead of %d", t->change.kind, err,
         t->change.expected);
    t->change.kind = NONE;
    trace("the change is %d", err);
}

void some_range(uint64_t *start, uint64_t *end) {
    uint64_t pages = choose(4) ? 1 + choose(4) : choose(2) ? 16 : MAP_PAGES;
    *start = HEAP_PAGES + (pages == MAP_PAGES ? 0 : choose(8));
    *end = *start + pages;
}

static uint8_t some_perm(void) {
    static const uint8_t perms[] = {PTE_R | PTE_W, PTE_R | PTE_W, PTE_R, 0, PTE_R | PTE_X, PTE_RWX};
    return perms[choose(ARRAY_LEN(perms))];
}

static unsigned prot_of(uint8_t perm) {
    return (perm & PTE_R ? ABI_PROT_READ : 0) | (perm & PTE_W ? ABI_PROT_WRITE : 0) |
           (perm & PTE_X ? ABI_PROT_EXEC : 0);
}

static bool is_in_use(const struct shared *s) {
    for (const struct thread *t = threads; t < threads + FIBERS; t++)
        if (t->change.kind == MAP && t->change.like.shared == s)
            return true;
    for (const struct world *w = worlds; w < worlds + ENV_PROCS; w++)
        for (uint64_t i = 0; w->used && i < PAGES; i++)
            if (w->page[i].kind == SHARED && w->page[i].shared == s)
                return true;
    return false;
}

static struct shared *new_shared(void) {
    for (struct shared *s = shareds; s < shareds + SHARED_OBJECTS; s++)
        if (!is_in_use(s)) {
            memset(s, 0, sizeof *s);
            return s;
        }
    return NULL;
}

/* What is mapped, and as how much. */
static struct object *some_object(struct page *like, uint64_t *pages) {
    switch (choose(4)) {
    case 0:
        *pages = MIN(*pages, 16ULL);
        like->shared = new_shared();
        if (like->shared && !shm_create(*pages, &like->shared->object)) {
            like->kind = SHARED;
            return like->shared->object;
        }
        like->shared = NULL;
        break;
    case 1:
    case 2:
        like->kind = choose(2) ? FILE_SHARED : FILE_PRIVATE;
        like->index = (uint16_t)choose(FILE_PAGES);
        *pages = MIN(*pages, FILE_PAGES - (uint64_t)like->index);
        return &the_file.object;
    default: break;
    }
    like->kind = ZEROS;
    return &zeros_mapped;
}

void map(struct thread *t, uint64_t start, uint64_t end) {
    uint64_t pages = end - start, at;
    struct change *c = begin_change(t, MAP, start, end);
    c->like.perm = some_perm();
    c->replace = choose(4) != 0;
    struct object *o = some_object(&c->like, &pages);
    c->end = start + pages;
    const struct map_request r = {.start = va_of(start),
                                  .bytes = pages * PAGE_SIZE,
                                  .place = c->replace ? MAP_REPLACE : MAP_FREE,
                                  .object = o,
                                  .first = c->like.index,
                                  .prot = prot_of(c->like.perm),
                                  .limit = ABI_PROT_READ | ABI_PROT_WRITE | ABI_PROT_EXEC,
                                  .shared = c->like.kind == SHARED || c->like.kind == FILE_SHARED};
    int err = aspace_map(t->p->as, &r, &at);
    end_change(t, err);
    if (c->like.kind == SHARED)
        object_put(o);
}

void map_first_pages(struct env_proc *p) {
    const struct map_request r = {.start = ENV_MAPS_START,
                                  .bytes = 8 * PAGE_SIZE,
                                  .place = MAP_FREE,
                                  .object = &zeros_mapped,
                                  .prot = ABI_PROT_READ | ABI_PROT_WRITE,
                                  .limit = ABI_PROT_READ | ABI_PROT_WRITE | ABI_PROT_EXEC};
    uint64_t at;
    MUST(!aspace_map(p->as, &r, &at), "the first mapping");
    for (uint64_t i = HEAP_PAGES; i < HEAP_PAGES + 8; i++)
        world_of(p)->page[i] = (struct page){.kind = ZEROS, .perm = PTE_R | PTE_W};
}

void protect(struct thread *t, uint64_t start, uint64_t end) {
    struct change *c = begin_change(t, PROTECT, start, end);
    c->like.perm = some_perm();
    end_change(t, aspace_protect(t->p->as, va_of(start), va_of(end - 1) + PAGE_SIZE,
                                 prot_of(c->like.perm)));
}

void unmap(struct thread *t, uint64_t start, uint64_t end) {
    begin_change(t, UNMAP, start, end);
    end_change(t, aspace_unmap(t->p->as, va_of(start), va_of(end - 1) + PAGE_SIZE));
}

void drop(struct thread *t, uint64_t start, uint64_t end) {
    begin_change(t, DROP, start, end);
    end_change(t, aspace_drop(t->p->as, va_of(start), va_of(end - 1) + PAGE_SIZE));
}

void ask_granted(struct thread *t, uint64_t start, uint64_t end) {
    struct change *c = begin_change(t, GRANTED, start, end);
    bool all = aspace_is_granted(t->p->as, va_of(start), va_of(end - 1) + PAGE_SIZE);
    MUST(all == c->all, "whether all is granted is %d", all);
    end_change(t, 0);
}

/* Other threads may move it as well, so there is room for all of them. */
void sbrk_some(struct thread *t) {
    uint64_t brk = world_of(t->p)->brk, old;
    struct change *c = begin_change(t, SBRK, 0, HEAP_PAGES);
    c->delta = choose(2) && brk <= HEAP_PAGES / 2 * PAGE_SIZE
                   ? (int64_t)(8 + choose(2 * PAGE_SIZE / 8) * 8)
                   : -(int64_t)(8 + choose(brk / 8 + 1) * 8);
    trace("the break by %ld", (long)c->delta);
    int err = c->delta > 0 && choose(3) == 1 ? aspace_grow_lazily(t->p->as, c->delta, &old)
                                             : aspace_sbrk(t->p->as, c->delta, &old);
    MUST(old == c->old, "sbrk says that the break was %#lx instead of %#lx", (ul)old, (ul)c->old);
    end_change(t, err);
}

static bool may_have(const struct change *c, uint64_t i, unsigned which, uint64_t value) {
    for (unsigned n = 0; n < c->logged; n++)
        if (c->log[n].page == i && c->log[n].which == which && c->log[n].value == value)
            return true;
    return false;
}

/* Each page as it was at some moment of the fork. */
static void check_child(const struct change *c) {
    struct world *w = world_of(c->child);
    for (uint64_t i = 0; i < PAGES; i++) {
        struct page *page = &w->page[i];
        bool private = page->kind == ZEROS || (page->kind == FILE_PRIVATE && page->own);
        for (unsigned which = 0; private && !is_changing(page) && which < 2; which++) {
            uint64_t value = word_in_memory(c->child, i, which);
            MUST(value == page->words.at[which] || may_have(c, i, which, value),
                 "a child has %#lx instead of %#lx at %#lx", (ul)value, (ul)page->words.at[which],
                 (ul)va_of(i));
            page->words.at[which] = value;
        }
    }
    w->whole = true;
}

void fork_some(struct thread *t) {
    unsigned used = 0;
    for (const struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        used += p->used;
    if (used >= 4)
        return;
    struct change *c = begin_change(t, FORK, 0, 0);
    int err = env_fork(t->p, &c->child);
    if (!err)
        check_child(c);
    end_change(t, err);
}

void exit_some(struct thread *t) {
    struct env_proc *p = t->p;
    for (const struct thread *other = threads; other < threads + FIBERS; other++)
        if (p == env_procs || (other != t && other->p == p))
            return;
    world_of(p)->used = world_of(p)->whole = false;
    t->p = NULL;
    env_exit(p);
}
