/* One process's memory: regions, commitment, and both tables. */
#include "mm/aspace.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kmap.h"

/* One gather a hart, since it is too large for a kernel stack; and one for the
 * tables of the kernel's view. The kernel is not preempted while it uses them. */
static struct pt_gather gathers[NHART][2];

/* ---- regions -------------------------------------------------------------- */

const struct region *aspace_region_locked(const struct aspace *as, uint64_t va) {
    for (uint32_t i = as->regions; i-- > 0;)
        if (va >= as->region[i].start)
            return va < as->region[i].end ? &as->region[i] : NULL;
    return NULL;
}

static void add_region(struct aspace *as, enum region_kind kind, uint64_t start, uint64_t end,
                       uint64_t perm, uint32_t first_page) {
    ASSERT(as->regions < ASPACE_REGIONS);
    bool lazy = commit_lazy && commit_is_private(kind, perm);
    as->region[as->regions++] = (struct region){start,         end,        (uint8_t)kind,
                                                (uint8_t)perm, first_page, lazy};
}

/* The heap's last region, which is the last of all and may be empty. */
static struct region *heap_of(struct aspace *as) { return &as->region[as->regions - 1]; }

uint64_t aspace_end(const struct aspace *as) {
    return as->regions ? as->region[as->regions - 1].end : 0;
}

uint64_t aspace_granted(const struct aspace *as) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < as->regions; i++)
        bytes += as->region[i].end - as->region[i].start;
    return bytes;
}

/* What regions cover: the program with its stack, and the heap's regions. Who goes over all
 * leaves does so by spans, and leaves out the gap between. Frames of writable pages in a span
 * are all lazy or all promised. */
struct span {
    uint64_t start, end;
    bool lazy;
};

/* The i-th; false when there are no more. */
static bool span_of(const struct aspace *as, uint32_t i, struct span *s) {
    if (as->regions == 0 || as->heap + i > as->regions)
        return false;
    const struct region *r = &as->region[as->heap + i - 1];
    *s = (struct span){i == 0 ? 0 : r->start, r->end, r->lazy};
    return true;
}

/* ---- frames behind leaves ------------------------------------------------- */

/* While leaves are taken out of a space. */
struct putting {
    struct aspace *as;
    uint64_t freed; /* leaves whose last owner this was; in a lazy region of 4 KiB all */
};

/* The promises of lazy frames go with them. */
static void put_end(const struct putting *put, bool lazy) {
    if (lazy && put->freed)
        frame_uncommit(put->freed);
}

/* Drops what a leaf that is no more had of its frame. */
static void put_leaf(void *ctx, pte_t e, unsigned level) {
    struct putting *put = ctx;
    put->as->present -= level_size(level) / PAGE_SIZE;
    put->freed += frame_put(frame_leaf(e, level));
}

/* The same for a table's leaves: exit does it for every page. */
static void put_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    struct putting *put = ctx;
    struct frame_cursor near = FRAME_CURSOR;
    uint64_t leaves = 0, freed = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!pte_valid(entry[i]))
            continue;
        freed += frame_put_near(&near, frame_leaf(entry[i], level));
        leaves++;
    }
    put->freed += freed;
    put->as->present -= leaves * (level_size(level) / PAGE_SIZE);
}

/* After the user's leaves in [start, end) changed. */
static void sync(struct aspace *as, uint64_t start, uint64_t end) {
    design_sync(as, VA(start), VA(end), &gathers[hart_self()->index][1]);
}

/* After sync and the flush. */
static void sync_finish(struct aspace *as) {
    pt_gather_finish(&as->kernel, &gathers[hart_self()->index][1], NULL, NULL);
}

/* ---- create and destroy --------------------------------------------------- */

static int create_views(struct aspace *as) {
    int err = pt_init(&as->user, &pt_frames);
    if (!err)
        err = kmap_trampoline(&as->user);
    if (!err)
        err = pt_map(&as->user, VA(TRAPFRAME), as->trapframe, PAGE_SIZE, PTE_R | PTE_W, 0);
    if (!err)
        err = as->design->create(as);
    return err;
}

void aspace_init(struct aspace *as) { spin_init(&as->lock, "address space"); }

/* Everything but the lock, which somebody may still give back. */
static void make_empty(struct aspace *as) {
    ASSERT(!as->live);
    size_t kept = offsetof(struct aspace, live);
    memset((char *)as + kept, 0, sizeof(*as) - kept);
}

/* From here on, or from here on no more, others may look at the space. */
static void set_live(struct aspace *as, bool live) {
    spin_lock(&as->lock);
    as->live = live;
    spin_unlock(&as->lock);
}

int aspace_create(struct aspace *as, const struct design *design, uint32_t id, uint32_t slot,
                  paddr_t trapframe) {
    make_empty(as);
    as->design = design;
    as->slot = slot;
    as->trapframe = trapframe;
    int err = commit_regions(as);
    if (err)
        return err;
    tlb_tag_init(&as->tlb, id);
    if (create_views(as))
        panic("an address space's own tables were not covered by its commitment");
    as->user_satp = satp_make(as->user.root, tlb_user_asid(&as->tlb));
    set_live(as, true);
    return 0;
}

static void put_all_leaves(struct aspace *as) {
    struct span s;
    for (uint32_t i = 0; span_of(as, i, &s); i++) {
        struct putting put = {.as = as};
        pt_leaves(&as->user, VA(s.start), VA(s.end), put_leaves, &put);
        put_end(&put, s.lazy);
    }
}

void aspace_destroy(struct aspace *as) {
    set_live(as, false); /* waits for who is looking: vmtable */
    if (DEBUG)
        check_space(as);
    if (as->design->destroy)
        as->design->destroy(as);
    put_all_leaves(as);
    /* The leaves up there (stack, trampoline, trapframe) are not the space's. */
    pt_clear(&as->user, VA(0), VA(aspace_end(as)));
    pt_clear(&as->user, VA(KSTACKS_START), VA(USER_HALF_END));
    pt_free_root(&as->user);
    ASSERT(as->present == 0);
    if (as->image)
        image_put(as->image);
    frame_uncommit(as->committed);
    as->image = NULL;
    as->regions = 0;
    as->committed = as->lazy_tables = 0;
}

/* ---- exec ----------------------------------------------------------------- */

uaddr_t aspace_stack(const struct image *image) { return UA(image->end + PAGE_SIZE); }

static void add_segment(struct aspace *as, const struct image_segment *s) {
    if (s->file_end > s->start)
        add_region(as, REGION_IMAGE, s->start, s->file_end, s->perm, s->first_page);
    if (s->end > s->file_end)
        add_region(as, REGION_BSS, s->file_end, s->end, s->perm, 0);
}

/* The program's pages, which are there anyway: mapped now, they need no fault.
 * Writable ones are copied when they are written. */
static void map_image_pages(struct aspace *as, const struct region *r) {
    uint64_t pages = (r->end - r->start) / PAGE_SIZE;
    for (uint64_t i = 0; i < pages; i++) {
        paddr_t frame = as->image->page[r->first_page + i];
        frame_get(frame_single(frame));
        if (pt_map(&as->user, VA(r->start + i * PAGE_SIZE), frame, PAGE_SIZE,
                   (r->perm & ~PTE_W) | PTE_U, 0))
            panic("a program's tables were not covered by the commitment");
    }
    as->present += pages;
}

int aspace_load(struct aspace *as, struct image *image, paddr_t stack) {
    uint64_t stack_start = aspace_stack(image).v, top = stack_start + PAGE_SIZE;
    uint64_t heap = ROUND_UP(top, LARGE_SIZE); /* USER_MAX is a multiple too */
    if (image->end > USER_MAX - 2 * PAGE_SIZE)
        return -K_ENOEXEC;
    ASSERT(as->regions == 0);
    for (uint32_t i = 0; i < image->segments; i++)
        add_segment(as, &image->segment[i]);
    add_region(as, REGION_STACK, stack_start, top, PTE_R | PTE_W, 0);
    /* The byte below the break can be used before anything was granted, as in xv6, where
     * it is the stack's; its usertests do. */
    as->heap = as->regions;
    add_region(as, REGION_HEAP, MAX(top, heap - PAGE_SIZE), heap, PTE_R | PTE_W, 0);
    int err = commit_regions(as);
    if (err) {
        as->regions = 0;
        return err;
    }
    if (!commit_lazy)
        frame_uncommit(1); /* the stack's frame: this space's promise covers it now */
    if (pt_map(&as->user, VA(stack_start), stack, PAGE_SIZE, PTE_R | PTE_W | PTE_U, 0))
        panic("a stack's tables were not covered by the commitment");
    as->present = 1;
    as->brk = heap;
    as->image = image;
    image_get(image);
    for (uint32_t i = 0; i < as->regions; i++)
        if (as->region[i].kind == REGION_IMAGE)
            map_image_pages(as, &as->region[i]);
    sync(as, 0, top);
    sync_finish(as);
    if (DEBUG)
        check_space(as);
    return 0;
}

/* ---- fork ----------------------------------------------------------------- */

static void share_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    struct aspace *child = ctx;
    struct frame_cursor near = FRAME_CURSOR;
    uint64_t shared = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!pte_valid(entry[i]))
            continue;
        frame_get_near(&near, frame_leaf(entry[i], level));
        shared++;
    }
    child->present += shared * (level_size(level) / PAGE_SIZE);
}

static void share_span(struct aspace *child, struct aspace *parent, struct span s) {
    /* A leaf without W in a writable region is copied on write. */
    if (pt_copy(&child->user, &parent->user, VA(s.start), VA(s.end), PTE_W, share_leaves, child))
        panic("a copy's tables were not covered by its commitment");
    sync(parent, s.start, s.end);
}

int aspace_clone(struct aspace *child, struct aspace *parent) {
    memcpy(child->region, parent->region, sizeof(child->region));
    child->regions = parent->regions;
    child->heap = parent->heap;
    child->lazy_tables = commit_tables_in_use(parent);
    int err = commit_regions(child);
    if (err) {
        child->regions = 0;
        child->lazy_tables = 0;
        return err;
    }
    child->brk = parent->brk;
    child->image = parent->image;
    if (child->image)
        image_get(child->image);
    struct span s;
    spin_lock(&parent->lock);
    for (uint32_t i = 0; span_of(parent, i, &s); i++)
        share_span(child, parent, s);
    tlb_flush(&parent->tlb);
    sync_finish(parent);
    spin_unlock(&parent->lock);
    for (uint32_t i = 0; span_of(child, i, &s); i++)
        sync(child, s.start, s.end);
    sync_finish(child);
    if (DEBUG) {
        check_space(parent);
        check_space(child);
    }
    return 0;
}

/* ---- sbrk ----------------------------------------------------------------- */

/* Whether the page that the break is in is part of this region of the heap. */
static bool holds_break(const struct aspace *as, const struct region *r) {
    return r->start < r->end && ROUND_UP(as->brk, PAGE_SIZE) == r->end && as->brk != r->end;
}

/* The heap up to brk, promised or lazy: its last region grows, or there is one more. What is
 * granted lazily may then be promised, for want of regions; not the other way round. */
static void grow(struct aspace *as, uint64_t brk, bool lazy) {
    struct region *last = heap_of(as);
    uint64_t end = MAX(ROUND_UP(brk, PAGE_SIZE), last->end);
    if (!lazy && last->lazy && holds_break(as, last))
        last->end -= PAGE_SIZE; /* see promise_last_page */
    if (last->start == last->end)
        last->lazy = lazy;
    if (last->lazy != lazy && last->end < end && as->regions + (lazy ? 1 : 0) < ASPACE_REGIONS) {
        as->region[as->regions++] = *last;
        last[1].start = last->end;
        last[1].lazy = lazy;
        last++;
    }
    last->end = end;
    as->brk = brk;
}

/* Makes sure that neither a leaf nor the frame behind it crosses va. */
static void split_at(struct aspace *as, uint64_t va) {
    unsigned level;
    pte_t e = *pt_walk(&as->user, VA(va), &level);
    if (level == 0 || !pte_is_leaf(e) || IS_ALIGNED(va, level_size(level)))
        return;
    if (pt_split(&as->user, VA(va)))
        panic("a table to split a large leaf was not covered by the commitment");
    frame_split_large(pte_pa(e));
}

/* Takes out the user's leaves in [start, end), flushes, and gives them back; as
 * many rounds as the gather needs. */
static void remove_range(struct aspace *as, uint64_t start, uint64_t end, bool lazy) {
    struct putting put = {.as = as};
    struct pt_gather *gather = &gathers[hart_self()->index][0];
    split_at(as, start);
    split_at(as, end);
    for (uint64_t at = start; at < end;) {
        uint64_t next = pt_unmap(&as->user, VA(at), VA(end), gather).v;
        sync(as, at, next);
        /* A flush of one address covers leaves only, and not a table made by a split
         * or one that fell empty. */
        bool leaves_only = as->user.tables + as->kernel.tables == as->fenced_tables &&
                           !gather->tables.v && !gathers[hart_self()->index][1].tables.v;
        if (next - at == PAGE_SIZE && leaves_only)
            tlb_flush_page(&as->tlb, VA(at));
        else
            tlb_flush(&as->tlb);
        sync_finish(as);
        pt_gather_finish(&as->user, gather, put_leaf, &put);
        as->fenced_tables = as->user.tables + as->kernel.tables;
        at = next;
    }
    put_end(&put, lazy);
}

static void shrink(struct aspace *as, uint64_t brk) {
    /* The page that the break is in stays, unless nobody has it: then the heap, when it
     * grows again, begins with that page. */
    bool in_gap = !aspace_region_locked(as, brk);
    uint64_t keep = in_gap ? ROUND_DOWN(brk, PAGE_SIZE) : ROUND_UP(brk, PAGE_SIZE);
    for (uint32_t i = as->regions; i-- > 0;) {
        struct region *r = &as->region[i];
        uint64_t start = MAX(r->start, keep);
        if (start < r->end)
            remove_range(as, start, r->end, r->lazy);
        r->start = MIN(r->start, keep);
        r->end = MIN(r->end, keep);
    }
    while (as->regions - 1 > as->heap && heap_of(as)->start == heap_of(as)->end)
        as->regions--;
    as->brk = brk;
    commit_count_tables(as);
}

/* The page that an address is in, as one that the process may write and has alone; NULL when
 * it has none there, or one that may not be written. -K_ENOMEM: it is shared, lazy, and
 * there is no memory for a copy. */
static int own_page(struct aspace *as, uint64_t va, char **page) {
    const struct region *r = aspace_region_locked(as, va);
    unsigned level;
    void *found = NULL;
    int err = 0;
    if (r && (r->perm & PTE_W) && pte_valid(*pt_walk(&as->user, VA(va), &level)))
        err = aspace_page(as, va, PTE_W, &found);
    *page = found;
    return err;
}

/* When the break was moved down into a page that stays, what is given back there is zero
 * when it is granted again. A page that may not be written stays as it is. */
static int prepare_shrink(struct aspace *as, uint64_t brk, char **page) {
    *page = NULL;
    return brk & (PAGE_SIZE - 1) ? own_page(as, brk, page) : 0;
}

/* Promised heap begins in a page that was granted lazily: the page becomes promised too. If
 * it is there the process has it alone, and the promise that its frame brings is given back
 * when the space has promised it. */
static int promise_last_page(struct aspace *as, char **page) {
    const struct region *last = heap_of(as);
    *page = NULL;
    return last->lazy && holds_break(as, last) ? own_page(as, as->brk, page) : 0;
}

static int grow_to(struct aspace *as, uint64_t brk, bool lazy) {
    char *page = NULL;
    int err = lazy ? 0 : promise_last_page(as, &page);
    if (err)
        return err;
    struct region *last = heap_of(as), before = *last;
    uint64_t old = as->brk;
    spin_lock(&as->lock);
    grow(as, brk, lazy);
    err = commit_regions(as);
    if (err) {
        as->regions = (uint32_t)(last + 1 - as->region);
        *last = before;
        as->brk = old;
    }
    spin_unlock(&as->lock);
    if (!err && page)
        frame_uncommit(1);
    return err;
}

static int shrink_to(struct aspace *as, uint64_t brk) {
    char *page;
    int err = prepare_shrink(as, brk, &page);
    if (err)
        return err;
    spin_lock(&as->lock);
    shrink(as, brk);
    err = commit_regions(as);
    spin_unlock(&as->lock);
    ASSERT(!err);
    uint64_t used = brk & (PAGE_SIZE - 1);
    if (page)
        memset(page + used, 0, PAGE_SIZE - used);
    return 0;
}

static int move_break(struct aspace *as, int64_t delta, bool lazy, uint64_t *old) {
    *old = as->brk;
    if (delta == 0)
        return 0;
    /* The break is below 2^38, so the sum cannot wrap. */
    if (delta < 0 ? -(uint64_t)delta > as->brk : (uint64_t)delta > USER_MAX - as->brk)
        return -K_ENOMEM;
    uint64_t brk = as->brk + delta;
    int err = delta > 0 ? grow_to(as, brk, lazy || commit_lazy) : shrink_to(as, brk);
    if (DEBUG)
        check_space(as);
    return err;
}

int aspace_sbrk(struct aspace *as, int64_t delta, uint64_t *old) {
    return move_break(as, delta, false, old);
}

int aspace_grow_lazily(struct aspace *as, int64_t delta, uint64_t *old) {
    return move_break(as, delta, true, old);
}
