/* The names of devices. */
#include "init/devfolder.h"
#include "dev/blk.h"
#include "dev/devices.h"
#include "vfs/names.h"

/* Names of what each process has open itself. */
static void add_links(struct node *dev) {
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"},
                 {"stdin", "/proc/self/fd/0"},
                 {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"}};
    for (unsigned i = 0; i < ARRAY_LEN(links); i++) {
        const struct node_kind kind = {.type = NODE_LINK, .mode = 0777, .target = links[i].target};
        (void)!names_make(dev, links[i].name, &kind);
    }
}

void devfolder_fill(struct node *dev) {
    static const struct node_kind folder = {.type = NODE_DIR, .mode = 0755};
    (void)!names_make(dev, "pts", &folder);
    for (unsigned i = 0; i < device_count; i++) {
        if (devices[i].block && (unsigned)devices[i].minor / DISK_MINORS >= blk_count())
            continue; /* there is no such disk */
        const struct node_kind kind = {.type = devices[i].block ? NODE_BLOCK : NODE_DEVICE,
                                       .major = devices[i].major,
                                       .minor = devices[i].minor,
                                       .mode = devices[i].mode};
        (void)!names_make(dev, devices[i].name, &kind);
    }
    add_links(dev);
}
