/* Files as objects: see filemap.h. */
#include "fs/filemap.h"
#include "fs/data.h"
#include "fs/filedata.h"
#include "fs/pagecache.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/rmap.h"
#include "mm/slab.h"

#define FILE_PAGES (uint32_t)(ROUND_UP(DATA_MAX_SIZE, PAGE_SIZE) / PAGE_SIZE)

struct filemap {
    struct object object;
    struct inode *ip;
    struct rmap rmap;
    uint32_t refs;
    uint32_t pages; /* that its mappings may show: from the first one on */
    char name[24];
};

static struct slab records = SLAB_INIT(records, sizeof(struct filemap));

/* Guards each inode's map, and of all objects refs and pages, with their sum. */
static struct spinlock lock = SPINLOCK_INIT(RANK_FILEMAP);
static uint32_t mapped;

static struct filemap *filemap_of(struct object *o) {
    return CONTAINER_OF(o, struct filemap, object);
}

static void get(struct object *o) {
    spin_lock(&lock);
    filemap_of(o)->refs++;
    spin_unlock(&lock);
}

static void put(struct object *o) {
    struct filemap *f = filemap_of(o);
    spin_lock(&lock);
    bool last = --f->refs == 0;
    if (last) {
        f->ip->map = NULL;
        mapped -= f->pages;
    }
    spin_unlock(&lock);
    if (last) {
        inode_put(f->ip);
        slab_give(&records, f);
    }
}

static int page(struct object *o, uint64_t index, bool write, object_show_fn show, void *ctx) {
    if (index >= FILE_PAGES)
        return -K_ENXIO;
    struct inode *ip = filemap_of(o)->ip;
    int err = write ? filedata_show_for_write(ip, (uint32_t)index, show, ctx)
                    : filedata_show(ip, (uint32_t)index, show, ctx);
    return err == -K_EINVAL ? -K_ENXIO : err;
}

static int sync(struct object *o) { return inode_sync(filemap_of(o)->ip); }

static const struct object_ops filemap_ops = {.get = get, .put = put, .page = page, .sync = sync};

bool filemap_takes_writes(void) { return log_op_max() >= 2 * data_write_cost(PAGE_BLOCKS); }

/* ---- which inodes are mapped ---- */

/* A mapping is going to show pages up to this one. The page cache keeps pages that are mapped, so
 * half of it may be mapped at most: a read or a write must find a page. False: it would be more. */
static bool grow_locked(struct filemap *f, uint32_t pages) {
    ASSERT_LOCKED(&lock);
    uint32_t more = pages > f->pages ? pages - f->pages : 0;
    if (mapped + more > pagecache_pages() / 2)
        return false;
    f->pages += more;
    mapped += more;
    return true;
}

static void set_up(struct filemap *f, struct inode *ip) {
    *f = (struct filemap){.object = {.ops = &filemap_ops,
                                     .name = f->name,
                                     .cached = true,
                                     .tracks_writes = true,
                                     .rmap = &f->rmap},
                          .ip = inode_dup(ip),
                          .refs = 1};
    rmap_init(&f->rmap);
    snprintf(f->name, sizeof(f->name), "file %u", ip->inum);
}

/* The inode's, with a reference more, or NULL. */
static struct filemap *known(const struct inode *ip) {
    spin_lock(&lock);
    struct filemap *f = ip->map;
    if (f)
        f->refs++;
    spin_unlock(&lock);
    return f;
}

/* A new one. The inode is locked, so that nobody else makes one. */
static int make(struct inode *ip, struct filemap **out) {
    if (ip->d.type != ABI_T_FILE)
        return -K_ENODEV;
    struct filemap *f = slab_take(&records);
    if (!f)
        return -K_ENOMEM;
    set_up(f, ip);
    spin_lock(&lock);
    ip->map = f;
    spin_unlock(&lock);
    *out = f;
    return 0;
}

int filemap_create(struct inode *ip, uint64_t pages, struct object **out) {
    int err = inode_lock(ip);
    if (err)
        return err;
    struct filemap *f = known(ip);
    if (!f)
        err = make(ip, &f);
    inode_unlock(ip);
    if (err)
        return err;
    spin_lock(&lock);
    bool room = grow_locked(f, (uint32_t)MIN(pages, (uint64_t)FILE_PAGES));
    spin_unlock(&lock);
    *out = &f->object;
    if (!room)
        put(*out);
    return room ? 0 : -K_ENOMEM;
}

/* ---- what the file system does to mappings ---- */

void filemap_forbid_writes(uint32_t inum, uint32_t index) {
    struct inode *ip;
    if (inode_get(inum, &ip))
        return; /* it is not in memory, so nobody maps it */
    struct filemap *f = known(ip);
    if (f) {
        rmap_forbid_writes(&f->rmap, index, 1);
        put(&f->object);
    }
    inode_put(ip);
}

uint64_t filemap_version(const struct inode *ip) {
    struct filemap *f = known(ip);
    if (f) {
        rmap_forbid_writes(&f->rmap, 0, FILE_PAGES);
        put(&f->object);
    }
    return inode_version(ip);
}

void filemap_cut(struct inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct filemap *f = known(ip);
    if (!f)
        return;
    uint64_t first = ROUND_UP((uint64_t)ip->d.size, PAGE_SIZE) / PAGE_SIZE;
    rmap_take_away(&f->rmap, first, FILE_PAGES - first);
    put(&f->object);
}
