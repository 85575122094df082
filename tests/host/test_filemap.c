/* Files as objects: how much of the page cache may be mapped, by whom. The file system and the
 * reverse map are stand-ins that do nothing. */
/* sources: kernel/fs/filemap.c kernel/proc/sleeplock.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "fs/filemap.h"
#include "fs/data.h"
#include "fs/filedata.h"
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

static uint64_t promised;
int frame_commit(uint64_t n) {
    promised += n;
    return 0;
}
void frame_uncommit(uint64_t n) { promised -= n; }

void *slab_take(struct slab *s) { return malloc(s->size); }
void slab_give(struct slab *s, void *record) { free(record); }

struct inode *inode_dup(struct inode *ip) {
    ip->refs++;
    return ip;
}
void inode_put(struct inode *ip) { ip->refs--; }
int inode_get(uint32_t inum, struct inode **out) { return -K_EIO; }
int inode_sync(const struct inode *ip) { return 0; }
int inode_load(struct inode *ip) { return -K_EIO; }
void cache_put(struct buf *b) {}
struct super super;

int filedata_show(struct inode *ip, uint32_t i, object_show_fn show, void *ctx) { return -K_EIO; }
int filedata_show_for_write(struct inode *ip, uint32_t i, object_show_fn show, void *ctx) {
    return -K_EIO;
}
void filedata_clean_end(struct inode *ip) {}
uint32_t log_op_max(void) { return 0; }
paddr_t page_frame(uint32_t inum, uint32_t index) { return PA(0); }
const char *elf_name(const struct object *program, uint64_t perm) { return "program"; }

void rmap_init(struct rmap *r) { spin_init(&r->lock, RANK_RMAP); }
bool rmap_may_write_locked(const struct rmap *r) { return false; }
void rmap_forbid_writes(struct rmap *r, uint64_t first, uint64_t pages) {}
void rmap_take_away(struct rmap *r, uint64_t first, uint64_t pages) {}

/* ---- the limits ---- */

static struct inode inodes[6];
static struct object *objects[ARRAY_LEN(inodes)];

static void begin(void) {
    kstub_reset();
    for (unsigned i = 0; i < ARRAY_LEN(inodes); i++) {
        inodes[i] = (struct inode){.inum = i + 2, .refs = 1, .loaded = true};
        inodes[i].d.type = ABI_T_FILE;
        sleeplock_init(&inodes[i].lock, RANK_INODE);
    }
}

static int map(unsigned i, uint64_t pages) {
    return filemap_create(&inodes[i], pages, &objects[i]);
}

static int run(unsigned i, uint64_t pages) {
    assert_int_equal(inode_lock(&inodes[i]), 0);
    int err = filemap_create_program(&inodes[i], pages, &objects[i]);
    inode_unlock(&inodes[i]);
    return err;
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_for_files_more_for_programs_most_for_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
