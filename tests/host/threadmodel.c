/* What threads of threadworld.h must find. */
#include "hostarch.h"
#include "mm/check.h"
#include "mm/turn.h"
#include "threadworld.h"

#define WORDS (PAGE_SIZE / 8)

struct world worlds[ENV_PROCS];
struct file the_file;

struct words *words_of(struct page *page) {
    if (page->kind == SHARED)
        return &page->shared->page[page->index];
    if (page->kind == FILE_SHARED || (page->kind == FILE_PRIVATE && !page->own))
        return &the_file.page[page->index];
    return &page->words;
}

bool is_changing(const struct page *page) {
    return the_file.busy && (page->kind == FILE_PRIVATE || page->kind == FILE_SHARED) &&
           page->index >= the_file.from;
}

static pte_t entry_of(const struct env_proc *p, uint64_t page, uint64_t *pa) {
    unsigned level;
    uint64_t va = va_of(page);
    pte_t e = *pt_walk(&p->as->user, VA(va), &level);
    *pa = pte_pa(e).v + (va & (level_size(level) - 1));
    return e;
}

static uint64_t in_frame(uint64_t pa, unsigned which) {
    const uint64_t *word = pa_ptr(PA(pa));
    return word[which ? WORDS - 1 : 0];
}

static uint64_t in_object(struct object *o, uint64_t index, unsigned which) {
    paddr_t frame = o->ops->peek(o, index);
    if (!frame.v)
        return 0;
    frame_put(frame_single(frame));
    return in_frame(frame.v, which);
}

uint64_t word_in_memory(const struct env_proc *p, uint64_t i, unsigned which) {
    uint64_t pa;
    const struct page *page = &world_of(p)->page[i];
    if (pte_valid(entry_of(p, i, &pa)))
        return in_frame(pa, which);
    if (page->kind == SHARED)
        return in_object(page->shared->object, page->index, which);
    if (page->kind == ZEROS || page->kind == NOTHING)
        return 0;
    paddr_t frame = the_file.frame[page->index];
    return frame.v ? in_frame(frame.v, which) : 0;
}

void note_copies(const struct env_proc *p) {
    struct world *w = world_of(p);
    uint64_t pa;
    for (uint64_t i = HEAP_PAGES; i < PAGES; i++) {
        struct page *page = &w->page[i];
        if (page->kind != FILE_PRIVATE || page->own || is_changing(page))
            continue;
        if (!pte_valid(entry_of(p, i, &pa)) || pa == the_file.frame[page->index].v)
            continue;
        page->own = true; /* of when, is not said of private mappings */
        for (unsigned which = 0; which < 2; which++)
            page->words.at[which] = in_frame(pa, which);
    }
}

/* Where a change is on that the model does not have yet. */
static bool is_between(const struct env_proc *p, uint64_t i) {
    return is_changing(&world_of(p)->page[i]) ||
           (i < HEAP_PAGES ? p->as->changing : turn_closes(p->as, va_of(i)));
}

static void check_page(const struct env_proc *p, uint64_t i) {
    struct page *page = &world_of(p)->page[i];
    uint64_t pa, va = va_of(i);
    pte_t e = entry_of(p, i, &pa);
    if (!pte_valid(e) || is_between(p, i))
        return;
    MUST(page->kind != NOTHING, "%#lx is mapped and not granted", (ul)va);
    MUST((e & PTE_RWX & ~(uint64_t)page->perm) == 0, "%#lx has %#lx, granted is %#x", (ul)va, (ul)e,
         page->perm);
    MUST(env_refs(pa) >= 1, "%#lx maps the free frame %#lx", (ul)va, (ul)pa);
    if (page->kind == FILE_PRIVATE || page->kind == FILE_SHARED)
        MUST(page->index < the_file.end, "%#lx shows a page behind the file's end", (ul)va);
    if ((e & PTE_W) && page->kind == FILE_SHARED)
        MUST(the_file.writable[page->index] || the_file.busy, "%#lx can be written, unasked",
             (ul)va);
    if ((e & PTE_W) && (page->kind == ZEROS || page->kind == FILE_PRIVATE))
        MUST(env_refs(pa) == 1, "%#lx can be written and is shared", (ul)va);
    for (unsigned which = 0; which < 2; which++)
        MUST(in_frame(pa, which) == words_of(page)->at[which],
             "process %u, %#lx: %#lx in memory instead of %#lx", p->slot, (ul)va,
             (ul)in_frame(pa, which), (ul)words_of(page)->at[which]);
}

/* What is not there would come as the model has it. */
static void check_absent(const struct env_proc *p, uint64_t i) {
    struct page *page = &world_of(p)->page[i];
    uint64_t pa;
    if (page->kind == NOTHING || is_between(p, i) || pte_valid(entry_of(p, i, &pa)))
        return;
    MUST(!(page->kind == FILE_PRIVATE && page->own), "the copy at %#lx is lost", (ul)va_of(i));
    for (unsigned which = 0; which < 2; which++)
        MUST(word_in_memory(p, i, which) == words_of(page)->at[which],
             "process %u, %#lx: would be %#lx instead of %#lx", p->slot, (ul)va_of(i),
             (ul)word_in_memory(p, i, which), (ul)words_of(page)->at[which]);
}

static bool somebody_has_a_lock(void) {
    for (unsigned hart = 0; hart < ENV_HARTS; hart++)
        if (spin_holders[hart].n > 0)
            return true;
    return false;
}

void threads_check(bool deep) {
    if (somebody_has_a_lock())
        return; /* a change of both views is under way */
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        if (!world_of(p)->used || !world_of(p)->whole)
            continue;
        note_copies(p);
        for (uint64_t i = 0; i < PAGES; i++) {
            check_page(p, i);
            check_absent(p, i);
        }
        if (deep)
            check_space(p->as);
    }
    const char *stale = tlbmodel_stale();
    MUST(!stale, "%s", stale);
}
