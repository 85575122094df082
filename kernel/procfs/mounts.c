/* What /proc says of mounts and file systems. */
#include "lib/string.h"
#include "procfs/contents.h"
#include "vfs/mount.h"
#include "vfs/where.h"

#define PATH_LONGEST 256

/* Blanks and what else would end a field as three octal digits. */
static void print_field(struct text *t, const char *field) {
    if (!*field)
        text_print(t, "none");
    for (; *field; field++) {
        if (strchr(" \t\n\\", *field))
            text_print(t, "\\%03o", (unsigned)(uint8_t)*field);
        else
            text_byte(t, *field);
    }
}

static void print_options(struct text *t, unsigned forbids) {
    text_print(t, "%s%s%s%s", forbids & MOUNT_READ_ONLY ? "ro" : "rw",
               forbids & MOUNT_NO_USERS ? ",nosuid" : "",
               forbids & MOUNT_NO_DEVICES ? ",nodev" : "",
               forbids & MOUNT_NO_RUNNING ? ",noexec" : "");
}

static void print_mount(struct text *t, const struct mount_about *m, const char *path) {
    print_field(t, m->source);
    text_byte(t, ' ');
    print_field(t, path);
    text_print(t, " %s ", m->type);
    print_options(t, m->forbids);
    text_print(t, " 0 0\n");
}

static void print_mountinfo(struct text *t, const struct mount_about *m, const char *path) {
    text_print(t, "%u %u 0:%u / ", m->id, m->parent, m->dev);
    print_field(t, path);
    text_byte(t, ' ');
    print_options(t, m->forbids);
    text_print(t, " - %s ", m->type);
    print_field(t, m->source);
    text_print(t, " %s\n", m->forbids & MOUNT_READ_ONLY ? "ro" : "rw");
}

/* Those that are below the reader's root. */
static int each(struct text *t,
                void (*print)(struct text *t, const struct mount_about *m, const char *path)) {
    struct mount_about m;
    char path[PATH_LONGEST];
    size_t bytes;
    for (uint32_t at = 0; mount_next(&at, &m);) {
        int err = node_path(m.root, path, sizeof(path), &bytes);
        const char *begin = path + sizeof(path) - bytes;
        if (!err && *begin == '/')
            print(t, &m, begin);
    }
    return 0;
}

int mounts_text(struct text *t, int32_t pid, int32_t tid) { return each(t, print_mount); }
int mountinfo_text(struct text *t, int32_t pid, int32_t tid) { return each(t, print_mountinfo); }

int filesystems_text(struct text *t, int32_t pid, int32_t tid) {
    for (const struct mount_type *type = NULL; (type = mount_type_next(type));)
        text_print(t, "%s\t%s\n", type->on_disk ? "" : "nodev", type->name);
    return 0;
}
