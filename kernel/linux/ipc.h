/* What the calls of System V's things have in common. */
#pragma once
#include "proc/ipc.h"

enum {
    LINUX_IPC_RMID,
    LINUX_IPC_SET,
    LINUX_IPC_STAT,
    LINUX_IPC_INFO,
};
#define LINUX_IPC_MODE 0777U
#define LINUX_IPC_NOWAIT 04000 /* of an operation */

struct linux_ipc_perm {
    int32_t key;
    uint32_t uid, gid, maker_uid, maker_gid, mode;
    uint16_t turn, pad;
    uint64_t unused[2];
};

struct linux_ipc_perm linux_ipc_perm(const struct ipc_thing *t);
struct ipc_wish linux_ipc_wish(uint64_t key, uint64_t flags);
