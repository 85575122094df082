/* Reading and writing. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "syscall/syscall.h"
#include "vfs/descriptor.h"
#include "vfs/listing.h"

#define MOST 0x7ffff000UL /* bytes of one call */
#define VECTORS 1024

/* A directory is read by getdents64 alone. */
static int read_at(struct file *f, uint64_t address, uint64_t n, size_t *done) {
    *done = 0;
    return f->ops->list ? -K_EISDIR : file_read(f, UA(address), MIN(n, MOST), done);
}

static int write_at(struct file *f, uint64_t address, uint64_t n, size_t *done) {
    return file_write(f, UA(address), MIN(n, MOST), done);
}

typedef int (*move_fn)(struct file *f, uint64_t address, uint64_t n, size_t *done);

static int read_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return read_at(f, arg[1], arg[2], result);
}

static int write_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return write_at(f, arg[1], arg[2], result);
}

/* What was moved before an error is the result. */
static int move_vectors(struct file *f, move_fn move, const uint64_t arg[6], uint64_t *result) {
    struct {
        uint64_t base, bytes;
    } v;
    if (arg[2] > VECTORS)
        return -K_EINVAL;
    for (uint64_t i = 0; i < arg[2]; i++) {
        size_t done = 0;
        int err = copyin(&v, UA(arg[1] + i * sizeof(v)), sizeof(v));
        if (!err)
            err = move(f, v.base, v.bytes, &done);
        *result += done;
        if (err)
            return *result ? 0 : err;
        /* What is there is enough: what has no offset would wait for more. */
        if (done < v.bytes || (done && move == read_at && !f->ops->seek))
            break;
    }
    return 0;
}

int linux_move_vectors(struct file *f, bool write, const uint64_t arg[6], uint64_t *result) {
    return move_vectors(f, write ? write_at : read_at, arg, result);
}

static int read_vectors(struct file *f, const uint64_t arg[6], uint64_t *result) {
    if (socket_of(f))
        return arg[2] > VECTORS ? -K_EINVAL : linux_receive_vector(f, arg[1], arg[2], result);
    return move_vectors(f, read_at, arg, result);
}

static int write_vectors(struct file *f, const uint64_t arg[6], uint64_t *result) {
    if (socket_of(f))
        return arg[2] > VECTORS ? -K_EINVAL : linux_send_vector(f, arg[1], arg[2], result);
    return move_vectors(f, write_at, arg, result);
}

/* As another open file of the same, which has this offset and no descriptor. */
static int at_offset(struct file *f, uint64_t offset, struct file *there) {
    if (!f->ops->seek)
        return -K_ESPIPE;
    if ((int64_t)offset < 0)
        return -K_EINVAL;
    *there = *f;
    there->offset = offset;
    return 0;
}

static int move_there(struct file *f, move_fn move, const uint64_t arg[6], uint64_t *result) {
    struct file there;
    int err = at_offset(f, arg[3], &there);
    return err ? err : move(&there, arg[1], arg[2], result);
}

static int read_there(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return move_there(f, read_at, arg, result);
}

static int write_there(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return move_there(f, write_at, arg, result);
}

int linux_read(const uint64_t arg[6], uint64_t *result) { return fd_call(read_file, arg, result); }

int linux_write(const uint64_t arg[6], uint64_t *result) {
    return syscall_tell_pipe(fd_call(write_file, arg, result));
}

int linux_readv(const uint64_t arg[6], uint64_t *result) {
    return fd_call(read_vectors, arg, result);
}

int linux_writev(const uint64_t arg[6], uint64_t *result) {
    return syscall_tell_pipe(fd_call(write_vectors, arg, result));
}

int linux_pread64(const uint64_t arg[6], uint64_t *result) {
    return fd_call(read_there, arg, result);
}

int linux_pwrite64(const uint64_t arg[6], uint64_t *result) {
    return fd_call(write_there, arg, result);
}

/* ---- vectors at an offset ---- */

/* What the newer two may ask for. That a call is not to wait is not for what has an offset: nobody
 * knows before what would. */
#define RWF_HIPRI 1U /* a hint */
#define RWF_DSYNC 2U
#define RWF_SYNC 4U
#define RWF_APPEND 16U
#define RWF_ALL (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND)

static int vectors_there(struct file *f, move_fn move, const uint64_t arg[6], uint64_t *result) {
    struct file there;
    int err = at_offset(f, arg[3], &there);
    if (err)
        return err;
    there.sync = f->sync || (arg[5] & (RWF_DSYNC | RWF_SYNC));
    there.append = f->append || (arg[5] & RWF_APPEND);
    return move_vectors(&there, move, arg, result);
}

static int read_vectors_there(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return vectors_there(f, read_at, arg, result);
}

static int write_vectors_there(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return vectors_there(f, write_at, arg, result);
}

/* Without the flags, which are another call's. */
static int without_flags(fd_call_fn fn, const uint64_t arg[6], uint64_t *result) {
    const uint64_t plain[6] = {arg[0], arg[1], arg[2], arg[3]};
    return fd_call(fn, plain, result);
}

int linux_preadv(const uint64_t arg[6], uint64_t *result) {
    return without_flags(read_vectors_there, arg, result);
}

int linux_pwritev(const uint64_t arg[6], uint64_t *result) {
    return without_flags(write_vectors_there, arg, result);
}

#define HERE UINT64_MAX /* the file's own offset, which moves */

int linux_preadv2(const uint64_t arg[6], uint64_t *result) {
    if ((uint32_t)arg[5] & ~RWF_ALL)
        return -K_ENOTSUP;
    return fd_call(arg[3] == HERE ? read_vectors : read_vectors_there, arg, result);
}

int linux_pwritev2(const uint64_t arg[6], uint64_t *result) {
    bool here = arg[3] == HERE;
    if (((uint32_t)arg[5] & ~RWF_ALL) || (here && ((uint32_t)arg[5] & ~RWF_HIPRI)))
        return -K_ENOTSUP;
    return syscall_tell_pipe(fd_call(here ? write_vectors : write_vectors_there, arg, result));
}

/* ---- directories ---- */

static const uint8_t dirent_type[] = {
    [NODE_DIR] = 4,  [NODE_FILE] = 8,    [NODE_DEVICE] = 2, [NODE_LINK] = 10,
    [NODE_FIFO] = 1, [NODE_SOCKET] = 12, [NODE_BLOCK] = 6};

/* Bytes of an entry before its name: inode, offset, length and type. */
#define DIRENT_HEAD 19
#define GATHERED 512

struct gathered {
    uint64_t bytes, most;
    bool full; /* there are more entries, and no room */
    char entry[GATHERED];
};

static bool gather(void *ctx, const struct listed *name) {
    struct gathered *g = ctx;
    uint64_t ino = name->ino, offset = 0; /* nobody can go to an entry */
    uint16_t length = (uint16_t)ROUND_UP(DIRENT_HEAD + name->length + 1, 8);
    g->full = length > g->most - g->bytes;
    if (g->full)
        return false;
    char *at = g->entry + g->bytes;
    memset(at, 0, length);
    memcpy(at, &ino, sizeof(ino));
    memcpy(at + 8, &offset, sizeof(offset));
    memcpy(at + 16, &length, sizeof(length));
    at[18] = (char)dirent_type[name->type];
    memcpy(at + DIRENT_HEAD, name->name, name->length);
    g->bytes += length;
    return true;
}

/* -K_EINVAL: there is no room for the next entry. */
static int list_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct gathered g;
    if (!f->ops->list)
        return -K_ENOTDIR;
    do {
        g.bytes = 0;
        g.full = false;
        g.most = MIN(arg[2] - *result, (uint64_t)GATHERED);
        int err = f->ops->list(f, gather, &g);
        if (!err)
            err = copyout(UA(arg[1] + *result), g.entry, g.bytes);
        if (err)
            return *result ? 0 : err;
        *result += g.bytes;
    } while (g.bytes > 0);
    return g.full && *result == 0 ? -K_EINVAL : 0;
}

int linux_getdents64(const uint64_t arg[6], uint64_t *result) {
    return fd_call(list_file, arg, result);
}
