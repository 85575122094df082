/* Mappings in the model of world.h: map, unmap, protect and drop, and what the mappings of a
 * space and the machine's shared memory must be. */
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/shm.h"
#include "mm/zeros.h"
#include "worldmodel.h"

/* ---- shared memory ----------------------------------------------------------------- */

static struct shared shareds[64];

/* Who is in no page of any process is gone. */
static void forget_shared(void) {
    bool in_use[ARRAY_LEN(shareds)] = {0};
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        const struct world *w = world_of(p);
        for (uint64_t i = 0; p->used && i < w->pages; i++)
            if (w->page[i].kind == OF_SHARED)
                in_use[w->page[i].shared - shareds] = true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(shareds); i++)
        if (!in_use[i])
            shareds[i].object = NULL;
}

static struct shared *new_shared(void) {
    forget_shared();
    for (struct shared *s = shareds; s < shareds + ARRAY_LEN(shareds); s++)
        if (!s->object) {
            memset(s->word, 0, sizeof s->word);
            return s;
        }
    return NULL;
}

/* So little has one table of each level at most. */
static uint64_t count_one(const struct shared *s, void (*count)(uint64_t pa)) {
    bool any = false;
    for (uint64_t i = 0; i < s->pages; i++) {
        paddr_t frame = s->object->ops->peek(s->object, i);
        if (!frame.v)
            continue;
        frame_put(frame_single(frame));
        count(frame.v);
        any = true;
    }
    return any ? walker_levels : 1;
}

uint64_t count_shared(uint64_t *committed, void (*count)(uint64_t pa)) {
    uint64_t used = 0;
    forget_shared();
    for (const struct shared *s = shareds; s < shareds + ARRAY_LEN(shareds); s++) {
        if (!s->object)
            continue;
        used += count_one(s, count);
        *committed += s->pages + walker_levels;
    }
    return used;
}

/* ---- the mappings of a space ----------------------------------------------------------- */

static bool continues(const struct page *a, const struct page *b) {
    return a->kind == b->kind && a->perm == b->perm && a->limit == b->limit && a->owns == b->owns &&
           (a->kind == OF_ZEROS ? a->zeros == b->zeros
                                : a->shared == b->shared && a->index + 1 == b->index);
}

static void check_mapping(const struct mappings *all, const struct mapping *m,
                          const struct page *page, uint64_t start, uint64_t end) {
    MUST(m, "%#lx..%#lx has no mapping", (ul)start, (ul)end);
    MUST(m->start == start && m->end == end, "a mapping is %#lx..%#lx instead of %#lx..%#lx",
         (ul)m->start, (ul)m->end, (ul)start, (ul)end);
    MUST(m->perm == page->perm && m->limit == page->limit, "%#lx may be %#x, once %#x", (ul)start,
         m->perm, m->limit);
    MUST(m->owns == page->owns && m->shared == (page->kind == OF_SHARED) && !m->lazy,
         "%#lx owns: %d, shared: %d, lazy: %d", (ul)start, m->owns, m->shared, m->lazy);
    MUST(page->kind == OF_ZEROS    ? m->object == page->zeros
         : page->kind == OF_SHARED ? m->object == page->shared->object
                                   : !m->object->zeros,
         "%#lx has %s behind it", (ul)start, m->object->name ? m->object->name : "a program");
    MUST(page->kind == OF_ZEROS || m->first == page->index, "%#lx shows page %lu of its object",
         (ul)start, (ul)m->first);
    MUST(mapping_at(all, start) == m && mapping_at(all, end - 1) == m, "%#lx is not found",
         (ul)start);
}

void check_mappings(const struct env_proc *p) {
    const struct mappings *all = &p->as->mappings;
    const struct world *w = world_of(p);
    const struct mapping *m = all->first, *before = NULL;
    uint32_t count = 0;
    for (uint64_t i = 0, end; i < w->pages; i = end) {
        end = i + 1;
        if (w->page[i].kind == NONE_GRANTED)
            continue;
        while (end < w->pages && continues(&w->page[end - 1], &w->page[end]))
            end++;
        check_mapping(all, m, &w->page[i], i * PAGE_SIZE, end * PAGE_SIZE);
        MUST(m->prev == before, "the list is torn at %#lx", (ul)m->start);
        before = m;
        m = m->next;
        count++;
    }
    MUST(!m && all->last == before && all->count == count, "%u mappings, needed are %u", all->count,
         count);
    MUST(p->as->heap_end == w->heap_end, "the heap ends at %#lx instead of %#lx",
         (ul)p->as->heap_end, (ul)w->heap_end);
}

/* ---- operations --------------------------------------------------------------------------- */

static unsigned prot_of(uint8_t perm) {
    return (perm & PTE_R ? ABI_PROT_READ : 0) | (perm & PTE_W ? ABI_PROT_WRITE : 0) |
           (perm & PTE_X ? ABI_PROT_EXEC : 0);
}

/* Before an operation of which a promise may be refused, and after it. */
struct attempt {
    bool asked;
    uint64_t hash;
};

static struct attempt attempt(struct env_proc *p) {
    env_kernel(p);
    bool asked = frame_fail_countdown > 0;
    return (struct attempt){asked, asked ? env_hash() : 0};
}

static void check_failure(struct attempt a, int err, int wanted, uint64_t need, const char *what) {
    MUST(err == wanted || (err == -K_ENOMEM && failure_is_due(need, a.asked)),
         "%s is %d instead of %d", what, err, wanted);
    MUST(!err || !a.asked || env_hash() == a.hash, "%s has failed and changed something", what);
}

static int map(struct env_proc *p, struct map_request *r, struct shared *s) {
    uint64_t at;
    r->object = &zeros_mapped;
    if (s) {
        int err = shm_create(r->bytes / PAGE_SIZE, &r->object);
        if (err)
            return err;
    }
    int err = aspace_map(p->as, r, &at);
    if (s)
        object_put(r->object);
    MUST(err || at == r->start, "mapped at %#lx instead of %#lx", (ul)at, (ul)r->start);
    return err;
}

int world_map(struct env_proc *p, uint64_t start, uint64_t end, uint8_t perm, uint8_t limit,
              bool shared, bool replace) {
    struct world *w = world_of(p);
    struct shared *s = shared ? new_shared() : NULL;
    struct map_request r = {.start = start,
                            .bytes = end - start,
                            .place = replace ? MAP_REPLACE : MAP_FREE,
                            .prot = prot_of(perm),
                            .limit = prot_of(limit),
                            .shared = s};
    struct attempt a = attempt(p);
    int err = map(p, &r, s);
    check_failure(a, err, !replace && any_granted(w, start, end) ? -K_EEXIST : 0,
                  (end - start) / PAGE_SIZE + 8 * walker_levels, "map");
    if (err)
        return err;
    model_remove(w, start, end);
    model_grant(w, start, end,
                (struct page){.kind = s ? OF_SHARED : OF_ZEROS,
                              .zeros = s ? NULL : &zeros_mapped,
                              .shared = s,
                              .perm = perm,
                              .limit = limit,
                              .owns = !s && (perm & PTE_W)});
    if (s) {
        s->object = r.object;
        s->pages = (end - start) / PAGE_SIZE;
    }
    return 0;
}

int world_unmap(struct env_proc *p, uint64_t start, uint64_t end) {
    struct attempt a = attempt(p);
    int err = aspace_unmap(p->as, start, end);
    check_failure(a, err, 0, 2, "unmap");
    if (!err)
        model_remove(world_of(p), start, end);
    return err;
}

static bool has_hole(const struct world *w, uint64_t start, uint64_t end) {
    for (uint64_t i = start / PAGE_SIZE; i < end / PAGE_SIZE; i++)
        if (i >= w->pages || w->page[i].kind == NONE_GRANTED)
            return true;
    return false;
}

int world_protect(struct env_proc *p, uint64_t start, uint64_t end, uint8_t perm) {
    struct world *w = world_of(p);
    int wanted = has_hole(w, start, end) ? -K_ENOMEM : 0;
    uint64_t need = 4;
    for (uint64_t i = start / PAGE_SIZE; !wanted && i < end / PAGE_SIZE; i++) {
        const struct page *page = &w->page[i];
        if (perm & ~page->limit)
            wanted = -K_EACCES;
        need += (perm & PTE_W) && page->kind != OF_SHARED && !page->owns;
    }
    struct attempt a = attempt(p);
    int err = aspace_protect(p->as, start, end, prot_of(perm));
    check_failure(a, err, wanted, need, "protect");
    for (uint64_t i = start / PAGE_SIZE; !err && i < end / PAGE_SIZE; i++) {
        struct page *page = &w->page[i];
        page->perm = perm;
        page->owns |= (perm & PTE_W) && page->kind != OF_SHARED;
    }
    return err;
}

void world_drop(struct env_proc *p, uint64_t start, uint64_t end) {
    struct world *w = world_of(p);
    env_kernel(p);
    int err = aspace_drop(p->as, start, end);
    MUST(err == (has_hole(w, start, end) ? -K_ENOMEM : 0), "drop is %d", err);
    for (uint64_t i = start / PAGE_SIZE; i < MIN(end / PAGE_SIZE, w->pages); i++) {
        struct page *page = &w->page[i];
        if (page->kind == OF_ZEROS && !page->zeros->filled)
            page->word[0] = page->word[1] = 0;
        else if (page->kind == OF_FILE)
            page->word[0] = page->word[1] = env_program_word(w->program, page->index);
    }
}

/* ---- another size, or another place ---- */

/* As model_grant, with what is there before somebody stores. */
static void grant_untouched(struct world *w, uint64_t start, uint64_t end, struct page like) {
    for (uint64_t at = start; at < end; at += PAGE_SIZE, like.index++) {
        uint64_t word = like.kind == OF_FILE ? env_program_word(w->program, like.index) : 0;
        like.word[0] = like.word[1] = word;
        model_grant(w, at, at + PAGE_SIZE, like);
    }
}

static bool is_one_mapping(const struct world *w, uint64_t start, uint64_t end) {
    bool one = !has_hole(w, start, end);
    for (uint64_t i = start / PAGE_SIZE + 1; one && i < end / PAGE_SIZE; i++)
        one = continues(&w->page[i - 1], &w->page[i]);
    return one;
}

/* Whether it has room where it is. */
static bool can_stay(const struct world *w, uint64_t start, uint64_t end, uint64_t bytes) {
    uint64_t last = start + bytes;
    if (last <= end)
        return true;
    const struct page *behind = &w->page[last / PAGE_SIZE];
    bool guarded = last / PAGE_SIZE < w->pages && behind->kind == OF_ZEROS &&
                   behind->zeros->guarded;
    return !any_granted(w, end, last) && !guarded;
}

static void model_move(struct world *w, uint64_t start, uint64_t end, uint64_t to, uint64_t bytes,
                       bool keep) {
    static struct page moved[PAGES];
    uint64_t n = MIN(end - start, bytes) / PAGE_SIZE;
    const struct page like = w->page[start / PAGE_SIZE];
    memcpy(moved, &w->page[start / PAGE_SIZE], n * sizeof moved[0]);
    model_remove(w, start, end);
    model_remove(w, to, to + bytes);
    if (keep)
        grant_untouched(w, start, end, like);
    grant_untouched(w, to, to + bytes, like);
    memcpy(&w->page[to / PAGE_SIZE], moved, n * sizeof moved[0]);
}

int world_remap(struct env_proc *p, uint64_t start, uint64_t end, uint64_t to, uint64_t bytes,
                bool keep) {
    struct world *w = world_of(p);
    const struct remap_request r = {.start = start,
                                    .old_bytes = end - start,
                                    .bytes = bytes,
                                    .place = to == start ? REMAP_HERE : REMAP_THERE,
                                    .to = to,
                                    .keep = keep};
    uint64_t at;
    int wanted = !is_one_mapping(w, start, start + MIN(end - start, bytes)) ? -K_EFAULT
                 : to == start && !can_stay(w, start, end, bytes)           ? -K_ENOMEM
                                                                            : 0;
    struct attempt a = attempt(p);
    int err = aspace_remap(p->as, &r, &at);
    check_failure(a, err, wanted, bytes / PAGE_SIZE + 16 * walker_levels, "remap");
    MUST(err || at == to, "moved to %#lx instead of %#lx", (ul)at, (ul)to);
    if (!err)
        model_move(w, start, end, to, bytes, keep);
    return err;
}

/* ---- random use ------------------------------------------------------------------------------ */

static uint64_t choose(uint64_t n) { return world_choose(n); }

static uint8_t some_perm(void) {
    static const uint8_t perms[] = {0, PTE_R, PTE_R | PTE_W, PTE_R | PTE_X, PTE_RWX, PTE_R | PTE_W};
    return perms[choose(ARRAY_LEN(perms))];
}

/* Page-aligned, not empty, in the program and the heap, or in what was mapped, or all that may
 * be. */
static void some_range(uint64_t *start, uint64_t *end) {
    uint64_t limit = ENV_MAPS_START + ENV_MAPS, kind = choose(16);
    uint64_t pages = choose(2) ? 1 + choose(4) : 1 + choose(ENV_MAPS / PAGE_SIZE);
    if (kind < 2)
        *start = choose(ENV_MAPS_START / PAGE_SIZE) * PAGE_SIZE;
    else if (kind < 4)
        *start = choose(8) * PAGE_SIZE;
    else if (kind < 7)
        *start = ENV_MAPS_START;
    else
        *start = ENV_MAPS_START + choose(kind < 9 ? ENV_MAPS / PAGE_SIZE : 16) * PAGE_SIZE;
    *end = kind == 6 ? limit : MIN(*start + pages * PAGE_SIZE, limit);
}

static void some_map(struct env_proc *p, uint64_t start, uint64_t end) {
    uint8_t perm = some_perm(), limit = choose(4) ? PTE_RWX : perm;
    (void)!world_map(p, start, end, perm, limit, choose(2), start == 0 || choose(4));
}

/* What the object of start's page has from there on; of zeros no less than all. */
static uint64_t most_from(const struct world *w, uint64_t start) {
    const struct page *page = &w->page[start / PAGE_SIZE];
    switch (start / PAGE_SIZE < w->pages ? page->kind : NONE_GRANTED) {
    case OF_FILE: return PAGE_SIZE;
    case OF_SHARED: return (page->shared->pages - page->index) * PAGE_SIZE;
    default: return ENV_MAPS;
    }
}

/* Most often to where nothing is, with as many pages or some more. */
static void some_remap(struct env_proc *p, uint64_t start, uint64_t end) {
    uint64_t limit = ENV_MAPS_START + ENV_MAPS, wanted = end - start, to;
    uint64_t more[] = {0, 0, PAGE_SIZE, choose(20) * PAGE_SIZE}, less = choose(3) * PAGE_SIZE;
    wanted = choose(4) ? wanted + more[choose(4)] : wanted - MIN(less, wanted - PAGE_SIZE);
    if (wanted > end - start)
        wanted = MAX(end - start, MIN(wanted, most_from(world_of(p), start)));
    to = choose(4) == 0 ? start : ENV_MAPS_START + choose(ENV_MAPS / PAGE_SIZE) * PAGE_SIZE;
    bool overlaps = to < end && start < to + wanted;
    if (to + wanted <= limit && (to == start || !overlaps))
        (void)!world_remap(p, start, end, to, wanted,
                           to != start && wanted == end - start && choose(3) == 0);
}

void some_mapping(struct env_proc *p) {
    uint64_t start, end;
    some_range(&start, &end);
    switch (choose(11)) {
    case 8 ... 10: some_remap(p, start, end); break;
    case 0 ... 2: some_map(p, start, end); break;
    case 3: (void)!world_unmap(p, start, end); break;
    case 4 ... 6: (void)!world_protect(p, start, end, some_perm()); break;
    default: world_drop(p, start, end); break;
    }
}
