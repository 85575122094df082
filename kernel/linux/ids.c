/* Users and what they may do. There is one, 0, in one group, 0, who may do everything: being that
 * one is permitted, and becoming another one is not. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "proc/group.h"
#include "proc/proc.h"

#define AS_IT_IS UINT32_MAX

int linux_getuid(const uint64_t arg[6], uint64_t *result) { return 0; }

static int tell_three(const uint64_t arg[6]) {
    static const uint32_t root;
    int err = 0;
    for (unsigned i = 0; i < 3 && !err; i++)
        err = copyout(UA(arg[i]), &root, sizeof(root));
    return err;
}

int linux_getresuid(const uint64_t arg[6], uint64_t *result) { return tell_three(arg); }

/* n numbers, each of which may be -1. */
static int become(const uint64_t arg[6], unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if ((uint32_t)arg[i] != 0 && (uint32_t)arg[i] != AS_IT_IS)
            return -K_EPERM;
    return 0;
}

/* setuid, and setgid. */
int linux_setuid(const uint64_t arg[6], uint64_t *result) {
    return (uint32_t)arg[0] == AS_IT_IS ? -K_EINVAL : become(arg, 1);
}

int linux_setreuid(const uint64_t arg[6], uint64_t *result) { return become(arg, 2); }
int linux_setresuid(const uint64_t arg[6], uint64_t *result) { return become(arg, 3); }

/* It tells what it was before, and no error. */
int linux_setfsuid(const uint64_t arg[6], uint64_t *result) { return 0; }

#define GROUPS_MOST 65536

/* There are no further groups. */
int linux_getgroups(const uint64_t arg[6], uint64_t *result) {
    return (int32_t)arg[0] < 0 ? -K_EINVAL : 0;
}

int linux_setgroups(const uint64_t arg[6], uint64_t *result) {
    if ((uint32_t)arg[0] > GROUPS_MOST)
        return -K_EINVAL;
    for (uint64_t i = 0; i < (uint32_t)arg[0]; i++) {
        uint32_t group;
        int err = copyin(&group, UA(arg[1] + i * sizeof(group)), sizeof(group));
        if (err || group != 0)
            return err ? err : -K_EPERM;
        piece_done(1);
    }
    return 0;
}

/* ---- capabilities ---- */

struct cap_header {
    uint32_t version;
    int32_t pid;
};
struct cap_data {
    uint32_t effective, permitted, inheritable;
};
#define CAP_VERSION_1 0x19980330
#define CAP_VERSION_2 0x20071026
#define CAP_VERSION_3 0x20080522
#define CAP_LAST 40
#define CAP_HIGH ((1U << (CAP_LAST - 31)) - 1) /* those from 32 on */

static const struct cap_data all[2] = {{UINT32_MAX, UINT32_MAX, 0}, {CAP_HIGH, CAP_HIGH, 0}};

/* *bytes: of the data that goes with this version. An unknown one is -K_EINVAL, and the program is
 * told which one is known. */
static int read_header(uint64_t address, struct cap_header *h, uint64_t *bytes) {
    int err = copyin(h, UA(address), sizeof(*h));
    if (err)
        return err;
    *bytes = h->version == CAP_VERSION_1 ? sizeof(all[0]) : sizeof(all);
    if (h->version == CAP_VERSION_1 || h->version == CAP_VERSION_2 || h->version == CAP_VERSION_3)
        return 0;
    static const uint32_t known = CAP_VERSION_3;
    err = copyout(UA(address), &known, sizeof(known));
    return err ? err : -K_EINVAL;
}

int linux_capget(const uint64_t arg[6], uint64_t *result) {
    struct cap_header h;
    uint64_t bytes;
    int32_t group;
    int err = read_header(arg[0], &h, &bytes);
    if (err == -K_EINVAL && !arg[1])
        return 0; /* that was the question */
    if (!err)
        err = h.pid < 0 ? -K_EINVAL : proc_get_group(h.pid, &group);
    return err || !arg[1] ? err : copyout(UA(arg[1]), all, bytes);
}

/* Nobody can give up what all have. */
int linux_capset(const uint64_t arg[6], uint64_t *result) {
    struct cap_header h;
    struct cap_data wanted[2] = {all[0], all[1]};
    uint64_t bytes;
    int err = read_header(arg[0], &h, &bytes);
    if (!err && h.pid != 0 && h.pid != proc_self()->pid)
        err = -K_EPERM;
    if (!err)
        err = copyin(wanted, UA(arg[1]), bytes);
    if (err)
        return err;
    bool same = true;
    for (unsigned i = 0; i < 2; i++)
        same &= wanted[i].effective == all[i].effective && wanted[i].permitted == all[i].permitted;
    return same ? 0 : -K_EPERM;
}
