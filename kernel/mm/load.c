/* A program in an empty space: what exec grants it. See aspace.h. */
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/aspace.h"
#include "mm/change.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/zeros.h"

/* Of a large stack, what is used first and promised. */
#define STACK_PROMISED (64 * 1024ULL)

struct stack {
    uint64_t start, promised, end; /* lazy, then promised */
    uint64_t guard;                /* from there to start is a mapping that permits nothing */
};

/* Above the program, as xv6 has it; right below, if it is larger and there is room: then the
 * pages that every process touches are in one page table with the program's. */
static struct stack stack_of(const struct elf_plan *plan) {
    uint64_t bytes = plan->stack ? plan->stack : PAGE_SIZE;
    uint64_t promised = MIN(bytes, STACK_PROMISED + ROUND_UP(plan->stack_filled, PAGE_SIZE));
    uint64_t first = ROUND_DOWN(plan->segment[0].vaddr, PAGE_SIZE);
    uint64_t end = plan->end + PAGE_SIZE + bytes;
    if (plan->stack && first > PAGE_SIZE && bytes <= first - PAGE_SIZE)
        end = first;
    if (plan->stack_end)
        end = plan->stack_end;
    uint64_t start = end - bytes;
    return (struct stack){start, end - promised, end, plan->stack_end ? start - PAGE_SIZE : start};
}

uaddr_t aspace_stack(const struct elf_plan *plan) { return UA(stack_of(plan).end - PAGE_SIZE); }

/* Memory of the process's own from the start: a program's, its stack, its heap. */
static int add_private(struct aspace *as, struct object *object, uint64_t start, uint64_t end,
                       uint64_t perm, uint64_t first) {
    if (start == end)
        return 0;
    bool owns = (perm & PTE_W) || object->filled; /* whatever the program may */
    const struct mapping m = {.start = start,
                              .end = end,
                              .object = object,
                              .first = first,
                              .perm = (uint8_t)perm,
                              .limit = PTE_RWX,
                              .owns = owns,
                              .lazy = owns && commit_lazy};
    return change_insert(as, &m);
}

static int add_segment(struct aspace *as, struct object *program, const struct elf_segment *s) {
    struct elf_pages p = elf_pages(s);
    int err = add_private(as, program, p.start, p.shown, s->perm, p.first);
    if (!err)
        err = add_private(as, &zeros_filled, p.shown, p.copied, s->perm,
                          p.first + (p.shown - p.start) / PAGE_SIZE);
    return err ? err : add_private(as, &zeros_bss, p.copied, p.end, s->perm, 0);
}

/* Of a large one, most comes when it is touched, and only if there is memory then. */
static int add_stack(struct aspace *as, struct stack s) {
    const struct mapping rest = {.start = s.start,
                                 .end = s.promised,
                                 .object = &zeros_stack,
                                 .perm = PTE_R | PTE_W,
                                 .limit = PTE_RWX,
                                 .owns = true,
                                 .lazy = true,
                                 .lazy_tables = true};
    int err = s.start < s.promised ? change_insert(as, &rest) : 0;
    if (!err && s.guard < s.start)
        err = add_private(as, &zeros_stack, s.guard, s.start, 0, 0);
    return err ? err : add_private(as, &zeros_stack, s.promised, s.end, PTE_R | PTE_W, 0);
}

static int add_segments(struct aspace *as, const struct elf_plan *plan, struct object *program) {
    int err = 0;
    for (uint32_t i = 0; !err && i < plan->segments; i++)
        err = add_segment(as, program, &plan->segment[i]);
    return err;
}

static int add_program(struct aspace *as, const struct elf_plan *plan, struct object *program,
                       struct stack stack, uint64_t heap) {
    int err = add_segments(as, plan, program);
    if (!err)
        err = add_stack(as, stack);
    /* To a program of xv6 the byte below the break can be used before anything was granted, since
     * there it is the stack's; its usertests do. */
    if (!err && !plan->stack)
        err = add_private(as, &zeros_heap, MAX(stack.end, heap - PAGE_SIZE), heap, PTE_R | PTE_W,
                          0);
    return err ? err : commit_settle(as);
}

static void put_stack_page(struct aspace *as, uint64_t at, paddr_t frame) {
    if (!commit_lazy)
        frame_uncommit(1); /* the frame's: this space's promise covers it now */
    if (pt_map(&as->user, VA(at), frame, PAGE_SIZE, PTE_R | PTE_W | PTE_U, 0))
        panic("a stack's tables were not covered by the commitment");
    mapping_at(&as->mappings, at)->touched = true;
    as->present = 1;
}

/* The lock: whoever goes through the program's reverse map finds this space already. */
static int load_locked(struct aspace *as, const struct elf_plan *plan, struct object *program,
                       paddr_t stack_page) {
    ASSERT_LOCKED(&as->lock);
    struct stack stack = stack_of(plan);
    uint64_t first = MIN(plan->segment[0].vaddr, stack.end - PAGE_SIZE);
    uint64_t last = MAX(plan->end, stack.end);
    uint64_t heap = ROUND_UP(last, LARGE_SIZE); /* USER_MAX is a multiple too */
    if (last > USER_MAX || plan->stack > USER_MAX || (plan->stack_end && plan->end > stack.guard))
        return -K_ENOEXEC;
    if (plan->stack_end)
        heap = last = plan->end;
    ASSERT(as->mappings.count == 0);
    int err = add_program(as, plan, program, stack, heap);
    if (err) {
        int none = change_remove(as, 0, USER_MAX);
        ASSERT(!none);
        return err;
    }
    if (stack_page.v)
        put_stack_page(as, stack.end - PAGE_SIZE, stack_page);
    as->brk = as->first_brk = as->heap_end = heap;
    as->map_below = plan->map_below;
    change_populate(as, 0, plan->end);
    change_sync(as, ROUND_DOWN(first, PAGE_SIZE), last);
    change_sync_finish(as);
    return 0;
}

int aspace_load(struct aspace *as, const struct elf_plan *plan, struct object *program,
                paddr_t stack_page) {
    spin_lock(&as->lock);
    int err = load_locked(as, plan, program, stack_page);
    spin_unlock(&as->lock);
    if (DEBUG && !err)
        check_space(as);
    return err;
}

static int load_more_locked(struct aspace *as, const struct elf_plan *plan,
                            struct object *program) {
    ASSERT_LOCKED(&as->lock);
    uint64_t start = ROUND_DOWN(plan->segment[0].vaddr, PAGE_SIZE);
    const struct mapping *next = mapping_from(&as->mappings, start);
    if (plan->end > USER_MAX || (next && next->start < plan->end))
        return -K_EEXIST;
    int err = add_segments(as, plan, program);
    if (!err)
        err = commit_settle(as);
    if (err)
        return err;
    change_populate(as, start, plan->end);
    change_sync(as, start, plan->end);
    change_sync_finish(as);
    return 0;
}

int aspace_load_more(struct aspace *as, const struct elf_plan *plan, struct object *program) {
    spin_lock(&as->lock);
    int err = load_more_locked(as, plan, program);
    spin_unlock(&as->lock);
    if (DEBUG && !err)
        check_space(as);
    return err;
}

int aspace_copied_page(struct aspace *as, uint64_t va, void **page) {
    struct mapping *m = mapping_at(&as->mappings, va);
    ASSERT(m->object == &zeros_filled || m->object == &zeros_stack);
    int err = m->lazy ? frame_commit(1) : 0;
    if (err)
        return err;
    paddr_t frame = frame_take_zeroed();
    *page = pa_ptr(frame);
    va = ROUND_DOWN(va, PAGE_SIZE);
    spin_lock(&as->lock);
    if (pt_map(&as->user, VA(va), frame, PAGE_SIZE, m->perm | PTE_U, 0))
        panic("a program's tables were not covered by the commitment");
    m->touched = true;
    as->present++;
    design_sync(as, VA(va), VA(va + PAGE_SIZE), NULL); /* no table goes */
    spin_unlock(&as->lock);
    return 0;
}
