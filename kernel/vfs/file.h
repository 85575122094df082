/* Open files: objects with operations, so that pipes, devices and inodes do not
 * know of each other.
 *
 * Descriptors (descriptor.h) and the calls that use them refer to a file; fork and dup share it,
 * with its offset. When the last reference goes, its close operation runs.
 *
 * Locks: what event sets know of it has theirs; refs, append and nonblock are atomic, and what else
 * open decides is constant; the operations guard offset and object themselves. Without a reference
 * nobody has a pointer to a file, so file_alloc may write all of one that was given back. */
#pragma once
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/types.h"
#include "proc/proc.h"
#include "vfs/notes.h"

struct chardev_ops;
struct event;
struct file;
struct listed;
typedef bool (*list_emit_fn)(void *ctx, const struct listed *name);
struct node;
struct object;
struct pty;
struct tty;
struct watch;

/* Any of them may be NULL: -K_EINVAL. *done is how many bytes were moved, also
 * after an error. All may sleep; no lock is held. */
struct file_ops {
    int (*read)(struct file *f, uaddr_t dst, size_t n, size_t *done);
    int (*write)(struct file *f, uaddr_t src, size_t n, size_t *done);
    int (*stat)(struct file *f, struct abi_stat *st);
    /* NULL: -K_ESPIPE. */
    int (*seek)(struct file *f, int64_t offset, int whence, uint64_t *result);
    int (*set_size)(struct file *f, uint64_t size);
    /* A range, FILE_ALLOCATE and so on. NULL: -K_ENOTSUP; the others: file_allocate. */
    int (*allocate)(struct file *f, unsigned what, uint64_t start, uint64_t end);
    int (*sync)(struct file *f);
    int (*list)(struct file *f, list_emit_fn emit, void *ctx);     /* a directory's: listing.h */
    int (*map)(struct file *f, uint64_t pages, struct object **o); /* NULL: -K_ENODEV */
    bool (*lost)(const struct file *f);                            /* NULL: never */
    /* What it is now, READY_... of watch.h; w, unless it is NULL, is told of each change from
     * before that look on. NULL: it can always be read and written. */
    unsigned (*ready)(struct file *f, struct watch *w);
    uint64_t (*waiting)(struct file *f); /* bytes that could be read at once; NULL: nobody knows */
    struct node *(*node)(const struct file *f); /* what it is open on; NULL: it has no node */
    /* Forbids more of FILE_SEAL_..., for all who have the file, for ever; *all is what is forbidden
     * then. NULL: -K_EINVAL; the others: file_seal. */
    int (*seal)(struct file *f, uint32_t more, uint32_t *all);
    void (*close)(struct file *f);
    const char *kind; /* of one without a node, as Linux calls it; NULL: it has one */
};

struct file {
    const struct file_ops *ops;
    void *object; /* what ops work on */
    union {
        const struct chardev_ops *device; /* of a device: its driver, if there is one */
        void *place;                      /* of a directory: where its list has come to */
        struct node *fifo;                /* of a pipe with a name: that, with a reference */
        struct tty *tty;                  /* of a terminal: that, with a reference */
        struct pty *pty;                  /* of a pseudo-terminal's master: that */
    };
    uint64_t offset; /* bytes, where the next read or write begins */
    uint32_t refs;
    bool readable, writable;
    bool append;   /* every write goes to the end; atomic */
    bool nonblock; /* what would wait is -K_EAGAIN; atomic */
    bool locks;    /* it has, or had, locks (filelock.h); atomic */
    bool sync;     /* and is on the disk when it returns */
    bool counted;  /* among the opens of its node */
    /* Of one that is or was in an event set (eventset.h): what the last reference calls before the
     * close operation, and what it is there. */
    void (*forget)(struct file *f);
    struct event *events;
    struct note_place *place_noted; /* notes.h: where it was opened; NULL: nobody asked */
    char *path;                     /* as it was opened, if somebody said so: file_set_path */
};

/* Boot: no file is open, and none is locked. */
void file_boot_init(void);
/* Mount, before any file is open: there are at most max, the last kept of which are for the session
 * and its commands (fd_in_reserve). UINT64_MAX: as many as memory is found for. */
void file_mount(uint64_t max, uint64_t kept);

/* A file with one reference and no operations yet. -K_ENFILE: there are as many as there may be,
 * or the rest is kept for others; -K_ENOMEM. Then there is none. */
int file_alloc(struct file **out) must_check;
struct file *file_get(struct file *f);
/* Closes with the last reference; one without operations is just given back. */
void file_put(struct file *f);

/* Move up to n bytes at the file's offset. *done > 0 is success, even if an error
 * stopped it. -K_EBADF: not open for this; and what the operations return. */
static inline int file_read(struct file *f, uaddr_t dst, size_t n, size_t *done) must_check;
static inline int file_write(struct file *f, uaddr_t src, size_t n, size_t *done) must_check;
/* -K_EINVAL: files of this kind have nothing to say; *st is as it was. */
int file_stat(struct file *f, struct abi_stat *st) must_check;
/* whence: 0 from the start, 1 from here, 2 from the end. -K_ESPIPE: it has no
 * offset; -K_EINVAL: another whence, or the result would be negative. */
int file_seek(struct file *f, int64_t offset, int whence, uint64_t *result) must_check;
/* The same for what has an offset and so many bytes; what guards the offset is held. */
int file_seek_in(struct file *f, uint64_t size, int64_t offset, int whence,
                 uint64_t *result) must_check;
/* Cuts or fills with zeros. -K_EBADF: not open for writing; -K_EINVAL: it has no size to
 * set; -K_EFBIG, -K_ENOSPC, -K_EIO, -K_EROFS: see data_set_size. */
int file_set_size(struct file *f, uint64_t size) must_check;
/* Does one of these with the bytes [start, end), which are not none: promises room for them, or
 * makes them zero, with or without a promise. FILE_KEEP_SIZE: the file does not become longer, as
 * it else does, but for FILE_HOLE. -K_ENOTSUP: files of this kind cannot; -K_EBADF: not open for
 * writing; -K_ESPIPE: a pipe; -K_ENODEV: a device; -K_EFBIG, -K_ENOSPC, -K_EPERM: sealed; -K_EINTR:
 * it was killed. After an error some of it may have been done. */
enum { FILE_ROOM, FILE_HOLE, FILE_ZERO, FILE_KEEP_SIZE = 16 };
int file_allocate(struct file *f, unsigned what, uint64_t start, uint64_t end) must_check;
/* What may be forbidden of a file, with Linux's numbers: to forbid more, to make it shorter, or
 * longer, and to change what is in it. */
#define FILE_SEAL_SEAL 1U
#define FILE_SEAL_SHRINK 2U
#define FILE_SEAL_GROW 4U
#define FILE_SEAL_WRITE 8U
#define FILE_SEAL_ALL 15U
/* more 0: only tells *all. -K_EINVAL: files of this kind have no seals, or there is no such one;
 * -K_EPERM: f is not open for writing, or no more may be forbidden; -K_EBUSY: it is to be written
 * no more, and somebody has mapped it for that. */
int file_seal(struct file *f, uint32_t more, uint32_t *all) must_check;
/* An object for the contents, to be mapped up to so many pages, with a reference. -K_ENODEV: it
 * has no pages; -K_ENOMEM; -K_EIO. */
int file_map(struct file *f, uint64_t pages, struct object **o) must_check;
/* Waits until what was written is on the disk, and all that was done before. -K_EINVAL: a
 * device or a pipe; -K_EIO: it never will be. */
int file_sync(struct file *f) must_check;
/* Whether f may have written what never will be on the disk. */
bool file_lost(const struct file *f) must_check;

/* Its flags, of those that last: ABI_O_RDONLY, _WRONLY, _RDWR, _APPEND, _SYNC, _NONBLOCK; and sets
 * _APPEND and _NONBLOCK as in flags from now on, whoever shares f. */
uint32_t file_flags(const struct file *f);
void file_set_flags(struct file *f, uint32_t flags);
static inline bool file_waits(const struct file *f) {
    return !__atomic_load_n(&f->nonblock, __ATOMIC_RELAXED);
}

uint64_t file_open_count(void);

/* For who asks what is open (procfs): the path by which f, which nobody else knows yet, was opened.
 * One of ABI_MAXPATH bytes or more, or one for which there is no memory, is not kept. */
void file_set_path(struct file *f, const char *path);

/* ---- inline, since every read and write comes here ---- */

static inline int file_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    *done = 0;
    if (!f->readable)
        return -K_EBADF;
    if (!f->ops->read)
        return -K_EINVAL;
    if (n == 0)
        return 0;
    int err = f->ops->read(f, dst, n, done);
    if (notes_any() && *done > 0)
        notes_of_file(f, NOTE_ACCESS);
    return *done > 0 ? 0 : err;
}

static inline int file_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    *done = 0;
    if (!f->writable)
        return -K_EBADF;
    if (!f->ops->write)
        return -K_EINVAL;
    if (n == 0)
        return 0;
    int err = f->ops->write(f, src, n, done);
    if (notes_any() && *done > 0)
        notes_of_file(f, NOTE_MODIFY);
    return *done > 0 ? 0 : err;
}
