/* Open files and descriptors. */
#include "fs/file.h"
#include "fs/inode.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "proc/group.h"

static struct {
    struct spinlock lock;
    struct list free;
    uint64_t open, total, kept;
} table;

int file_boot_init(uint32_t n, uint32_t kept) {
    struct file *files = frame_boot_alloc(n * sizeof(struct file), _Alignof(struct file));
    if (!files)
        return -K_ENOMEM;
    spin_init(&table.lock, RANK_FILES);
    list_init(&table.free);
    table.open = 0;
    table.total = n;
    table.kept = kept;
    for (uint32_t i = 0; i < n; i++)
        list_push_back(&table.free, &files[i].link);
    return 0;
}

int file_alloc(struct file **out) {
    uint64_t kept = proc_in_reserve(proc_self()) ? 0 : table.kept;
    spin_lock(&table.lock);
    struct list *link = table.open + kept < table.total ? list_pop_front(&table.free) : NULL;
    if (link)
        table.open++;
    spin_unlock(&table.lock);
    if (!link)
        return -K_ENFILE;
    struct file *f = LIST_ENTRY(link, struct file, link);
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
    if (f->ops && f->ops->close)
        f->ops->close(f);
    spin_lock(&table.lock);
    table.open--;
    list_push_front(&table.free, &f->link);
    spin_unlock(&table.lock);
}

uint64_t file_open_count(void) { return __atomic_load_n(&table.open, __ATOMIC_RELAXED); }

int file_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    *done = 0;
    if (!f->readable)
        return -K_EBADF;
    if (!f->ops->read)
        return -K_EINVAL;
    if (n == 0)
        return 0;
    int err = f->ops->read(f, dst, n, done);
    return *done > 0 ? 0 : err;
}

int file_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    *done = 0;
    if (!f->writable)
        return -K_EBADF;
    if (!f->ops->write)
        return -K_EINVAL;
    if (n == 0)
        return 0;
    int err = f->ops->write(f, src, n, done);
    return *done > 0 ? 0 : err;
}

int file_stat(struct file *f, struct abi_stat *st) {
    return f->ops->stat ? f->ops->stat(f, st) : -K_EINVAL;
}

int file_seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    return f->ops->seek ? f->ops->seek(f, offset, whence, result) : -K_ESPIPE;
}

int file_set_size(struct file *f, uint64_t size) {
    if (!f->writable)
        return -K_EBADF;
    return f->ops->set_size ? f->ops->set_size(f, size) : -K_EINVAL;
}

int file_map(struct file *f, uint64_t pages, struct object **o) {
    return f->ops->map ? f->ops->map(f, pages, o) : -K_ENODEV;
}

int file_sync(struct file *f) { return f->ops->sync ? f->ops->sync(f) : -K_EINVAL; }

bool file_lost(const struct file *f) { return f->writable && f->ops->lost && f->ops->lost(f); }

/* ---- descriptors ---- */

int fd_find_free(int *fd) {
    struct file **files = proc_self()->files;
    for (*fd = 0; *fd < ABI_NOFILE; (*fd)++)
        if (!files[*fd])
            return 0;
    return -K_EMFILE;
}

void fd_set(int fd, struct file *f) { proc_self()->files[fd] = f; }

struct file *fd_take(int fd) {
    struct file *f = proc_self()->files[fd];
    proc_self()->files[fd] = NULL;
    return f;
}

void proc_files_clone(struct proc *child, struct proc *parent) {
    for (int i = 0; i < ABI_NOFILE; i++)
        child->files[i] = parent->files[i] ? file_get(parent->files[i]) : NULL;
    child->cwd = parent->cwd ? inode_dup(parent->cwd) : NULL;
}

void proc_files_drop(struct proc *p) {
    for (int i = 0; i < ABI_NOFILE; i++) {
        struct file *f = p->files[i];
        p->files[i] = NULL;
        if (f)
            file_put(f);
    }
    if (p->cwd)
        inode_put(p->cwd);
    p->cwd = NULL;
    inode_reap();
}
