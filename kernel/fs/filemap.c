/* Files as objects: see filemap.h. */
#include "fs/filemap.h"
#include "fs/data.h"
#include "fs/filedata.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/slab.h"

struct filemap {
    struct object object;
    struct inode *ip;
    uint32_t refs;
    char name[24];
};

static struct slab records = SLAB_INIT(records, sizeof(struct filemap));

static struct filemap *filemap_of(struct object *o) {
    return CONTAINER_OF(o, struct filemap, object);
}

static void get(struct object *o) { __atomic_fetch_add(&filemap_of(o)->refs, 1, __ATOMIC_RELAXED); }

static void put(struct object *o) {
    struct filemap *f = filemap_of(o);
    if (__atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    inode_put(f->ip);
    slab_give(&records, f);
}

static int page(struct object *o, uint64_t index, paddr_t *frame) {
    if (index >= DATA_MAX_SIZE / PAGE_SIZE + 1)
        return -K_ENXIO;
    int err = filedata_frame(filemap_of(o)->ip, (uint32_t)index, frame);
    return err == -K_EINVAL ? -K_ENXIO : err;
}

static const struct object_ops filemap_ops = {.get = get, .put = put, .page = page};

int filemap_create(struct inode *ip, struct object **out) {
    int err = inode_lock(ip);
    if (err)
        return err;
    bool is_file = ip->d.type == ABI_T_FILE;
    inode_unlock(ip);
    if (!is_file)
        return -K_ENODEV;
    struct filemap *f = slab_take(&records);
    if (!f)
        return -K_ENOMEM;
    *f = (struct filemap){.object = {.ops = &filemap_ops, .name = f->name, .cached = true},
                          .ip = inode_dup(ip),
                          .refs = 1};
    snprintf(f->name, sizeof(f->name), "file %u", ip->inum);
    *out = &f->object;
    return 0;
}
