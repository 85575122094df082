/* Open files: objects with operations, so that pipes, devices and inodes do not
 * know of each other.
 *
 * A process's descriptors, and only they, refer to a file; fork and dup share it,
 * with its offset. When the last reference goes, its close operation runs.
 *
 * Locks: refs is atomic; the table's spinlock guards the list of free files;
 * the operations guard offset and object themselves. Without a reference nobody has a
 * pointer to a file, so file_alloc may write all of one that was given back. */
#pragma once
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/types.h"
#include "proc/proc.h"

struct file;
struct object;

/* Any of them may be NULL: -K_EINVAL. *done is how many bytes were moved, also
 * after an error. All may sleep; no lock is held. */
struct file_ops {
    int (*read)(struct file *f, uaddr_t dst, size_t n, size_t *done);
    int (*write)(struct file *f, uaddr_t src, size_t n, size_t *done);
    int (*stat)(struct file *f, struct abi_stat *st);
    /* NULL: -K_ESPIPE. */
    int (*seek)(struct file *f, int64_t offset, int whence, uint64_t *result);
    int (*set_size)(struct file *f, uint64_t size);
    int (*sync)(struct file *f);
    int (*map)(struct file *f, uint64_t pages, struct object **o); /* NULL: -K_ENODEV */
    bool (*lost)(const struct file *f);                            /* NULL: never */
    void (*close)(struct file *f);
};

struct file {
    const struct file_ops *ops;
    void *object;    /* what ops work on */
    uint64_t offset; /* bytes, where the next read or write begins */
    uint32_t refs;
    bool readable, writable;
    bool append; /* every write goes to the end */
    bool sync;   /* and is on the disk when it returns */
    struct list link;
};

/* Boot: a table of n files, the last kept of which are for the session and its commands
 * (proc_in_reserve). -K_ENOMEM. */
int file_boot_init(uint32_t n, uint32_t kept) must_check;

/* A file with one reference and no operations yet. -K_ENFILE: the table is full,
 * or what is left of it is kept for others. */
int file_alloc(struct file **out) must_check;
struct file *file_get(struct file *f);
/* Closes with the last reference; one without operations is just given back. */
void file_put(struct file *f);

/* Move up to n bytes at the file's offset. *done > 0 is success, even if an error
 * stopped it. -K_EBADF: not open for this; and what the operations return. */
int file_read(struct file *f, uaddr_t dst, size_t n, size_t *done) must_check;
int file_write(struct file *f, uaddr_t src, size_t n, size_t *done) must_check;
/* -K_EINVAL: files of this kind have nothing to say; *st is as it was. */
int file_stat(struct file *f, struct abi_stat *st) must_check;
/* whence: 0 from the start, 1 from here, 2 from the end. -K_ESPIPE: it has no
 * offset; -K_EINVAL: another whence, or the result would be negative. */
int file_seek(struct file *f, int64_t offset, int whence, uint64_t *result) must_check;
/* Cuts or fills with zeros. -K_EBADF: not open for writing; -K_EINVAL: not a file of the
 * disk; -K_EFBIG, -K_ENOSPC, -K_EIO, -K_EROFS: see data_set_size. */
int file_set_size(struct file *f, uint64_t size) must_check;
/* An object for the contents, to be mapped up to so many pages, with a reference. -K_ENODEV: not a
 * file of the disk; -K_ENOMEM; -K_EIO. */
int file_map(struct file *f, uint64_t pages, struct object **o) must_check;
/* Waits until what was written is on the disk, and all that was done before. -K_EINVAL: not
 * a file of the disk; -K_EIO: it never will be. */
int file_sync(struct file *f) must_check;
/* Whether f may have written what never will be on the disk. */
bool file_lost(const struct file *f) must_check;

/* The running process's descriptors; a process alone touches its own. */
static inline int fd_file(uint64_t fd, struct file **out) must_check; /* -K_EBADF: not open */
int fd_find_free(int *fd) must_check;                                 /* the lowest; -K_EMFILE */
void fd_set(int fd, struct file *f);                                  /* takes over the reference */
struct file *fd_take(int fd); /* and gives it back: fd is free */

uint64_t file_open_count(void);

static inline int fd_file(uint64_t fd, struct file **out) {
    *out = fd < ABI_NOFILE ? proc_self()->files[fd] : NULL;
    return *out ? 0 : -K_EBADF;
}
