/* Files as objects: how much of the page cache may be mapped, by whom, and what is left of one that
 * finds no memory; whichever file systems they are of. These and the reverse map are stand-ins that
 * do nothing. */
/* sources: kernel/fs/filemap.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "fs/filemap.h"
#include "fs/log.h"
#include "fs/pagecache.h"
#include "kstub.h"
#include "lib/errno.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/rmap.h"
#include "mm/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- what it calls ---- */

#define EIGHTH 10
uint32_t pagecache_pages(void) { return 8 * EIGHTH; }
uint32_t pagecache_dirty_max(void) { return EIGHTH - 1; }

static unsigned refuse; /* so many questions for memory from now on the answer is no */
static bool is_refused(void) { return refuse > 0 && --refuse == 0; }

static uint64_t promised;
int frame_commit(uint64_t n) {
    if (is_refused())
        return -K_ENOMEM;
    promised += n;
    return 0;
}
void frame_uncommit(uint64_t n) { promised -= n; }

static unsigned taken; /* records */
void *slab_take(struct slab *s) {
    if (is_refused())
        return NULL;
    taken++;
    return malloc(s->size);
}
void slab_give(struct slab *s, void *record) {
    taken--;
    free(record);
}

uint32_t log_op_max(void) { return 0; }
paddr_t page_frame(uint32_t inum, uint32_t index) { return PA(0); }
const char *elf_name(const struct object *program, uint64_t perm) { return "program"; }

void rmap_init(struct rmap *r) { spin_init(&r->lock, RANK_RMAP); }
bool rmap_may_write_locked(const struct rmap *r) { return false; }
void rmap_forbid_writes(struct rmap *r, uint64_t first, uint64_t pages) {}
void rmap_take_away(struct rmap *r, uint64_t first, uint64_t pages) {}

/* ---- the limits ---- */

/* A file system of files without an end, which counts references; there are two. */
struct inode {
    struct mappable mapped;
    uint32_t refs, number;
};

static struct inode *inode_of(const struct mappable *file) {
    return CONTAINER_OF(file, struct inode, mapped);
}
static void get(struct mappable *file) { inode_of(file)->refs++; }
static void put(struct mappable *file) { inode_of(file)->refs--; }
static uint32_t number(const struct mappable *file) { return inode_of(file)->number; }
static uint64_t pages(const struct mappable *file) { return UINT64_MAX; }
static int show(struct mappable *file, uint32_t i, unsigned most, bool write,
                object_show_fn show_fn, void *ctx) {
    return -K_EIO;
}
static int sync(struct mappable *file) { return 0; }
static uint32_t store_cost(void) { return 1; }

#define OPS \
    { \
        .get = get, .put = put, .number = number, .pages = pages, .show = show, .sync = sync, \
        .store_cost = store_cost, \
    }
static const struct filemap_ops ops[2] = {OPS, OPS};

static struct inode inodes[6];
static struct object *objects[ARRAY_LEN(inodes)];

static void begin(void) {
    kstub_reset();
    for (unsigned i = 0; i < ARRAY_LEN(inodes); i++)
        inodes[i] = (struct inode){.number = i + 2, .refs = 1};
}

/* Of the one file system and of the other. */
static int map(unsigned i, uint64_t n) {
    return filemap_create(&inodes[i].mapped, &ops[i % 2], n, &objects[i]);
}
static int run(unsigned i, uint64_t n) {
    return filemap_create_program(&inodes[i].mapped, &ops[i % 2], n, &objects[i]);
}

static void drop(unsigned i) { object_put(objects[i]); }

static void half_for_files_more_for_programs_most_for_the_session(void **state) {
    begin();
    proc_self()->depth = 3; /* no part in the reserve */
    assert_int_equal(map(0, 4 * EIGHTH), 0);
    assert_int_equal(map(1, 1), -K_ENOMEM);
    assert_int_equal(map(0, 4 * EIGHTH + 1), -K_ENOMEM);
    assert_int_equal(map(0, 4 * EIGHTH), 0); /* shows no more */
    drop(0);
    assert_int_equal(run(2, 2 * EIGHTH), 0);
    assert_int_equal(run(3, 1), -K_ENOMEM);
    proc_self()->depth = 2;
    assert_int_equal(run(3, EIGHTH + 1), -K_ENOMEM);
    assert_int_equal(run(3, EIGHTH), 0);
    assert_int_equal(run(4, 1), -K_ENOMEM);
    assert_int_equal(map(4, 1), -K_ENOMEM); /* files have no reserve */
    assert_int_equal(promised, 7 * EIGHTH);
    for (unsigned i = 0; i < ARRAY_LEN(inodes); i++)
        assert_int_equal(inodes[i].refs, i == 0 || i == 2 || i == 3 ? 2 : 1);
    drop(2);
    drop(3);
    assert_int_equal(map(1, 1), -K_ENOMEM);
    drop(0);
    assert_int_equal(promised, 0);
    assert_int_equal(map(1, 4 * EIGHTH), 0);
    drop(1);
    assert_int_equal(promised, 0);
}

static uint32_t writers;

static int map_new(void) { return map(0, 3); }
static int run_new(void) { return run(1, 3); }
static int map_more(void) { return map(2, 5); }
static int run_more(void) { return run(2, 5); }

/* The n-th question for memory is refused, for n = 1, 2, 3 ... until the operation succeeds: after
 * each failure all is as it was. */
static void every_question_for_memory_refused_once(void **state) {
    static const struct {
        int (*op)(void);
        unsigned i, questions; /* of which inode; how many it asks */
    } tries[] = {{map_new, 0, 2}, {run_new, 1, 2}, {map_more, 2, 1}, {run_more, 2, 1}};
    begin();
    assert_int_equal(map(2, 2), 0);
    struct object *first = objects[2];
    for (unsigned k = 0; k < ARRAY_LEN(tries); k++) {
        struct inode *ip = &inodes[tries[k].i];
        const uint32_t refs = ip->refs;
        unsigned n = 1;
        for (;; n++) {
            refuse = n;
            int err = tries[k].op();
            bool done = refuse > 0;
            refuse = 0;
            assert_int_equal(err, done ? 0 : -K_ENOMEM);
            if (done)
                break;
            assert_int_equal(promised, 2);
            assert_int_equal(taken, 1);
            assert_int_equal(ip->refs, refs);
            assert_true(ip == &inodes[2] ? ip->mapped.map != NULL : !ip->mapped.map);
            assert_int_equal(filemap_begin_writes(&ip->mapped, &writers),
                             0); /* nor does it count as run */
            filemap_end_writes(&ip->mapped, &writers);
        }
        assert_int_equal(n, tries[k].questions + 1);
        assert_int_equal(promised, ip == &inodes[2] ? 5 : 2 + 3);
        drop(tries[k].i);
        if (ip == &inodes[2]) { /* what is mapped stays counted until nobody maps it */
            object_put(first);
            assert_int_equal(map(2, 2), 0);
            first = objects[2];
        }
    }
    object_put(first);
    assert_int_equal(promised + taken + writers, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_for_memory_refused_once),
        cmocka_unit_test(half_for_files_more_for_programs_most_for_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
