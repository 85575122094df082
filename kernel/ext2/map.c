/* Files of ext2 as objects: see map.h. */
#include "ext2/map.h"
#include "ext2/data.h"
#include "lib/errno.h"

static struct ext2_inode *inode_of(struct mappable *file) {
    return CONTAINER_OF(file, struct ext2_inode, mapped);
}

static void get(struct mappable *file) { ext2_inode_dup(inode_of(file)); }
static void put(struct mappable *file) { ext2_inode_put(inode_of(file)); }
static uint32_t number(const struct mappable *file) {
    return CONTAINER_OF(file, const struct ext2_inode, mapped)->inum;
}

/* Those that it has. Changes while the file is not locked. */
static uint64_t pages(const struct mappable *file) {
    const struct ext2_inode *ip = CONTAINER_OF(file, const struct ext2_inode, mapped);
    return ROUND_UP(ext2_size(ip), PAGE_SIZE) / PAGE_SIZE;
}

static int show(struct mappable *file, uint32_t index, unsigned most, bool write,
                object_show_fn show_fn, void *ctx) {
    struct ext2_inode *ip = inode_of(file);
    return write ? ext2_show_for_write(ip, index, show_fn, ctx)
                 : ext2_show(ip, index, most, show_fn, ctx);
}

static int sync(struct mappable *file) { return ext2_inode_sync(inode_of(file)); }
static uint32_t store_cost(void) { return ext2_write_cost(1); }

static const struct filemap_ops ops = {.get = get,
                                       .put = put,
                                       .number = number,
                                       .pages = pages,
                                       .show = show,
                                       .sync = sync,
                                       .store_cost = store_cost};

int ext2_map_create(struct ext2_inode *ip, uint64_t n, struct object **out) {
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    err = ext2_is_file(ip) ? filemap_create(&ip->mapped, &ops, n, out) : -K_ENODEV;
    ext2_inode_unlock(ip);
    return err;
}

int ext2_map_create_program(struct ext2_inode *ip, uint64_t n, struct object **out) {
    int err = filemap_create_program(&ip->mapped, &ops, n, out);
    if (!err && n * PAGE_SIZE > ext2_size(ip)) {
        const struct ext2_pages f = ext2_pages_begin(ip);
        pagefile_clean_end(&f.file);
    }
    return err;
}

static uint32_t writers; /* of all files; atomic */

int ext2_map_begin_writes(struct ext2_inode *ip) {
    return filemap_begin_writes(&ip->mapped, &writers);
}
void ext2_map_end_writes(struct ext2_inode *ip) { filemap_end_writes(&ip->mapped, &writers); }
uint32_t ext2_map_writers(void) { return __atomic_load_n(&writers, __ATOMIC_SEQ_CST); }

void ext2_map_forbid_writes(uint32_t inum, uint32_t index) {
    struct ext2_inode *ip;
    if (ext2_inode_get(inum, &ip))
        return; /* it is not in memory, so nobody maps it */
    filemap_forbid_writes(&ip->mapped, index);
    ext2_inode_put(ip);
}

void ext2_map_cut_off(struct ext2_inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    filemap_cut(&ip->mapped, pages(&ip->mapped));
}
