/* Queues of messages of System V. */
#include "lib/errno.h"
#include "linux/ipc.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/msgqueue.h"

#define MSG_NOERROR 010000U
#define MSG_EXCEPT 020000U
#define MSG_COPY 040000U /* Linux has it where it is built to be moved while it runs */

int linux_msgget(const uint64_t arg[6], uint64_t *result) {
    struct ipc_wish w = linux_ipc_wish(arg[0], arg[1]);
    int32_t id;
    int err = msgqueue_get(&w, &id);
    *result = (uint64_t)id;
    return err;
}

/* A message in memory is its type, and the bytes behind that. */
int linux_msgsnd(const uint64_t arg[6], uint64_t *result) {
    int64_t type;
    int err = copyin(&type, UA(arg[1]), sizeof(type));
    return err ? err
               : msgqueue_send((int32_t)arg[0], type, UA(arg[1] + sizeof(type)), arg[2],
                               !(arg[3] & LINUX_IPC_NOWAIT));
}

int linux_msgrcv(const uint64_t arg[6], uint64_t *result) {
    uint32_t flags = (uint32_t)arg[4];
    const struct msgqueue_choice c = {.type = (int64_t)arg[3],
                                      .but = (flags & MSG_EXCEPT) && (int64_t)arg[3] > 0,
                                      .waits = !(flags & LINUX_IPC_NOWAIT),
                                      .cut = (flags & MSG_NOERROR) != 0};
    size_t n = arg[2];
    int64_t type;
    if ((int32_t)arg[0] < 0 || (int64_t)n < 0)
        return -K_EINVAL;
    if (flags & MSG_COPY)
        return flags & LINUX_IPC_NOWAIT && !(flags & MSG_EXCEPT) ? -K_ENOSYS : -K_EINVAL;
    int err = msgqueue_receive((int32_t)arg[0], &c, UA(arg[1] + sizeof(type)), &n, &type);
    *result = n;
    return err ? err : copyout(UA(arg[1]), &type, sizeof(type));
}

/* ---- msgctl ---- */

enum { MSG_STAT = 11, MSG_INFO, MSG_STAT_ANY };

struct msqid_ds {
    struct linux_ipc_perm perm;
    int64_t sent_at, received_at, changed_at;
    uint64_t bytes, letters, most;
    int32_t sender, receiver;
    uint64_t unused[2];
};
_Static_assert(sizeof(struct msqid_ds) == 120, "struct msqid64_ds");

static int tell(const uint64_t arg[6], bool by_place, uint64_t *result) {
    struct msgqueue_about q;
    int err = msgqueue_look((int32_t)arg[0], by_place, &q);
    if (err)
        return err;
    struct msqid_ds ds = {.perm = linux_ipc_perm(&q.common),
                          .sent_at = q.sent_at,
                          .received_at = q.received_at,
                          .changed_at = q.common.changed,
                          .bytes = q.bytes,
                          .letters = q.letters,
                          .most = q.most,
                          .sender = q.sender,
                          .receiver = q.receiver};
    *result = by_place ? (uint64_t)q.common.id : 0;
    return copyout(UA(arg[2]), &ds, sizeof(ds));
}

static int set(const uint64_t arg[6]) {
    struct msqid_ds ds;
    int err = copyin(&ds, UA(arg[2]), sizeof(ds));
    return err ? err
               : msgqueue_set((int32_t)arg[0], ds.perm.uid, ds.perm.gid,
                              ds.perm.mode & LINUX_IPC_MODE, ds.most);
}

/* struct msginfo; for MSG_INFO some fields are what there is. */
static int tell_limits(uint64_t address, bool now, uint64_t *result) {
    struct msgqueue_sums s = msgqueue_sums();
    const int32_t told[8] = {[0] = now ? (int32_t)s.used
                                       : (int32_t)(IPC_MOST * MSGQUEUE_BYTES / 1024),
                             [1] = now ? (int32_t)s.letters : (int32_t)MSGQUEUE_LETTERS,
                             [2] = MSGQUEUE_LONGEST,
                             [3] = MSGQUEUE_BYTES,
                             [4] = IPC_MOST,
                             [6] = now ? (int32_t)s.bytes : (int32_t)MSGQUEUE_LETTERS};
    *result = s.places ? s.places - 1 : 0;
    return copyout(UA(address), told, sizeof(told));
}

int linux_msgctl(const uint64_t arg[6], uint64_t *result) {
    if ((int32_t)arg[0] < 0 || (int32_t)arg[1] < 0)
        return -K_EINVAL;
    switch ((int32_t)arg[1]) {
    case LINUX_IPC_RMID: return msgqueue_remove((int32_t)arg[0]);
    case LINUX_IPC_SET: return set(arg);
    case LINUX_IPC_STAT: return tell(arg, false, result);
    case MSG_STAT:
    case MSG_STAT_ANY: return tell(arg, true, result);
    case LINUX_IPC_INFO: return tell_limits(arg[2], false, result);
    case MSG_INFO: return tell_limits(arg[2], true, result);
    default: return -K_EINVAL;
    }
}
