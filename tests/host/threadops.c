/* What the threads of threadworld.h do. */
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "threadops.h"

static uint64_t next_word;

static uint64_t some_page(void) {
    switch (choose(8)) {
    case 0: return choose(HEAP_PAGES / 4);
    case 1: return HEAP_PAGES + choose(MAP_PAGES);
    case 2 ... 4: return threads[choose(FIBERS)].last;
    default: return HEAP_PAGES + choose(6); /* few, so that they meet */
    }
}

static struct page *begin_access(struct thread *t, uint64_t i) {
    struct page *page = &world_of(t->p)->page[i];
    t->page = t->last = i;
    t->unsure = is_of_file(page) && the_file.busy;
    trace("accesses page %lu at %#lx", (ul)i, (ul)va_of(i));
    for (unsigned other = 0; other < FIBERS; other++)
        t->unsure |= changes(t, &threads[other]);
    return page;
}

/* Whether it may be done was decided just now. */
static void end_access(struct thread *t, uint64_t perm, bool done) {
    const struct page *page = &world_of(t->p)->page[t->page];
    bool may = page->kind != NOTHING && (page->perm & perm) == perm &&
               (!is_of_file(page) || page->index < the_file.end);
    MUST(done == may || t->unsure, "thread %u: an access to %#lx %s", (unsigned)fiber_self(),
         (ul)va_of(t->page), done ? "succeeds" : "fails");
    t->page = NOWHERE;
    trace("the access is %s", done ? "done" : "refused");
}

/* At pa, where page i of p is, is *word loaded, or stored. */
static void access(struct env_proc *p, uint64_t i, unsigned which, bool store, uint64_t *word,
                   uint64_t pa) {
    struct page *page = &world_of(p)->page[i];
    bool known = page->kind != NOTHING && !is_changing(page);
    note_copies(p);
    if (known && !store) {
        bool files = page->kind == FILE_PRIVATE && /* a hart may have kept the entry before */
                     ROUND_DOWN(pa, PAGE_SIZE) == the_file.frame[page->index].v;
        uint64_t wanted = files ? the_file.page[page->index].at[which] : words_of(page)->at[which];
        MUST(*word == wanted, "process %u, %#lx: reads %#lx instead of %#lx", p->slot, (ul)va_of(i),
             (ul)*word, (ul)wanted);
    }
    trace("%s %#lx", store ? "has stored" : "has loaded", (ul)*word);
    if (known && store) {
        MUST(page->kind != FILE_PRIVATE || page->own, "%#lx is stored to the file", (ul)va_of(i));
        log_for_forks(p, i, which, words_of(page)->at[which]);
        words_of(page)->at[which] = *word;
        page->stored = threads_now;
    }
}

static uint64_t end_of(uint64_t i, unsigned which) {
    return va_of(i) + (which ? PAGE_SIZE - 8 : 0);
}

static void touch(struct thread *t, uint64_t i, unsigned which, unsigned how) {
    static const enum walker_access accesses[] = {WALKER_LOAD, WALKER_STORE, WALKER_FETCH};
    static const uint64_t perms[] = {PTE_R, PTE_W, PTE_X};
    uint64_t pa = 0;
    env_user(t->p);
    tlbmodel_speculate(2);
    maybe_on_hart();
    begin_access(t, i);
    bool done = env_touch(t->p, end_of(i, which), accesses[how], &pa);
    end_access(t, perms[how], done);
    if (done && how == 1)
        *(uint64_t *)pa_ptr(PA(pa)) = ++next_word;
    if (done)
        access(t->p, i, which, how == 1, pa_ptr(PA(pa)), pa);
    env_kernel(t->p);
}

static void copy(struct thread *t, uint64_t i, unsigned which, bool store) {
    uint64_t word = store ? ++next_word : 0;
    begin_access(t, i);
    int err = store ? copyout(UA(end_of(i, which)), &word, 8)
                    : copyin(&word, UA(end_of(i, which)), 8);
    end_access(t, store ? PTE_W : PTE_R, !err);
    if (!err)
        access(t->p, i, which, store, &word, 0);
}

/* As walk's copies go: the page is found, and used later. */
static void copy_later(struct thread *t, uint64_t i, unsigned which, bool store) {
    void *byte;
    uint64_t perm = store ? PTE_W : PTE_R;
    begin_access(t, i);
    int err = aspace_page(t->p->as, end_of(i, which), perm, &byte);
    end_access(t, perm, !err);
    if (!err) {
        t->held = ptr_pa(byte).v;
        for (uint64_t n = choose(6); n > 0; n--)
            pause_on_hart();
        t->held = 0;
        if (store)
            *(uint64_t *)byte = ++next_word;
        access(t->p, i, which, store, byte, ptr_pa(byte).v);
    }
    aspace_page_end();
}

/* What a copy under a lock does: it may be refused, and never sleeps. */
static void fault_held(struct thread *t, uint64_t i, bool store) {
    hart_self()->faults_held = true;
    int err = aspace_fault(t->p->as, va_of(i), store ? PTE_W : PTE_R);
    hart_self()->faults_held = false;
    MUST(!err || err == -K_EFAULT, "a fault that may not sleep is %d", err);
}

/* ---- one after the other -------------------------------------------------------------------- */

static void populate(struct thread *t, uint64_t start, uint64_t end) {
    uint64_t at = va_of(start);
    int err = aspace_touch(t->p->as, &at, va_of(end - 1) + PAGE_SIZE, choose(2));
    MUST(!err, "pages that are promised: %d", err);
}

static void change_file(void) {
    switch (choose(6)) {
    case 0: cut(choose(FILE_PAGES)); break;
    case 1 ... 2: grow(); break;
    default: forbid(choose(FILE_PAGES)); break;
    }
}

void do_something(struct thread *t) {
    uint64_t start, end, i = some_page();
    unsigned which = (unsigned)choose(2), what = (unsigned)choose(40);
    if (choose(2))
        piece_used[hart_self()->index] = PIECE;
    some_range(&start, &end);
    switch (what) {
    case 0 ... 8: touch(t, i, which, (unsigned)choose(8) % 3); break;
    case 9 ... 11: copy(t, i, which, choose(2)); break;
    case 12 ... 14: copy_later(t, i, which, choose(2)); break;
    case 15: fault_held(t, i, choose(2)); break;
    case 16 ... 17: map(t, start, end); break;
    case 18 ... 19: touch(t, i, which, 1); break;
    case 20: unmap(t, start, end); break;
    case 21 ... 22: protect(t, start, end); break;
    case 23: drop(t, start, end); break;
    case 24: ask_granted(t, start, end); break;
    case 25 ... 26: sbrk_some(t); break;
    case 27 ... 28: fork_some(t); break;
    case 29: exit_some(t); break;
    case 30: populate(t, start, end); break;
    case 31 ... 35: change_file(); break;
    default: touch(t, i, which, 1); break;
    }
}
