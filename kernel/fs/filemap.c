/* Files as objects: see filemap.h. */
#include "fs/filemap.h"
#include "fs/data.h"
#include "fs/filedata.h"
#include "fs/pagecache.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/printf.h"
#include "mm/rmap.h"
#include "mm/slab.h"

#define FILE_PAGES (uint32_t)(ROUND_UP(DATA_MAX_SIZE, PAGE_SIZE) / PAGE_SIZE)

struct filemap {
    struct object object;
    struct inode *ip;
    struct rmap rmap;
    struct list link;
    uint32_t refs;
    char name[24];
};

static struct slab records = SLAB_INIT(records, sizeof(struct filemap));

/* Guards each inode's map, all refs, and the list of objects, of which there are few. */
static struct spinlock lock = SPINLOCK_INIT(RANK_FILEMAP);
static struct list all = LIST_INIT(all);
static uint32_t count;

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
        list_remove(&f->link);
        f->ip->map = NULL;
        count--;
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

/* The page cache keeps pages that are mapped, so half of it may be mapped at most: a read or
 * a write must find a page. */
static bool has_room(void) { return (count + 1) * FILE_PAGES <= pagecache_pages() / 2; }

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
static struct filemap *known(struct inode *ip) {
    spin_lock(&lock);
    struct filemap *f = ip->map;
    if (f)
        f->refs++;
    spin_unlock(&lock);
    return f;
}

static int make(struct inode *ip, struct filemap **out) {
    struct filemap *f = slab_take(&records);
    if (!f)
        return -K_ENOMEM;
    set_up(f, ip);
    spin_lock(&lock);
    bool room = has_room();
    if (room) {
        list_push_back(&all, &f->link);
        ip->map = f;
        count++;
    }
    spin_unlock(&lock);
    if (!room) {
        inode_put(ip);
        slab_give(&records, f);
        return -K_ENOMEM;
    }
    *out = f;
    return 0;
}

int filemap_create(struct inode *ip, struct object **out) {
    int err = inode_lock(ip);
    if (err)
        return err;
    struct filemap *f = known(ip);
    if (!f)
        err = ip->d.type == ABI_T_FILE ? make(ip, &f) : -K_ENODEV;
    inode_unlock(ip);
    if (!err)
        *out = &f->object;
    return err;
}

/* ---- what the file system does to mappings ---- */

static struct filemap *known_by_number(uint32_t inum) {
    struct filemap *found = NULL;
    spin_lock(&lock);
    LIST_EACH(it, &all) {
        struct filemap *f = LIST_ENTRY(it, struct filemap, link);
        if (f->ip->inum == inum)
            found = f;
    }
    if (found)
        found->refs++;
    spin_unlock(&lock);
    return found;
}

void filemap_forbid_writes(uint32_t inum, uint32_t first, uint32_t pages) {
    struct filemap *f = known_by_number(inum);
    if (!f)
        return; /* nobody maps it any more */
    rmap_forbid_writes(&f->rmap, first, pages);
    put(&f->object);
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
