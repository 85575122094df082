/* Files in memory that have no name, and seals. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "tmpfs/tmpfs.h"
#include "vfs/descriptor.h"

#define MFD_CLOEXEC 1U
#define MFD_ALLOW_SEALING 2U
#define MFD_NOEXEC_SEAL 8U /* and whoever asks for it may seal */
#define MFD_EXEC 16U
#define MFD_ALL (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)
#define NAME_MOST 249

/* What /proc says of it. */
struct wanted {
    uint32_t flags;
    char name[NAME_MOST + 1];
};

static int make(void *ctx, struct file **out) {
    const struct wanted *w = ctx;
    char path[NAME_MOST + 32];
    uint32_t seals = w->flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : FILE_SEAL_SEAL;
    int err = tmpfs_open_unnamed(w->flags & MFD_NOEXEC_SEAL ? 0666 : 0777, seals, out);
    if (err)
        return err;
    snprintf(path, sizeof(path), "/memfd:%s (deleted)", w->name);
    file_set_path(*out, path);
    return 0;
}

int linux_memfd_create(const uint64_t arg[6], uint64_t *result) {
    struct wanted w = {.flags = (uint32_t)arg[1]};
    bool both = (w.flags & MFD_EXEC) && (w.flags & MFD_NOEXEC_SEAL);
    if ((w.flags & ~MFD_ALL) || both)
        return -K_EINVAL;
    int err = copyinstr(w.name, UA(arg[0]), sizeof(w.name));
    if (err)
        return err == -K_ENAMETOOLONG ? -K_EINVAL : err;
    return linux_open_made(make, &w, w.flags & MFD_CLOEXEC ? LINUX_O_CLOEXEC : 0, result);
}

/* ---- fcntl ---- */

#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034

bool linux_is_seal(uint64_t command) { return command == F_ADD_SEALS || command == F_GET_SEALS; }

static int seal(struct file *f, const uint64_t arg[6], uint64_t *result) {
    uint32_t all = 0;
    int err = file_seal(f, arg[1] == F_ADD_SEALS ? (uint32_t)arg[2] : 0, &all);
    *result = arg[1] == F_ADD_SEALS ? 0 : all;
    return err;
}

int linux_seal(const uint64_t arg[6], uint64_t *result) { return fd_call(seal, arg, result); }
