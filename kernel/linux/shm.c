/* Shared memory of System V. */
#include "lib/abi.h"
#include "lib/errno.h"
#include "linux/ipc.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/segment.h"

#define IPC_CREAT 01000U
#define IPC_EXCL 02000U

struct ipc_wish linux_ipc_wish(uint64_t key, uint64_t flags) {
    return (struct ipc_wish){.key = (int32_t)key,
                             .mode = (uint32_t)flags & LINUX_IPC_MODE,
                             .create = (flags & IPC_CREAT) || (int32_t)key == 0,
                             .fresh = (flags & IPC_EXCL) != 0};
}

struct linux_ipc_perm linux_ipc_perm(const struct ipc_thing *t) {
    return (struct linux_ipc_perm){.key = t->key,
                                   .uid = t->uid,
                                   .gid = t->gid,
                                   .mode = t->mode,
                                   .turn = (uint16_t)((uint32_t)t->id / IPC_MOST)};
}

#define SHM_HUGETLB 04000U

int linux_shmget(const uint64_t arg[6], uint64_t *result) {
    struct ipc_wish w = linux_ipc_wish(arg[0], arg[2]);
    int32_t id;
    if (arg[2] & SHM_HUGETLB)
        return -K_EINVAL;
    int err = segment_get(&w, arg[1], &id);
    *result = (uint64_t)id;
    return err;
}

#define SHM_RDONLY 010000U
#define SHM_RND 020000U
#define SHM_REMAP 040000U
#define SHM_EXEC 0100000U

int linux_shmat(const uint64_t arg[6], uint64_t *result) {
    uint32_t flags = (uint32_t)arg[2];
    struct segment_attach a = {.start = arg[1],
                               .replace = (flags & SHM_REMAP) != 0,
                               .read_only = (flags & SHM_RDONLY) != 0,
                               .prot = ABI_PROT_READ | (flags & SHM_RDONLY ? 0 : ABI_PROT_WRITE) |
                                       (flags & SHM_EXEC ? ABI_PROT_EXEC : 0)};
    if (flags & SHM_RND)
        a.start = ROUND_DOWN(a.start, PAGE_SIZE);
    if (!IS_ALIGNED(a.start, PAGE_SIZE) || (!a.start && a.replace))
        return -K_EINVAL;
    return segment_attach((int32_t)arg[0], &a, result);
}

int linux_shmdt(const uint64_t arg[6], uint64_t *result) {
    return IS_ALIGNED(arg[0], PAGE_SIZE) ? segment_detach(arg[0]) : -K_EINVAL;
}

/* ---- shmctl ---- */

enum { SHM_LOCK = 11, SHM_UNLOCK, SHM_STAT, SHM_INFO, SHM_STAT_ANY };
#define SHM_DEST 01000U

struct shmid_ds {
    struct linux_ipc_perm perm;
    uint64_t bytes;
    int64_t attached_at, detached_at, changed_at;
    int32_t maker, last;
    uint64_t attached, unused[2];
};
_Static_assert(sizeof(struct shmid_ds) == 112, "struct shmid64_ds");

/* The result is the number where a place was asked for. */
static int tell(const uint64_t arg[6], bool by_place, uint64_t *result) {
    struct segment_about s;
    int err = segment_look((int32_t)arg[0], by_place, &s);
    if (err)
        return err;
    struct shmid_ds ds = {.perm = linux_ipc_perm(&s.common),
                          .bytes = s.bytes,
                          .attached_at = s.attached_at,
                          .detached_at = s.detached_at,
                          .changed_at = s.common.changed,
                          .maker = s.maker,
                          .last = s.last,
                          .attached = s.attached};
    ds.perm.mode |= s.common.removed ? SHM_DEST : 0;
    *result = by_place ? (uint64_t)s.common.id : 0;
    return copyout(UA(arg[2]), &ds, sizeof(ds));
}

/* Both: the highest place in use is the result. */
static int tell_limits(uint64_t address, uint64_t *result) {
    struct segment_sums sums = segment_sums();
    const uint64_t limits[9] = {USER_MAX, 1, IPC_MOST, IPC_MOST, USER_MAX / PAGE_SIZE};
    *result = sums.places ? sums.places - 1 : 0;
    return copyout(UA(address), limits, sizeof(limits));
}

static int tell_sums(uint64_t address, uint64_t *result) {
    struct segment_sums sums = segment_sums();
    const uint64_t told[6] = {sums.used, sums.pages, sums.pages};
    *result = sums.places ? sums.places - 1 : 0;
    return copyout(UA(address), told, sizeof(told));
}

static int set(const uint64_t arg[6]) {
    struct linux_ipc_perm perm;
    int err = copyin(&perm, UA(arg[2]), sizeof(perm));
    return err ? err : segment_set((int32_t)arg[0], perm.uid, perm.gid, perm.mode & LINUX_IPC_MODE);
}

int linux_shmctl(const uint64_t arg[6], uint64_t *result) {
    struct segment_about s;
    if ((int32_t)arg[0] < 0 || (int32_t)arg[1] < 0)
        return -K_EINVAL;
    switch ((int32_t)arg[1]) {
    case LINUX_IPC_RMID: return segment_remove((int32_t)arg[0]);
    case LINUX_IPC_SET: return set(arg);
    case LINUX_IPC_STAT: return tell(arg, false, result);
    case SHM_STAT:
    case SHM_STAT_ANY: return tell(arg, true, result);
    case LINUX_IPC_INFO: return tell_limits(arg[2], result);
    case SHM_INFO: return tell_sums(arg[2], result);
    case SHM_LOCK: /* nothing is ever swapped */
    case SHM_UNLOCK: return segment_look((int32_t)arg[0], false, &s);
    default: return -K_EINVAL;
    }
}
