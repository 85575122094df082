/* One process's memory as a whole: made, loaded with a program, cloned, destroyed. */
#include "mm/aspace.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/change.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/zeros.h"

uint64_t aspace_end(const struct aspace *as) {
    return as->mappings.last ? as->mappings.last->end : 0;
}

uint64_t aspace_granted(const struct aspace *as) {
    uint64_t bytes = 0;
    for (const struct mapping *m = as->mappings.first; m; m = m->next)
        bytes += m->end - m->start;
    return bytes;
}

/* Mappings near each other whose leaves are treated alike: who goes over all leaves does so by
 * spans, since to begin one costs as much as to pass over some tens of empty entries. Frames of
 * pages that a span's mappings own are all lazy or all promised. */
#define SPAN_GAP (16 * PAGE_SIZE)

struct span {
    uint64_t start, end;
    bool shared, lazy;
    const struct mapping *next; /* what follows it */
};

static struct span span_of(const struct mapping *first) {
    struct span s = {first->start, first->end, first->shared, first->lazy, first->next};
    for (; s.next && s.next->shared == s.shared && s.next->lazy == s.lazy &&
           s.next->start - s.end <= SPAN_GAP;
         s.next = s.next->next)
        s.end = s.next->end;
    return s;
}

/* ---- create and destroy --------------------------------------------------- */

static int create_views(struct aspace *as) {
    int err = pt_init(&as->user, paging.levels, &pt_frames);
    if (!err)
        err = kmap_trampoline(&as->user);
    if (!err)
        err = pt_map(&as->user, VA(TRAPFRAME), as->trapframe, PAGE_SIZE, PTE_R | PTE_W, 0);
    if (!err)
        err = as->design->create(as);
    return err;
}

void aspace_init(struct aspace *as) { spin_init(&as->lock, RANK_SPACE); }

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
    int err = commit_settle(as);
    if (err)
        return err;
    tlb_tag_init(&as->tlb, id);
    if (create_views(as))
        panic("an address space's own tables were not covered by its commitment");
    as->user_satp = pt_satp(&as->user, tlb_user_asid(&as->tlb));
    set_live(as, true);
    return 0;
}

/* While all leaves are taken out of a space. */
struct putting {
    struct aspace *as;
    uint64_t freed; /* leaves whose last owner this was; in a lazy mapping of 4 KiB all */
};

/* Exit does it for every page. */
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

static void put_all_leaves(struct aspace *as) {
    struct span s;
    for (const struct mapping *m = as->mappings.first; m; m = s.next) {
        struct putting put = {.as = as};
        s = span_of(m);
        pt_leaves(&as->user, VA(s.start), VA(s.end), put_leaves, &put);
        if (s.lazy && put.freed)
            frame_uncommit(put.freed); /* the promises of lazy frames go with them */
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
    mapping_free_all(&as->mappings);
    frame_uncommit(as->committed);
    as->committed = as->needed = as->lazy_tables = 0;
}

/* ---- exec ----------------------------------------------------------------- */

uaddr_t aspace_stack(const struct image *image) { return UA(image->end + PAGE_SIZE); }

/* Memory of the process's own from the start: a program's, its stack, its heap. */
static int add_private(struct aspace *as, struct object *object, uint64_t start, uint64_t end,
                       uint64_t perm, uint64_t first) {
    bool owns = perm & PTE_W;
    const struct mapping m = {.start = start,
                              .end = end,
                              .object = object,
                              .first = first,
                              .perm = (uint8_t)perm,
                              .limit = PTE_RWX,
                              .owns = owns,
                              .lazy = owns && commit_lazy};
    return start < end ? change_insert(as, &m) : 0;
}

static int add_segment(struct aspace *as, struct image *image, const struct image_segment *s) {
    int err = add_private(as, &image->object, s->start, s->file_end, s->perm, s->first_page);
    return err ? err : add_private(as, &zeros_bss, s->file_end, s->end, s->perm, 0);
}

static int add_program(struct aspace *as, struct image *image, uint64_t heap) {
    uint64_t stack = aspace_stack(image).v, top = stack + PAGE_SIZE;
    int err = 0;
    for (uint32_t i = 0; !err && i < image->segments; i++)
        err = add_segment(as, image, &image->segment[i]);
    if (!err)
        err = add_private(as, &zeros_stack, stack, top, PTE_R | PTE_W, 0);
    /* The byte below the break can be used before anything was granted, as in xv6, where
     * it is the stack's; its usertests do. */
    if (!err)
        err = add_private(as, &zeros_heap, MAX(top, heap - PAGE_SIZE), heap, PTE_R | PTE_W, 0);
    return err ? err : commit_settle(as);
}

int aspace_load(struct aspace *as, struct image *image, paddr_t stack) {
    uint64_t stack_start = aspace_stack(image).v, top = stack_start + PAGE_SIZE;
    uint64_t heap = ROUND_UP(top, LARGE_SIZE); /* USER_MAX is a multiple too */
    if (image->end > USER_MAX - 2 * PAGE_SIZE)
        return -K_ENOEXEC;
    ASSERT(as->mappings.count == 0);
    int err = add_program(as, image, heap);
    if (err) {
        int none = change_remove(as, 0, USER_MAX);
        ASSERT(!none);
        return err;
    }
    if (!commit_lazy)
        frame_uncommit(1); /* the stack's frame: this space's promise covers it now */
    if (pt_map(&as->user, VA(stack_start), stack, PAGE_SIZE, PTE_R | PTE_W | PTE_U, 0))
        panic("a stack's tables were not covered by the commitment");
    as->present = 1;
    as->brk = as->heap_end = heap;
    change_populate(as, 0, image->end);
    change_sync(as, 0, top);
    change_sync_finish(as);
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
    if (pt_copy(&child->user, &parent->user, VA(s.start), VA(s.end), s.shared ? 0 : PTE_W,
                share_leaves, child))
        panic("a copy's tables were not covered by its commitment");
    change_sync(parent, s.start, s.end);
}

static int clone_mappings(struct aspace *child, const struct aspace *parent) {
    int err = mapping_copy_all(&child->mappings, &parent->mappings);
    if (err)
        return err;
    child->needed = parent->needed;
    child->lazy_tables = commit_tables_in_use(parent);
    err = commit_settle(child);
    if (err) {
        mapping_free_all(&child->mappings);
        child->needed = child->lazy_tables = 0;
    }
    return err;
}

int aspace_clone(struct aspace *child, struct aspace *parent) {
    int err = clone_mappings(child, parent);
    if (err)
        return err;
    child->brk = parent->brk;
    child->heap_end = parent->heap_end;
    struct span s;
    spin_lock(&parent->lock);
    for (const struct mapping *m = parent->mappings.first; m; m = s.next) {
        s = span_of(m);
        share_span(child, parent, s);
    }
    tlb_flush(&parent->tlb);
    change_sync_finish(parent);
    spin_unlock(&parent->lock);
    for (const struct mapping *m = child->mappings.first; m; m = s.next) {
        s = span_of(m);
        change_sync(child, s.start, s.end);
    }
    change_sync_finish(child);
    if (DEBUG) {
        check_space(parent);
        check_space(child);
    }
    return 0;
}
