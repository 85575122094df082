/* One process's memory: regions, commitment, and both tables. */
#include "mm/aspace.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/check.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kmap.h"

/* A user's table before it has a page: the root, and the way to TRAMPOLINE. */
#define USER_FIXED_TABLES 3

/* One gather a hart, since it is too large for a kernel stack; and one for the
 * tables of the kernel's view. The kernel is not preempted while it uses them. */
static struct pt_gather gathers[NHART][2];

/* ---- the account ---------------------------------------------------------- */

static bool region_private(const struct region *r) {
    return r->kind != REGION_IMAGE || (r->perm & PTE_W);
}

/* Frames that the space may come to need: a page for each private one, and a
 * table for each span of 2 MiB and of 1 GiB that a region touches, twice where
 * the kernel's view has a copy. Regions are in order of address. */
static uint64_t frames_needed(const struct aspace *as) {
    uint64_t pages = 0, tables = 0, next_large = 0, next_giga = 0;
    for (uint32_t i = 0; i < as->regions; i++) {
        const struct region *r = &as->region[i];
        if (r->start == r->end)
            continue;
        if (region_private(r))
            pages += (r->end - r->start) / PAGE_SIZE;
        uint64_t large = MAX(r->start / LARGE_SIZE, next_large);
        uint64_t giga = MAX(r->start / GIB(1), next_giga);
        next_large = (r->end - 1) / LARGE_SIZE + 1;
        next_giga = (r->end - 1) / GIB(1) + 1;
        tables += next_large - large + next_giga - giga;
    }
    return pages + tables * (design.copies_tables ? 2 : 1) + USER_FIXED_TABLES +
           design.fixed_tables;
}

/* Brings the promise in line with the regions. Shrinking cannot fail. */
static int recommit(struct aspace *as) {
    uint64_t needed = frames_needed(as);
    if (needed > as->committed) {
        int err = frame_commit(needed - as->committed);
        if (err)
            return err;
    } else {
        frame_uncommit(as->committed - needed);
    }
    as->committed = needed;
    return 0;
}

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
    as->region[as->regions++] = (struct region){start, end, (uint8_t)kind, (uint8_t)perm,
                                                first_page};
}

/* The heap is the last region and may be empty. */
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

/* What regions cover: the program with its stack, and the heap. Who goes over all leaves
 * does so by spans, and leaves out the gap between. */
struct span {
    uint64_t start, end;
};

#define SPANS 2

static void spans_of(const struct aspace *as, struct span span[SPANS]) {
    const struct region *heap = &as->region[as->regions - 1];
    span[0] = (struct span){0, heap[-1].end};
    span[1] = (struct span){heap->start, heap->end};
}

/* ---- frames behind leaves ------------------------------------------------- */

/* Drops what a leaf that is no more had of its frame. */
static void put_leaf(void *ctx, pte_t e, unsigned level) {
    struct aspace *as = ctx;
    as->present -= level_size(level) / PAGE_SIZE;
    if (level == 0)
        frame_put(pte_pa(e));
    else
        frame_put_large(pte_pa(e));
}

/* The same for a table's leaves: exit does it for every page. */
static void put_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    struct aspace *as = ctx;
    struct frame_cursor near = FRAME_CURSOR;
    uint64_t put = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!pte_valid(entry[i]))
            continue;
        if (level == 0)
            frame_put_near(&near, pte_pa(entry[i]));
        else
            frame_put_large(pte_pa(entry[i]));
        put++;
    }
    as->present -= put * (level_size(level) / PAGE_SIZE);
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
        err = design_create(as);
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

int aspace_create(struct aspace *as, uint32_t id, uint32_t slot, paddr_t trapframe) {
    make_empty(as);
    as->slot = slot;
    as->trapframe = trapframe;
    int err = recommit(as);
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
    struct span span[SPANS];
    if (!as->regions)
        return;
    spans_of(as, span);
    for (unsigned i = 0; i < SPANS; i++)
        pt_leaves(&as->user, VA(span[i].start), VA(span[i].end), put_leaves, as);
}

void aspace_destroy(struct aspace *as) {
    set_live(as, false); /* waits for who is looking: vmtable */
    if (DEBUG)
        check_space(as);
    design_destroy(as);
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
    as->committed = 0;
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
        frame_get(frame);
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
    add_region(as, REGION_HEAP, MAX(top, heap - PAGE_SIZE), heap, PTE_R | PTE_W, 0);
    int err = recommit(as);
    if (err) {
        as->regions = 0;
        return err;
    }
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
        if (level == 0)
            frame_get_near(&near, pte_pa(entry[i]));
        else
            frame_get_large(pte_pa(entry[i]));
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
    int err = recommit(child);
    if (err) {
        child->regions = 0;
        return err;
    }
    child->brk = parent->brk;
    child->image = parent->image;
    if (child->image)
        image_get(child->image);
    struct span span[SPANS];
    spans_of(parent, span);

    spin_lock(&parent->lock);
    for (unsigned i = 0; i < SPANS; i++)
        share_span(child, parent, span[i]);
    tlb_flush(&parent->tlb);
    sync_finish(parent);
    spin_unlock(&parent->lock);
    for (unsigned i = 0; i < SPANS; i++)
        sync(child, span[i].start, span[i].end);
    sync_finish(child);
    if (DEBUG) {
        check_space(parent);
        check_space(child);
    }
    return 0;
}

/* ---- sbrk ----------------------------------------------------------------- */

static void grow(struct aspace *as, uint64_t brk) {
    heap_of(as)->end = MAX(ROUND_UP(brk, PAGE_SIZE), heap_of(as)->end);
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
static void remove_range(struct aspace *as, uint64_t start, uint64_t end) {
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
        pt_gather_finish(&as->user, gather, put_leaf, as);
        as->fenced_tables = as->user.tables + as->kernel.tables;
        at = next;
    }
}

static void shrink(struct aspace *as, uint64_t brk) {
    /* The page that the break is in stays, unless nobody has it: then the heap, when it
     * grows again, begins with that page. */
    bool in_gap = !aspace_region_locked(as, brk);
    uint64_t end = heap_of(as)->end;
    uint64_t keep = in_gap ? ROUND_DOWN(brk, PAGE_SIZE) : ROUND_UP(brk, PAGE_SIZE);
    if (keep < end)
        remove_range(as, keep, end);
    for (uint32_t i = 0; i < as->regions; i++) {
        struct region *r = &as->region[i];
        r->start = MIN(r->start, keep);
        r->end = MIN(r->end, keep);
    }
    as->brk = brk;
}

/* After the break was moved down into a page that stays: what is given back there
 * is zero when it is granted again. A page that may not be written stays as it is. */
static void clear_above_break(struct aspace *as) {
    uint64_t used = as->brk & (PAGE_SIZE - 1);
    void *page;
    if (used && !aspace_page(as, as->brk, PTE_W, &page))
        memset((char *)page + used, 0, PAGE_SIZE - used);
}

int aspace_sbrk(struct aspace *as, int64_t delta, uint64_t *old) {
    *old = as->brk;
    if (delta == 0)
        return 0;
    /* The break is below 2^38, so the sum cannot wrap. */
    if (delta < 0 ? -(uint64_t)delta > as->brk : (uint64_t)delta > USER_MAX - as->brk)
        return -K_ENOMEM;
    uint64_t brk = as->brk + delta;
    spin_lock(&as->lock);
    uint64_t heap_end = heap_of(as)->end;
    if (delta > 0)
        grow(as, brk);
    else
        shrink(as, brk);
    int err = recommit(as);
    if (err) {
        ASSERT(delta > 0);
        heap_of(as)->end = heap_end;
        as->brk = *old;
    }
    spin_unlock(&as->lock);
    if (delta < 0)
        clear_above_break(as);
    if (DEBUG)
        check_space(as);
    return err;
}
