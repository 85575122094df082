/* Users and what they may do. There is one, 0, in one group, 0, who may do everything: being that
 * one is permitted, and becoming another one is not. What a process says that it will not do is
 * kept and told. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
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
#define ALL_CAPS ((2UL << CAP_LAST) - 1)

/* *bytes: of the data that goes with this version. An unknown one is -K_EINVAL, and the program is
 * told which one is known. */
static int read_header(uint64_t address, struct cap_header *h, uint64_t *bytes) {
    int err = copyin(h, UA(address), sizeof(*h));
    if (err)
        return err;
    *bytes = (h->version == CAP_VERSION_1 ? 1 : 2) * sizeof(struct cap_data);
    if (h->version == CAP_VERSION_1 || h->version == CAP_VERSION_2 || h->version == CAP_VERSION_3)
        return 0;
    static const uint32_t known = CAP_VERSION_3;
    err = copyout(UA(address), &known, sizeof(known));
    return err ? err : -K_EINVAL;
}

/* A thread that is not the first has a number of its own. */
static bool is_self(int32_t pid) { return pid == proc_self()->pid || pid == thread_self()->tid; }

int linux_capget(const uint64_t arg[6], uint64_t *result) {
    struct cap_header h;
    struct caps c;
    uint64_t bytes;
    int err = read_header(arg[0], &h, &bytes);
    if (err == -K_EINVAL && !arg[1])
        return 0; /* that was the question */
    if (!err)
        err = h.pid < 0 ? -K_EINVAL : proc_caps(is_self(h.pid) ? 0 : h.pid, &c);
    if (err || !arg[1])
        return err;
    uint64_t effective = ALL_CAPS & ~c.left_out, permitted = ALL_CAPS & ~c.given_up;
    const struct cap_data told[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)c.inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(c.inheritable >> 32)},
    };
    return copyout(UA(arg[1]), told, bytes);
}

static uint64_t whole(uint32_t low, uint32_t high) { return low | (uint64_t)high << 32; }

/* What the first version has no room for is given up by it. */
int linux_capset(const uint64_t arg[6], uint64_t *result) {
    struct cap_header h;
    struct cap_data d[2] = {{0}};
    uint64_t bytes;
    int err = read_header(arg[0], &h, &bytes);
    if (!err && h.pid != 0 && !is_self(h.pid))
        err = -K_EPERM;
    if (!err)
        err = copyin(d, UA(arg[1]), bytes);
    if (err)
        return err;
    const struct caps c = {.left_out = ALL_CAPS & ~whole(d[0].effective, d[1].effective),
                           .given_up = ALL_CAPS & ~whole(d[0].permitted, d[1].permitted),
                           .inheritable = ALL_CAPS & whole(d[0].inheritable, d[1].inheritable)};
    return proc_set_caps(&c);
}
