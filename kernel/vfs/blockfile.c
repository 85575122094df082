/* Open files that are disks: see blockfile.h. What the file system has changed in memory, and not
 * written yet, is not seen. */
#include "vfs/blockfile.h"
#include "dev/blk.h"
#include "dev/devices.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/pieces.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "vfs/node.h"
#include "vfs/open.h"

static unsigned disk_of(const struct file *f) { return (unsigned)(uintptr_t)f->place; }
static uint64_t bytes_of(const struct file *f) { return blk_sectors_of(disk_of(f)) * SECTOR_SIZE; }

/* Several may use the file at once: then the offset is one of theirs. */
static uint64_t offset_of(const struct file *f) {
    return __atomic_load_n(&f->offset, __ATOMIC_RELAXED);
}
static void set_offset(struct file *f, uint64_t to) {
    __atomic_store_n(&f->offset, to, __ATOMIC_RELAXED);
}

/* What a read uses: no stack, which other processes' tables do not have. */
struct reading {
    struct blk_request rq;
    uint8_t *page;
};
static struct slab readings = SLAB_INIT(readings, sizeof(struct reading));

/* NULL: no memory. */
static struct reading *begin_reading(unsigned disk) {
    paddr_t page;
    struct reading *r = slab_take(&readings);
    if (!r)
        return NULL;
    if (frame_alloc(&page)) {
        slab_give(&readings, r);
        return NULL;
    }
    *r = (struct reading){.rq = {.op = BLK_READ, .disk = disk}, .page = pa_ptr(page)};
    return r;
}

static void end_reading(struct reading *r) {
    frame_free(ptr_pa(r->page));
    slab_give(&readings, r);
}

/* Some bytes from `at` on, which end in one page of whole sectors. */
static int read_some(struct reading *r, uint64_t at, uaddr_t dst, size_t n, size_t *done) {
    uint32_t before = at % SECTOR_SIZE;
    size_t part = MIN(n, (size_t)(PAGE_SIZE - before));
    r->rq.sector = at / SECTOR_SIZE;
    r->rq.data = r->page;
    r->rq.bytes = (uint32_t)ROUND_UP(before + part, SECTOR_SIZE);
    int err = blk_do(&r->rq);
    if (!err)
        err = copyout(dst, r->page + before, part);
    *done = err ? 0 : part;
    return err;
}

/* A signal may end it after each page: n has no bound. */
static int read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    uint64_t at = offset_of(f), end = bytes_of(f);
    struct reading *r = begin_reading(disk_of(f));
    int err = 0;
    if (!r)
        return -K_ENOMEM;
    while (*done < n && at < end && !err) {
        size_t part;
        err = read_some(r, at, UA(dst.v + *done), MIN(n - *done, end - at), &part);
        *done += part;
        at += part;
        piece_done(PIECE_FREED); /* a disk in memory never sleeps */
        if (proc_interrupted())
            break;
    }
    end_reading(r);
    set_offset(f, at);
    return err;
}

static int seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    return file_seek_in(f, bytes_of(f), offset, whence, result);
}

static int stat(struct file *f, struct abi_stat *st) { return node_stat(f->object, st); }
static int sync(struct file *f) { return 0; }
static struct node *node(const struct file *f) { return f->object; }
static void close(struct file *f) { node_put(f->object); }

static const struct file_ops ops = {
    .read = read, .seek = seek, .stat = stat, .sync = sync, .node = node, .close = close};

unsigned blockfile_disk(const struct file *f) { return f->ops == &ops ? disk_of(f) : 0; }

int blockfile_disk_of(struct node *n, unsigned *disk) {
    struct node_attr a;
    int err = n->ops->attr(n, &a);
    if (err)
        return err;
    if (a.type != NODE_BLOCK)
        return -K_ENOTBLK;
    *disk = (unsigned)a.minor / DISK_MINORS + 1;
    bool whole = a.major == MAJOR_DISK && a.minor % DISK_MINORS == 0;
    return whole && *disk <= blk_count() ? 0 : -K_ENXIO;
}

static int open(struct file *f, struct node *n) {
    unsigned disk;
    int err = blockfile_disk_of(n, &disk);
    if (err)
        return err;
    if (f->writable)
        return -K_EROFS;
    f->ops = &ops;
    f->object = n;
    f->place = (void *)(uintptr_t)disk;
    return 0;
}

void blockfile_boot_init(void) {
    static const struct chardev_ops disk = {.open = open};
    device_set("vda", &disk);
    device_set("vdb", &disk);
}
