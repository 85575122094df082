/* The memory core under one design: pages of a file, which are taken away from those who show
 * them, and which may be written only after the file was asked; at random, by processes on
 * several harts. The file is a model (fileenv.h). */
#include "fileenv.h"
#include "mm/change.h"
#include "mm/pieces.h"

#include <pthread.h>

/* Each process runs on a hart, in user mode or in the kernel, or on none. */
void test_pages_of_a_file_are_taken_away(void **state) {
    env_fresh(MEMORY, 16);
    new_file();
    struct env_proc *p = first_with_both(), *child, *other;
    for (uint64_t i = 0; i < PAGES; i++) {
        touch(p, true, i, true);
        touch(p, false, i, i % 2);
    }
    assert_int_equal(env_fork(p, &child), 0);
    memcpy(own[child->slot], own[p->slot], sizeof own[0]);
    assert_int_equal(env_fork(p, &other), 0);
    memcpy(own[other->slot], own[p->slot], sizeof own[0]);
    env_run(child, 1);
    for (uint64_t i = 0; i < PAGES; i++)
        touch(child, true, i, false);
    uint64_t fences = tlbmodel_remote_fences;
    env_user(child);
    forbid(3);
    cut(5);
    assert_true(tlbmodel_remote_fences > fences);
    check_all();
    check_harts();
    unsigned asked = file.asked;
    touch(child, true, 2, true); /* the leaf came with the fork, and it is still the file's */
    assert_int_equal(file.asked, asked);
    touch(child, true, 3, true);
    assert_int_equal(file.asked, asked + 1);
    env_run(p, 0);
    forbid(2);
    cut(1);
    file.end = PAGES;
    for (uint64_t i = 0; i < PAGES; i++) {
        env_run(other, 2);
        touch(other, true, i, false);
        touch(other, false, i, true);
    }
    check_all();
    check_harts();
    end();
}

static void unmap(struct env_proc *p, uint64_t first, uint64_t pages) {
    assert_int_equal(aspace_unmap(p->as, SHARED + first * P, SHARED + (first + pages) * P), 0);
}

static bool may_write(void) {
    spin_lock(&file.rmap.lock);
    bool may = rmap_may_write_locked(&file.rmap);
    spin_unlock(&file.rmap.lock);
    return may;
}

/* As long as there is a part of a mapping that may. */
void test_who_may_write_a_file(void **state) {
    struct env_proc *p, *child;
    env_fresh(MEMORY, 16);
    new_file();
    assert_int_equal(env_create(&p), 0);
    env_run(p, 0);
    assert_false(may_write());
    map(p, PRIVATE, false);
    assert_false(may_write());
    map_part(p, SHARED, 0, PAGES, ABI_PROT_READ, true);
    assert_true(may_write()); /* it could become so */
    unmap(p, 2, 2);
    assert_int_equal(aspace_protect(p->as, SHARED, SHARED + P, ALL), 0);
    assert_int_equal(aspace_protect(p->as, SHARED, SHARED + 2 * P, ABI_PROT_READ), 0);
    unmap(p, 0, 4);
    assert_int_equal(env_fork(p, &child), 0);
    unmap(p, 4, 4);
    assert_true(may_write()); /* the child */
    env_exit(child);
    assert_false(may_write());
    end();
}

/* ---- another object comes while the file is asked ---- */

static struct env_proc *changed;
static paddr_t first_of_other; /* it has its first page at hand, and no other */

static paddr_t peek_at_other(struct object *o, uint64_t index) {
    if (index > 0)
        return PA(0);
    frame_get(frame_single(first_of_other));
    return first_of_other;
}
static int page_of_other(struct object *o, uint64_t index, unsigned most, bool write,
                         object_show_fn show, void *ctx) {
    return -K_EIO;
}
static void count_nothing(struct object *o) {}
static const struct object_ops other_ops = {
    .get = count_nothing, .put = count_nothing, .peek = peek_at_other, .page = page_of_other};
static struct object other = {.ops = &other_ops, .name = "other"};

static void map_other(void) {
    const struct map_request r = {.start = SHARED,
                                  .bytes = PAGES * P,
                                  .place = MAP_REPLACE,
                                  .object = &other,
                                  .prot = ABI_PROT_READ,
                                  .limit = ALL};
    uint64_t at;
    file.between = NULL;
    assert_int_equal(aspace_map(changed->as, &r, &at), 0);
}

/* What the file shows beside what it was asked for is not the other object's. */
void test_mapped_while_it_is_asked(void **state) {
    unsigned level;
    uint64_t pa;
    env_fresh(MEMORY, 16);
    new_file();
    changed = first_with_both();
    assert_int_equal(frame_alloc(&first_of_other), 0);
    for (uint64_t i = 0; i < PAGES; i++)
        touch(changed, false, i, false); /* so that all of it is there */
    file.between = map_other;
    assert_true(env_touch(changed, SHARED, WALKER_LOAD, &pa));
    env_kernel(changed);
    assert_null(file.between);
    assert_int_equal(pa, first_of_other.v);
    for (uint64_t i = 1; i < PAGES; i++)
        assert_int_equal(*pt_walk(&changed->as->user, VA(SHARED + i * P), &level), 0);
    check_space(changed->as);
    end();
    frame_free(first_of_other);
}

static struct env_proc *copies;
static unsigned waits;
static void (*on_relax)(void);
int sched_yield(void) { /* cpu_relax, where a hart waits for another one */
    if (on_relax)
        on_relax();
    return 0;
}

static void end_of_page(void) {
    struct hart *self = hart_self();
    host_hart_be((uint32_t)copies->hart);
    aspace_page_end();
    host_hart = self;
}

/* The copy ends; until then the frame was the file's and the space's, though no leaf shows it. */
static void end_copy(void) {
    unsigned level;
    on_relax = NULL;
    waits++;
    assert_int_equal(*pt_walk(&copies->as->user, VA(SHARED + 3 * P), &level), 0);
    assert_int_equal(env_refs(file.frame[3].v), 2);
    end_of_page();
}

/* walk's copies go through the direct map, which no flush takes away. */
void test_a_copy_is_waited_for(void **state) {
    void *page;
    env_fresh(MEMORY, 16);
    new_file();
    copies = first_with_both();
    touch(copies, true, 3, false);
    assert_int_equal(aspace_page(copies->as, SHARED + 3 * P, PTE_R, &page), 0);
    assert_ptr_equal(page, pa_ptr(file.frame[3]));
    host_hart_be(2);
    waits = 0;
    on_relax = end_copy;
    rmap_take_away(&file.rmap, 3, 1);
    assert_int_equal(waits, 1);
    assert_int_equal(env_refs(file.frame[3].v), 1);
    check_all();
    check_harts();
    end();
}

/* What is written is in the frame when W is gone, and the space is not given back before. */
static void end_write(void) {
    unsigned level;
    on_relax = NULL;
    waits++;
    assert_true(copies->as->lock.locked);
    assert_false(*pt_walk(&copies->as->user, VA(SHARED + 3 * P), &level) & PTE_W);
    end_of_page();
}

void test_a_copy_that_writes_is_waited_for(void **state) {
    void *page;
    env_fresh(MEMORY, 16);
    new_file();
    copies = first_with_both();
    assert_int_equal(aspace_page(copies->as, SHARED + 3 * P, PTE_W, &page), 0);
    host_hart_be(2);
    waits = 0;
    on_relax = end_write;
    forbid(3);
    assert_int_equal(waits, 1);
    check_all();
    check_harts();
    end();
}

static struct env_proc *joins;
static void join(void) {
    host_hart_be((uint32_t)joins->hart);
    assert_int_equal(aspace_protect(joins->as, SHARED, SHARED + 4 * P, ALL), 0);
    assert_ptr_equal(mapping_at(&joins->as->mappings, SHARED + 5 * P)->start, SHARED);
}

/* The first half of a space's pages has been gone through, another space is under way, and the
 * second half, which has not, becomes one mapping with the first. */
void test_a_joined_mapping_is_not_passed_over(void **state) {
    struct env_proc *p, *other;
    env_fresh(MEMORY, 16);
    new_file();
    assert_int_equal(env_create(&p), 0);
    env_run(p, 0);
    map_part(p, SHARED, 0, 4, ABI_PROT_READ | ABI_PROT_WRITE, true);
    assert_int_equal(env_fork(p, &other), 0);
    map_part(p, SHARED, 4, 4, ALL, true);
    touch(p, true, 5, true);
    env_run(other, 1);
    touch(other, true, 0, true);
    joins = p;
    tlbmodel_meanwhile = join;
    host_hart_be(2);
    rmap_forbid_writes(&file.rmap, 0, PAGES);
    assert_null(tlbmodel_meanwhile);
    memset(file.writable, 0, sizeof file.writable);
    check_all();
    check_harts();
    end();
}

static bool passed, held; /* atomic */

static struct list *last_shown(void) {
    return __atomic_load_n(&file.rmap.mappings.prev, __ATOMIC_ACQUIRE);
}

/* The other hart has passed the first mapping. It goes on when somebody has the space's lock, which
 * keeps the second one from it, and is in the middle of a change of the list. */
static void stop_between(void) {
    const struct list *last = last_shown();
    if (hart_self()->index != 2)
        return;
    __atomic_store_n(&passed, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&held, __ATOMIC_ACQUIRE))
        continue;
    on_relax = NULL;
    while (last_shown() == last)
        continue;
}

static void *forbid_all(void *arg) {
    host_hart_be(2);
    rmap_forbid_writes(&file.rmap, 0, PAGES);
    return NULL;
}

/* The two become one while another hart is between them. */
static void join_meanwhile(struct env_proc *p) {
    pthread_t other;
    passed = held = false;
    on_relax = stop_between;
    assert_int_equal(pthread_create(&other, NULL, forbid_all, NULL), 0);
    while (!__atomic_load_n(&passed, __ATOMIC_ACQUIRE))
        continue;
    spin_lock(&p->as->lock);
    __atomic_store_n(&held, true, __ATOMIC_RELEASE);
    assert_int_equal(change_protect(p->as, SHARED, SHARED + 4 * P, PTE_RWX), 0);
    spin_unlock(&p->as->lock);
    pthread_join(other, NULL);
    on_relax = NULL;
}

/* The hart that is between the two sees at every moment that there is one more to come. */
void test_mappings_join_around_a_hart(void **state) {
    struct env_proc *p;
    unsigned level;
    env_fresh(MEMORY, 16);
    new_file();
    assert_int_equal(env_create(&p), 0);
    env_run(p, 0);
    map_part(p, SHARED, 0, PAGES, ALL, true);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(aspace_protect(p->as, SHARED, SHARED + 4 * P, ABI_PROT_READ), 0);
        touch(p, true, 5, true);
        join_meanwhile(p);
        assert_ptr_equal(mapping_at(&p->as->mappings, SHARED + 5 * P)->start, SHARED);
        assert_false(*pt_walk(&p->as->user, VA(SHARED + 5 * P), &level) & PTE_W);
        memset(file.writable, 0, sizeof file.writable);
    }
    check_all();
    check_harts();
    end();
}

static void move(struct env_proc *p, uint64_t from, uint64_t to) {
    const struct remap_request r = {from, PAGES * P, PAGES * P, REMAP_THERE, to, false};
    uint64_t at;
    assert_int_equal(aspace_remap(p->as, &r, &at), 0);
}

static void random_step(struct env_proc *p) {
    struct env_proc *child;
    uint64_t i = host_random_below(PAGES), from = host_random_below(2) ? SHARED : PRIVATE;
    switch (host_random_below(13)) {
    case 12:
        move(p, from, ELSEWHERE);
        move(p, ELSEWHERE, from);
        break;
    case 0: cut(host_random_below(file.end + 1)); break;
    case 1: file.end += host_random_below(PAGES - file.end + 1); break;
    case 2: forbid(i); break;
    case 3:
        if (env_fork(p, &child) == 0)
            memcpy(own[child->slot], own[p->slot], sizeof own[0]);
        break;
    case 4:
        if (p != env_procs)
            env_exit(p);
        break;
    case 5:
        if (host_random_below(2))
            map(p, SHARED, true);
        else
            map(p, PRIVATE, false);
        break;
    default:
        for (int n = 0; n < 6; n++)
            touch(p, host_random_below(2), host_random_below(PAGES), host_random_below(2));
        env_user(p);
    }
}

static struct env_proc *works;

static void random_steps(unsigned bits) {
    env_fresh(MEMORY, bits);
    new_file();
    first_with_both();
    for (int step = 0; step < 3000; step++) {
        struct env_proc *p = works = anybody();
        if (host_random_below(2) || p->hart < 0)
            env_run(p, host_random_below(ENV_HARTS));
        else
            host_hart_be((uint32_t)p->hart);
        random_step(p);
        check_all();
        check_harts();
    }
    end();
}

void test_pages_of_a_file_at_random(void **state) {
    for (unsigned bits = 0; bits <= 16; bits += 4)
        random_steps(bits);
}

static unsigned breaks;

/* A break as soon as one is possible. */
static void fill_pieces(void) {
    for (unsigned i = 0; i < ENV_HARTS; i++)
        piece_used[i] = PIECE;
}

/* In the middle of a call, with every lock free: the file takes pages away, or forbids writes, from
 * a hart that is doing something else; whoever is in the call may go on on another one. */
static void others_work(void) {
    piece_break = NULL;
    breaks++;
    check_all();
    struct hart *before = hart_self();
    host_hart_be(host_random_below(ENV_HARTS));
    if (host_random_below(2))
        cut(host_random_below(file.end + 1));
    else
        forbid(host_random_below(PAGES));
    check_all();
    host_hart_be(before->index);
    if (works->hart >= 0 && host_random_below(4) == 0)
        env_run(works, host_random_below(ENV_HARTS));
    fill_pieces();
    piece_break = others_work;
}

void test_pages_are_taken_away_in_breaks(void **state) {
    for (unsigned bits = 0; bits <= 16; bits += 8) {
        breaks = 0;
        fill_pieces();
        piece_break = others_work;
        random_steps(bits);
        piece_break = NULL;
        assert_true(breaks > 2000);
    }
}
