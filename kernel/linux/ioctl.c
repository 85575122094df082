/* ioctl: what every open file can be told by it; the rest is the terminal's. */
#include "dev/blk.h"
#include "lib/errno.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "vfs/blockfile.h"
#include "vfs/descriptor.h"

#define FIONREAD 0x541b
#define FIONBIO 0x5421
#define FIONCLEX 0x5450
#define FIOCLEX 0x5451
#define BLKROGET 0x125e
#define BLKGETSIZE 0x1260
#define BLKSSZGET 0x1268
#define BLKGETSIZE64 0x80081272

static int tell_waiting(struct file *f, uint64_t address) {
    uint32_t n = (uint32_t)MIN(f->ops->waiting(f), (uint64_t)INT32_MAX);
    return copyout(UA(address), &n, sizeof(n));
}

/* The same as F_SETFL with O_NONBLOCK alone changed. */
static int set_nonblock(struct file *f, uint64_t address) {
    uint32_t on;
    int err = copyin(&on, UA(address), sizeof(on));
    if (err)
        return err;
    uint32_t others = file_flags(f) & ~(uint32_t)ABI_O_NONBLOCK;
    file_set_flags(f, others | (on ? ABI_O_NONBLOCK : 0));
    return 0;
}

static int control_disk(unsigned disk, uint32_t what, uint64_t address) {
    uint64_t sectors = blk_sectors_of(disk), bytes = sectors * SECTOR_SIZE;
    uint32_t sector = SECTOR_SIZE, read_only = 1; /* nobody writes there but the file system */
    switch (what) {
    case BLKGETSIZE64: return copyout(UA(address), &bytes, sizeof(bytes));
    case BLKGETSIZE: return copyout(UA(address), &sectors, sizeof(sectors));
    case BLKSSZGET: return copyout(UA(address), &sector, sizeof(sector));
    case BLKROGET: return copyout(UA(address), &read_only, sizeof(read_only));
    default: return -K_ENOTTY;
    }
}

static int control(struct file *f, const uint64_t arg[6], uint64_t *result) {
    uint32_t what = (uint32_t)arg[1];
    if (what == FIONBIO)
        return set_nonblock(f, arg[2]);
    if (what == FIONREAD && f->ops->waiting)
        return tell_waiting(f, arg[2]);
    if (blockfile_disk(f))
        return control_disk(blockfile_disk(f), what, arg[2]);
    return socket_of(f) ? linux_interface(arg[1], arg[2]) : linux_terminal(f, arg, result);
}

int linux_ioctl(const uint64_t arg[6], uint64_t *result) {
    uint32_t what = (uint32_t)arg[1];
    if (what == FIOCLEX || what == FIONCLEX)
        return fd_set_on_exec(fd_arg(arg[0]), what == FIOCLEX);
    return fd_call(control, arg, result);
}
