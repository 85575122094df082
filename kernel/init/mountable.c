/* The file systems that programs may mount: what each is made of. */
#include "init/mountable.h"
#include "init/devfolder.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "procfs/procfs.h"
#include "pty/pty.h"
#include "tmpfs/tmpfs.h"
#include "vfs/mount.h"

/* mode=OCTAL, and nothing else; *mode stays what it is without. */
static int read_mode(const char *options, uint16_t *mode) {
    static const char name[] = "mode=";
    size_t n = sizeof(name) - 1;
    unsigned all = 0;
    if (!*options)
        return 0;
    if (strncmp(options, name, n) || !options[n])
        return -K_EINVAL;
    for (const char *c = options + n; *c; c++) {
        if (*c < '0' || *c > '7')
            return -K_EINVAL;
        all = all * 8 + (unsigned)(*c - '0');
        if (all > 07777)
            return -K_EINVAL;
    }
    *mode = (uint16_t)all;
    return 0;
}

static int make_memory(uint16_t mode, const char *options, struct node **root) {
    int err = read_mode(options, &mode);
    return err ? err : tmpfs_create(mount_new_dev(), mode, root);
}

static int make_tmpfs(struct node *device, const char *options, unsigned *forbids,
                      struct node **root) {
    return make_memory(01777, options, root);
}

static int make_ramfs(struct node *device, const char *options, unsigned *forbids,
                      struct node **root) {
    return make_memory(0755, options, root);
}

static int make_devtmpfs(struct node *device, const char *options, unsigned *forbids,
                         struct node **root) {
    int err = make_memory(0755, options, root);
    if (!err)
        devfolder_fill(*root);
    return err;
}

static int make_proc(struct node *device, const char *options, unsigned *forbids,
                     struct node **root) {
    return *options ? -K_EINVAL : procfs_create(mount_new_dev(), root);
}

/* There is one, wherever it is. What is asked for in options is as it is: permissions and groups of
 * slaves. */
static int make_devpts(struct node *device, const char *options, unsigned *forbids,
                       struct node **root) {
    *root = pty_folder(mount_new_dev());
    return 0;
}

void mountable_init(void) {
    static struct mount_type types[] = {
        {.name = "tmpfs", .make = make_tmpfs},       {.name = "ramfs", .make = make_ramfs},
        {.name = "devtmpfs", .make = make_devtmpfs}, {.name = "proc", .make = make_proc},
        {.name = "devpts", .make = make_devpts},
    };
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        mount_type_add(&types[i]);
}
