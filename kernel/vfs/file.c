/* Open files. */
#include "vfs/descriptor.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "vfs/filelock.h"

static struct slab files, paths;
static uint64_t open_count;
static uint64_t open_max, open_for_all; /* the rest is kept */

void file_boot_init(void) {
    files = (struct slab)SLAB_INIT(files, sizeof(struct file));
    paths = (struct slab)SLAB_INIT(paths, ABI_MAXPATH);
    open_count = 0;
    filelock_boot_init();
    open_max = open_for_all = UINT64_MAX;
}

void file_mount(uint64_t max, uint64_t kept) {
    open_max = max;
    open_for_all = max - kept;
}

static void uncount(void) { __atomic_fetch_sub(&open_count, 1, __ATOMIC_RELAXED); }

/* One more than so many, of which fewer are for all. */
static seldom bool may_have_more(uint64_t open) { return open < open_max && fd_in_reserve(); }

int file_alloc(struct file **out) {
    uint64_t open = __atomic_fetch_add(&open_count, 1, __ATOMIC_RELAXED);
    if (__builtin_expect(open >= open_for_all && !may_have_more(open), 0)) {
        uncount();
        return -K_ENFILE;
    }
    struct file *f = slab_take(&files);
    if (!f) {
        uncount();
        return -K_ENOMEM;
    }
    *f = (struct file){.refs = 1};
    *out = f;
    return 0;
}

struct file *file_get(struct file *f) {
    __atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
    return f;
}

void file_put(struct file *f) {
    uint32_t before = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before > 1)
        return;
    if (f->forget)
        f->forget(f);
    if (__builtin_expect(f->locks, 0))
        filelock_file_ended(f);
    bool last = f->counted && __atomic_fetch_sub(&f->ops->node(f)->opens, 1, __ATOMIC_SEQ_CST) == 1;
    if (notes_any()) {
        notes_of_file(f, f->writable ? NOTE_CLOSE_WRITE : NOTE_CLOSE_NOWRITE);
        if (last)
            notes_if_gone(f->ops->node(f));
    }
    if (f->place_noted)
        notes_forget_place(f);
    if (f->ops && f->ops->close)
        f->ops->close(f);
    if (f->path)
        slab_give(&paths, f->path);
    slab_give(&files, f);
    uncount();
}

uint64_t file_open_count(void) { return __atomic_load_n(&open_count, __ATOMIC_RELAXED); }

void file_set_path(struct file *f, const char *path) {
    size_t bytes = strlen(path) + 1;
    if (bytes <= ABI_MAXPATH)
        f->path = slab_take(&paths);
    if (f->path)
        memcpy(f->path, path, bytes);
}

int file_stat(struct file *f, struct abi_stat *st) {
    return f->ops->stat ? f->ops->stat(f, st) : -K_EINVAL;
}

int file_seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    return f->ops->seek ? f->ops->seek(f, offset, whence, result) : -K_ESPIPE;
}

int file_seek_in(struct file *f, uint64_t size, int64_t offset, int whence, uint64_t *result) {
    int64_t target, bases[] = {0, (int64_t)f->offset, (int64_t)size};
    if (whence < 0 || whence >= (int)ARRAY_LEN(bases) ||
        __builtin_add_overflow(bases[whence], offset, &target) || target < 0)
        return -K_EINVAL;
    *result = f->offset = (uint64_t)target;
    return 0;
}

int file_allocate(struct file *f, unsigned what, uint64_t start, uint64_t end) {
    if (!f->writable)
        return -K_EBADF;
    if (f->ops->allocate)
        return f->ops->allocate(f, what, start, end);
    return f->ops->set_size ? -K_ENOTSUP : f->ops->waiting ? -K_ESPIPE : -K_ENODEV;
}

int file_set_size(struct file *f, uint64_t size) {
    if (!f->writable)
        return -K_EBADF;
    int err = f->ops->set_size ? f->ops->set_size(f, size) : -K_EINVAL;
    if (notes_any() && !err)
        notes_of_file(f, NOTE_MODIFY);
    return err;
}

int file_seal(struct file *f, uint32_t more, uint32_t *all) {
    if (!f->ops->seal || (more & ~FILE_SEAL_ALL))
        return -K_EINVAL;
    return more && !f->writable ? -K_EPERM : f->ops->seal(f, more, all);
}

int file_map(struct file *f, uint64_t pages, struct object **o) {
    return f->ops->map ? f->ops->map(f, pages, o) : -K_ENODEV;
}

int file_sync(struct file *f) { return f->ops->sync ? f->ops->sync(f) : -K_EINVAL; }

bool file_lost(const struct file *f) { return f->writable && f->ops->lost && f->ops->lost(f); }

/* ---- flags ---- */

uint32_t file_flags(const struct file *f) {
    uint32_t mode = !f->writable ? ABI_O_RDONLY : f->readable ? ABI_O_RDWR : ABI_O_WRONLY;
    bool append = __atomic_load_n(&f->append, __ATOMIC_RELAXED);
    return mode | (append ? ABI_O_APPEND : 0) | (f->sync ? ABI_O_SYNC : 0) |
           (file_waits(f) ? 0 : ABI_O_NONBLOCK);
}

void file_set_flags(struct file *f, uint32_t flags) {
    __atomic_store_n(&f->append, (flags & ABI_O_APPEND) != 0, __ATOMIC_RELAXED);
    __atomic_store_n(&f->nonblock, (flags & ABI_O_NONBLOCK) != 0, __ATOMIC_RELAXED);
}
