/* Failed accesses in words: see explain.h. */
#include "mm/explain.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/turn.h"

/* Text for an entry's eight flags, a dash for each that is clear. */
struct pte_letters {
    char text[9];
};

static struct pte_letters pte_letters(pte_t e) {
    struct pte_letters l = {"VRWXUGAD"};
    for (unsigned i = 0; i < 8; i++)
        if (!(e & 1ULL << i))
            l.text[i] = '-';
    return l;
}

struct failure {
    const struct aspace *as;
    uint64_t va, access;
    int err;      /* of aspace_fault */
    bool user;    /* user mode's access */
    bool refused; /* by the machine, after the translation: an access fault */
    bool lost;    /* the walk stops at a table that is not in RAM */
    pte_t e;      /* where the walk stops; 0 when it does not begin */
    unsigned level;
    struct step {
        paddr_t at;
        pte_t e;
        unsigned level;
    } step[PT_LEVELS_MAX];
    unsigned steps;
};

/* ---- the walk ------------------------------------------------------------------ */

/* Notes the entries that the walk comes by. */
static void walk(struct failure *f, paddr_t root) {
    struct pt tree = pt_tree(root, paging.levels);
    if (!va_canonical(VA(f->va), paging.levels))
        return;
    for (struct pt_cursor c = pt_cursor_root(&tree, f->va, f->va);; pt_down(&c)) {
        f->e = *c.entry;
        f->level = c.level;
        f->lost = pt_is_above(&c) && !kmap_is_ram(pte_pa(f->e));
        f->step[f->steps++] = (struct step){ptr_pa(c.entry), f->e, f->level};
        if (f->lost || !pt_is_above(&c))
            return;
    }
}

static void print_walk(const struct failure *f) {
    kprintf("the walk of 0x%016lx:\n", (unsigned long)f->va);
    for (const struct step *s = f->step; s < f->step + f->steps; s++) {
        bool last = s + 1 == f->step + f->steps;
        bool stop = (last && f->lost) || (f->refused && pte_is_leaf(s->e)) ||
                    pte_refuses(s->e, s->level, f->access, f->user);
        kprintf("%s level %u, entry %3u at 0x%016lx: 0x%016lx %s\n", stop ? "->" : "  ", s->level,
                va_index(VA(f->va), s->level), (unsigned long)s->at.v, (unsigned long)s->e,
                pte_letters(s->e).text);
    }
}

/* ---- places ---------------------------------------------------------------------- */

static const char *name_of(const struct mapping *m) { return object_name(m->object, m->perm); }

static const char *verb(uint64_t access) {
    return access == PTE_R ? "read" : access == PTE_W ? "written" : "executed";
}

static char letter(uint64_t access) { return access == PTE_R ? 'R' : access == PTE_W ? 'W' : 'X'; }

/* What lies above, and the limit of a stack, whose guard page may have been jumped over: all of
 * its mappings. */
static void say_above(const struct mapping *lowest, const char *end) {
    const struct mapping *m = lowest;
    if (!lowest->object->guarded) {
        kprintf("the %s, which begins at 0x%lx%s\n", name_of(lowest), (unsigned long)lowest->start,
                end);
        return;
    }
    while (m->next && m->next->start == m->end && m->next->object == lowest->object)
        m = m->next;
    kprintf("the %s, which is 0x%lx to 0x%lx, %lu KiB%s\n", name_of(lowest),
            (unsigned long)lowest->start, (unsigned long)m->end,
            (unsigned long)(m->end - lowest->start) / 1024, end);
}

static void say_between(const struct mapping *below, const struct mapping *above) {
    if (below)
        kprintf("between the %s, which ends at 0x%lx, and ", name_of(below),
                (unsigned long)below->end);
    else
        kprintf("below ");
    say_above(above, "");
}

/* Below USER_MAX, in no mapping: what lies around it is said by the neighbours' objects. */
static void say_no_mapping(const struct failure *f) {
    const struct mapping *below = mapping_below(&f->as->mappings, f->va);
    const struct mapping *above = mapping_from(&f->as->mappings, f->va);
    if (above && above->object->guarded && f->va >= above->start - PAGE_SIZE) {
        kprintf("guard page below ");
        say_above(above, ": an overflow");
    } else if (f->va < PAGE_SIZE) {
        kprintf("a null pointer, or near one: the program has nothing there\n");
    } else if (!above) {
        kprintf("beyond all that the program was granted: the break is 0x%lx\n",
                (unsigned long)f->as->brk);
    } else {
        say_between(below, above);
    }
}

static void say_no_address(void) {
    unsigned bits = VA_BITS(paging.levels);
    kprintf("not an address: bits 63 to %u differ from bit %u (Sv%u)\n", bits, bits - 1, bits);
}

/* The last entry of the root's low half, the kernel's own. */
static void say_kernels_end(const struct failure *f) {
    const char *what = "the kernel's end of the low half";
    if (f->va >= TRAMPOLINE)
        what = "the trampoline";
    else if (f->va >= TRAPFRAME)
        what = "the trapframe";
    else if (f->va >= KSTACKS_START)
        what = f->va & KSTACK_SIZE ? "a kernel stack" : "a guard page below a kernel stack";
    else if (f->va >= TRAPFRAMES_START)
        what = "a further thread's trapframe";
    if (f->user)
        kprintf("%s: not for user mode%s\n", what, pte_is_leaf(f->e) ? ", the leaf has no U" : "");
    else if (pte_is_leaf(f->e))
        kprintf("%s: the leaf has no %c\n", what, letter(f->access));
    else
        kprintf("%s: nothing is mapped there in this table\n", what);
}

/* ---- sentences --------------------------------------------------------------------- */

/* What no program and no access can be blamed for. */
static bool say_broken_entry(const struct failure *f) {
    uint64_t offset = f->va & (level_size(f->level) - 1);
    bool refused = f->refused && pte_is_leaf(f->e);
    if (f->lost)
        kprintf("the table that the entry points to is not in RAM: somebody has written over the "
                "entry\n");
    else if (refused)
        kprintf("the walk permits this access, but the machine does not: memory protection forbids "
                "it, or nothing answers, at physical address 0x%lx\n",
                (unsigned long)(pte_pa(f->e).v + offset));
    return f->lost || refused;
}

/* Nothing forbids it, and yet there is no page, or it may not be written: what the object said.
 * NULL: it said nothing. */
static const char *objects_reason(int err) {
    switch (err) {
    case -K_ENXIO: return "%s has no such page: it ends before it\n";
    case -K_ENOSPC: return "%s has no block there, and the disk is full\n";
    case -K_EROFS: return "the disk takes no more changes, of %s neither\n";
    case -K_EIO: return "the page of %s cannot be read\n";
    default: return NULL;
    }
}

static void say_user(const struct failure *f) {
    const struct mapping *m = f->va < USER_MAX ? mapping_at(&f->as->mappings, f->va) : NULL;
    if (say_broken_entry(f))
        return;
    if (!va_canonical(VA(f->va), paging.levels))
        say_no_address();
    else if (f->va >= USER_HALF_END)
        kprintf("the kernel's half of the address space: not for user mode\n");
    else if (f->va >= USER_MAX)
        say_kernels_end(f);
    else if (!m)
        say_no_mapping(f);
    else if (!(m->perm & f->access))
        kprintf("%s %c: the %s may not be %s\n",
                pte_is_leaf(f->e) ? "the leaf has no" : "no leaf would have", letter(f->access),
                name_of(m), verb(f->access));
    else if (objects_reason(f->err))
        kprintf(objects_reason(f->err), name_of(m));
    else if (m->lazy)
        kprintf("no memory is left for it: the %s was granted lazily, without a promise\n",
                name_of(m));
    else
        kprintf("the mapping permits it and memory for it is promised: a mistake of the kernel\n");
}

/* The kernel's half: physical address p at DIRECT_BASE + p. */
static void say_direct(const struct failure *f) {
    extern char kernel_start[], kernel_end[];
    const char *what = f->e & PTE_X ? "the kernel's text" : "the kernel's read-only data";
    if (!pte_is_leaf(f->e) && f->va >= (uint64_t)kernel_start && f->va < (uint64_t)kernel_end)
        kprintf("a guard page below a hart's own stack\n");
    else if (!pte_is_leaf(f->e))
        kprintf("neither RAM that the kernel may use nor a device is at physical address "
                "0x%lx\n",
                (unsigned long)(f->va - DIRECT_BASE));
    else
        kprintf("the leaf has no %c: %s may not be %s\n", letter(f->access),
                f->e & PTE_W ? "data" : what, verb(f->access));
}

static void say_kernel(const struct failure *f) {
    if (say_broken_entry(f))
        return;
    if (!va_canonical(VA(f->va), paging.levels))
        say_no_address();
    else if (!pte_refuses(f->e, f->level, f->access, false))
        kprintf("the walk permits this access: has somebody changed the entry without "
                "sfence.vma?\n");
    else if (f->va >= KERNEL_HALF)
        say_direct(f);
    else if (f->va >= USER_HALF_END)
        kprintf("the kernel's half, below physical address 0: nothing is mapped there\n");
    else if (f->va >= USER_MAX)
        say_kernels_end(f);
    else if (f->va < PAGE_SIZE)
        kprintf("a null pointer, or near one; user memory is for the copy routines only\n");
    else
        kprintf("user memory, outside of the copy routines: copyin and copyout reach it, the "
                "kernel's own code never\n");
}

void explain_user_fault(struct aspace *as, uint64_t va, struct failed_access access, int err) {
    struct failure f = {.as = as,
                        .va = va,
                        .access = access.wanted,
                        .refused = access.refused,
                        .err = err,
                        .user = true};
    if (!f.access)
        return;
    turn_begin(as); /* with the lock: tables may be given back at any time */
    walk(&f, as->user.root);
    spin_unlock(&as->lock);
    print_walk(&f);
    say_user(&f); /* the mappings stay */
    spin_lock(&as->lock);
    turn_end(as);
}

void explain_kernel_fault(paddr_t root, uint64_t va, struct failed_access access) {
    struct failure f = {.va = va, .access = access.wanted, .refused = access.refused};
    if (!f.access)
        return;
    walk(&f, root);
    print_walk(&f);
    say_kernel(&f);
}
