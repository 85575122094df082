/* Character devices: a table that is filled at boot and only read afterwards. */
#include "dev/chardev.h"
#include "lib/panic.h"

static const struct chardev_ops *drivers[NMAJOR];

void chardev_register(unsigned major, const struct chardev_ops *ops) {
    ASSERT(major < NMAJOR);
    ASSERT(!drivers[major]);
    drivers[major] = ops;
}

const struct chardev_ops *chardev_find(int major) {
    return major >= 0 && major < NMAJOR ? drivers[major] : NULL;
}
