/* What goes with a message beside its bytes (cmsg): descriptors, and who has sent it. */
#include "lib/errno.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "proc/proc.h"
#include "vfs/descriptor.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2

struct cmsghdr {
    uint64_t bytes; /* with this header */
    int32_t level, type;
};
#define CMSG_ALIGN(n) ROUND_UP(n, sizeof(uint64_t))

/* ---- from a program ---- */

static int add_file(struct carried *c, uint64_t at) {
    int32_t fd;
    int err = copyin(&fd, UA(at), sizeof(fd));
    if (err)
        return err;
    struct file *f = fd_begin(fd_arg((uint64_t)fd));
    if (!f)
        return -K_EBADF;
    c->file[c->n++] = file_get(f);
    fd_end(f);
    return 0;
}

#define MOST_CONTROL 20480 /* bytes that go with one message */

/* One list of descriptors, of so many bytes. */
static int read_rights(uint64_t at, uint64_t bytes, struct carried **out) {
    uint64_t n = bytes / sizeof(int32_t);
    if (*out || n > FILES_MAX)
        return -K_EINVAL;
    if (n == 0)
        return 0;
    *out = carried_make((uint32_t)n);
    int err = *out ? 0 : -K_ENOBUFS;
    for (uint64_t i = 0; i < n && !err; i++)
        err = add_file(*out, at + i * sizeof(int32_t));
    return err;
}

static int check_credentials(uint64_t at, uint64_t bytes) {
    struct ucred c;
    if (bytes != sizeof(c))
        return -K_EINVAL;
    int err = copyin(&c, UA(at), sizeof(c));
    if (err)
        return err;
    return c.pid == proc_self()->pid && c.uid == 0 && c.gid == 0 ? 0 : -K_EPERM;
}

static int read_one(const struct cmsghdr *h, uint64_t data, struct carried **out) {
    uint64_t bytes = h->bytes - sizeof(*h);
    if (h->level != SOL_SOCKET)
        return 0;
    switch (h->type) {
    case SCM_RIGHTS: return read_rights(data, bytes, out);
    case SCM_CREDENTIALS: return check_credentials(data, bytes);
    default: return -K_EINVAL;
    }
}

int linux_read_control(uint64_t at, uint64_t bytes, struct carried **out) {
    struct cmsghdr h;
    int err = bytes > MOST_CONTROL ? -K_ENOBUFS : 0;
    *out = NULL;
    for (uint64_t left = bytes; left >= sizeof(h) && !err;) {
        err = copyin(&h, UA(at), sizeof(h));
        if (!err && (h.bytes < sizeof(h) || h.bytes > left))
            err = -K_EINVAL;
        if (!err)
            err = read_one(&h, at + sizeof(h), out);
        uint64_t step = err ? 0 : MIN(CMSG_ALIGN(h.bytes), left);
        at += step;
        left -= step;
    }
    if (err && *out) {
        carried_free(*out);
        *out = NULL;
    }
    return err;
}

/* ---- to a program ---- */

/* What is written to. */
struct control {
    uint64_t at, left;
    bool cut;
};

/* The header in front of so many bytes of data is told last: how many they are is known then. */
static int end_one(struct control *c, int32_t type, uint64_t bytes) {
    struct cmsghdr h = {.bytes = sizeof(h) + bytes, .level = SOL_SOCKET, .type = type};
    int err = copyout(UA(c->at), &h, sizeof(h));
    uint64_t step = MIN(CMSG_ALIGN(h.bytes), c->left);
    c->at += step;
    c->left -= step;
    return err;
}

/* Gives the file the lowest free descriptor, and tells it there. */
static int give_file(struct file *f, bool on_exec, uint64_t at) {
    int fd, err = fd_reserve(0, &fd);
    if (err)
        return err;
    err = copyout(UA(at), &fd, sizeof(fd));
    if (err)
        fd_unreserve(fd);
    else
        fd_open(fd, file_get(f), on_exec);
    return err;
}

static int tell_files(struct control *c, const struct carried *files, bool on_exec) {
    uint64_t header = sizeof(struct cmsghdr);
    uint64_t room = c->left > header ? (c->left - header) / sizeof(int32_t) : 0, n = 0;
    int err = 0;
    while (n < MIN(room, (uint64_t)files->n) && !err) {
        err = give_file(files->file[n], on_exec, c->at + header + n * sizeof(int32_t));
        n += !err;
    }
    c->cut |= n < files->n;
    return n ? end_one(c, SCM_RIGHTS, n * sizeof(int32_t)) : 0;
}

static int tell_sender(struct control *c, int32_t pid) {
    struct ucred who = {.pid = pid};
    uint64_t header = sizeof(struct cmsghdr);
    if (c->left < header + sizeof(who)) {
        c->cut = true;
        return 0;
    }
    int err = copyout(UA(c->at + header), &who, sizeof(who));
    return err ? err : end_one(c, SCM_CREDENTIALS, sizeof(who));
}

int linux_tell_control(struct socket_received *r, bool sender, bool on_exec, uint64_t at,
                       uint64_t *bytes, bool *cut) {
    struct control c = {.at = at, .left = *bytes};
    int err = sender ? tell_sender(&c, r->pid) : 0;
    if (r->files) {
        if (!err)
            err = tell_files(&c, r->files, on_exec);
        carried_free(r->files);
        r->files = NULL;
    }
    *bytes -= c.left;
    *cut = c.cut;
    return err;
}
