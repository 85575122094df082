/* Files of xv6's disk as objects: see inodemap.h. */
#include "fs/inodemap.h"
#include "fs/data.h"
#include "fs/filedata.h"
#include "lib/errno.h"

#define FILE_PAGES (ROUND_UP(DATA_MAX_SIZE, PAGE_SIZE) / PAGE_SIZE)

static struct inode *inode_of(struct mappable *file) {
    return CONTAINER_OF(file, struct inode, mapped);
}

static void get(struct mappable *file) { inode_dup(inode_of(file)); }
static void put(struct mappable *file) { inode_put(inode_of(file)); }
static uint32_t number(const struct mappable *file) {
    return CONTAINER_OF(file, const struct inode, mapped)->inum;
}

/* All that it may come to have: they are few. */
static uint64_t pages(const struct mappable *file) { return FILE_PAGES; }

static int show(struct mappable *file, uint32_t index, unsigned most, bool write,
                object_show_fn show_fn, void *ctx) {
    struct inode *ip = inode_of(file);
    return write ? filedata_show_for_write(ip, index, show_fn, ctx)
                 : filedata_show(ip, index, most, show_fn, ctx);
}

static int sync(struct mappable *file) { return inode_sync(inode_of(file)); }
static uint32_t store_cost(void) { return data_write_cost(PAGE_BLOCKS); }

static const struct filemap_ops ops = {.get = get,
                                       .put = put,
                                       .number = number,
                                       .pages = pages,
                                       .show = show,
                                       .sync = sync,
                                       .store_cost = store_cost};

int inodemap_create(struct inode *ip, uint64_t n, struct object **out) {
    int err = inode_lock(ip);
    if (err)
        return err;
    err = ip->d.type == ABI_T_FILE ? filemap_create(&ip->mapped, &ops, n, out) : -K_ENODEV;
    inode_unlock(ip);
    return err;
}

int inodemap_create_program(struct inode *ip, uint64_t n, struct object **out) {
    int err = filemap_create_program(&ip->mapped, &ops, n, out);
    if (!err && n * PAGE_SIZE > ip->d.size)
        filedata_clean_end(ip);
    return err;
}

static uint32_t writers; /* of all files; atomic */

int inodemap_begin_writes(struct inode *ip) { return filemap_begin_writes(&ip->mapped, &writers); }
void inodemap_end_writes(struct inode *ip) { filemap_end_writes(&ip->mapped, &writers); }
uint32_t inodemap_writers(void) { return __atomic_load_n(&writers, __ATOMIC_SEQ_CST); }

void inodemap_forbid_writes(uint32_t inum, uint32_t index) {
    struct inode *ip;
    if (inode_get(inum, &ip))
        return; /* it is not in memory, so nobody maps it */
    filemap_forbid_writes(&ip->mapped, index);
    inode_put(ip);
}
