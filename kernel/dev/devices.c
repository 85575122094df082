/* Devices by Linux's numbers, and those that are nothing but memory: see devices.h. */
#include "dev/devices.h"
#include "dev/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/shm.h"
#include "mm/uaccess.h"
#include "proc/wait.h"

/* ---- null, zero, full ---- */

static int read_nothing(uaddr_t dst, size_t n, size_t *done) {
    *done = 0;
    return 0;
}

static int write_nowhere(uaddr_t src, size_t n, size_t *done) {
    *done = n;
    return 0;
}

static int write_full(uaddr_t src, size_t n, size_t *done) {
    *done = 0;
    return -K_ENOSPC;
}

/* Gives what fill makes, piece by piece. A signal may end it after each: n has no bound. */
static int read_made(uaddr_t dst, size_t n, size_t *done, void (*fill)(void *to, size_t n)) {
    uint8_t piece[256];
    *done = 0;
    while (*done < n) {
        size_t part = MIN(n - *done, sizeof(piece));
        fill(piece, part);
        int err = copyout(UA(dst.v + *done), piece, part);
        if (err)
            return err;
        *done += part;
        if (proc_interrupted())
            break;
    }
    return 0;
}

static void fill_zeros(void *to, size_t n) { memset(to, 0, n); }

static int read_zeros(uaddr_t dst, size_t n, size_t *done) {
    return read_made(dst, n, done, fill_zeros);
}

static int read_random(uaddr_t dst, size_t n, size_t *done) {
    return read_made(dst, n, done, random_bytes);
}

static const struct chardev_ops null_ops = {
    .read = read_nothing, .write = write_nowhere, .places = true};
static const struct chardev_ops zero_ops = {
    .read = read_zeros, .write = write_nowhere, .places = true, .map = shm_create};
static const struct chardev_ops full_ops = {
    .read = read_zeros, .write = write_full, .places = true};
static const struct chardev_ops random_ops = {
    .read = read_random, .write = write_nowhere, .places = true};

/* ---- numbers ---- */

struct device devices[] = {
    {"null", 1, 3, 0666, false, &null_ops},
    {"zero", 1, 5, 0666, false, &zero_ops},
    {"full", 1, 7, 0666, false, &full_ops},
    {"random", 1, 8, 0666, false, &random_ops},
    {"urandom", 1, 9, 0666, false, &random_ops},
    {"tty", 5, 0, 0666, false, NULL},
    {"console", 5, 1, 0600, false, NULL},
    {"ttyS0", 4, 64, 0600, false, NULL},
    {"ptmx", 5, 2, 0666, false, NULL},
    {"vda", MAJOR_DISK, 0, 0660, true, NULL},
    {"vdb", MAJOR_DISK, DISK_MINORS, 0660, true, NULL},
};
const unsigned device_count = ARRAY_LEN(devices);

void device_set(const char *name, const struct chardev_ops *ops) {
    for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
        if (!strcmp(devices[i].name, name))
            devices[i].ops = ops;
}

static const struct device *find(bool block, int major, int minor) {
    for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
        if (devices[i].block == block && devices[i].major == major && devices[i].minor == minor)
            return &devices[i];
    return NULL;
}

const struct chardev_ops *device_find(int major, int minor) {
    const struct device *d = find(false, major, minor);
    if (!d)
        return major == MAJOR_CONSOLE ? chardev_find(major) : NULL;
    return d->ops ? d->ops : chardev_find(MAJOR_CONSOLE);
}

const struct chardev_ops *device_find_block(int major, int minor) {
    const struct device *d = find(true, major, minor);
    return d ? d->ops : NULL;
}
