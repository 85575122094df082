/* Unpacking archives. An entry is a header of hexadecimal numbers, a name, and contents, the last
 * two each up to the next multiple of four. */
#include "tmpfs/cpio.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "tmpfs/tmpnode.h"
#include "vfs/names.h"

#define FIELDS 13
#define HEADER (6 + 8 * FIELDS)
#define NAME_MAX 1024 /* with the terminator */

enum field {
    INO,
    MODE,
    UID,
    GID,
    NLINK,
    MTIME,
    SIZE,
    DEV_MAJOR,
    DEV_MINOR,
    MAJOR,
    MINOR,
    NAME,
    SUM
};

/* The type in a mode, as all systems have it. */
#define TYPE_MASK 0170000
#define TYPE_DIR 0040000
#define TYPE_FILE 0100000
#define TYPE_LINK 0120000
#define TYPE_CHAR 0020000

struct archive {
    const char *data;
    uint64_t bytes, at;
    struct node *root;
};

struct member {
    uint32_t field[FIELDS];
    const char *name; /* terminated */
    const char *contents;
};

/* A file of several names stands in the archive several times, and the last has the contents. These
 * are the numbers of those that are to come, and what they are. */
#define SEVERAL 64
struct several {
    uint32_t ino, dev_major, dev_minor;
    struct node *node; /* with a reference; NULL: free */
};

bool cpio_is(const void *data, uint64_t bytes) {
    return bytes >= HEADER && (!memcmp(data, "070701", 6) || !memcmp(data, "070702", 6));
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_field(const char *text, uint32_t *value) {
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        *value = *value << 4 | (uint32_t)digit;
    }
    return true;
}

/* So many bytes from here on, and then on to the next multiple of four; NULL: it ends before. */
static const char *take(struct archive *a, uint64_t n) {
    if (n > a->bytes - a->at)
        return NULL;
    const char *p = a->data + a->at;
    a->at = MIN(ROUND_UP(a->at + n, 4), a->bytes);
    return p;
}

static bool read_member(struct archive *a, struct member *m) {
    if (!cpio_is(a->data + a->at, a->bytes - a->at))
        return false;
    for (unsigned i = 0; i < FIELDS; i++)
        if (!read_field(a->data + a->at + 6 + i * 8, &m->field[i]))
            return false;
    /* The name stands right behind the header, and is padded together with it. */
    uint32_t n = m->field[NAME];
    const char *header = n == 0 || n > NAME_MAX ? NULL : take(a, HEADER + (uint64_t)n);
    m->name = header ? header + HEADER : NULL;
    if (!m->name || m->name[n - 1] != '\0')
        return false;
    m->contents = take(a, m->field[SIZE]);
    return m->contents;
}

/* ---- making it ---- */

static int16_t number(uint32_t n) { return (int16_t)MIN(n, (uint32_t)INT16_MAX); }

static bool kind_of(const struct member *m, const char *target, struct node_kind *kind) {
    *kind = (struct node_kind){.mode = (uint16_t)(m->field[MODE] & 07777),
                               .major = number(m->field[MAJOR]),
                               .minor = number(m->field[MINOR]),
                               .target = target};
    switch (m->field[MODE] & TYPE_MASK) {
    case TYPE_DIR: kind->type = NODE_DIR; return true;
    case TYPE_FILE: kind->type = NODE_FILE; return true;
    case TYPE_LINK: kind->type = NODE_LINK; return true;
    case TYPE_CHAR: kind->type = NODE_DEVICE; return true;
    default: return false;
    }
}

static void set_attributes(struct node *n, const struct member *m) {
    uint64_t time = m->field[MTIME] * 1000000000ULL;
    struct node_attr a = {.mode = (uint16_t)(m->field[MODE] & 07777),
                          .uid = m->field[UID],
                          .gid = m->field[GID],
                          .accessed = time,
                          .modified = time};
    (void)!n->ops->set_attr(
        n, NODE_SET_MODE | NODE_SET_OWNER | NODE_SET_ACCESSED | NODE_SET_MODIFIED, &a);
}

static struct several *find_several(struct several *all, const struct member *m, bool or_free) {
    for (struct several *s = all; s < all + SEVERAL; s++)
        if (or_free ? !s->node
                    : s->node && s->ino == m->field[INO] && s->dev_major == m->field[DEV_MAJOR] &&
                          s->dev_minor == m->field[DEV_MINOR])
            return s;
    return NULL;
}

static void note_several(struct several *all, const struct member *m, struct node *n) {
    struct several *s = find_several(all, m, true);
    if (s)
        *s = (struct several){m->field[INO], m->field[DEV_MAJOR], m->field[DEV_MINOR], node_get(n)};
}

/* What has the name now: a new node, one more name for a node, or the directory that is there. */
static int enter(struct node *dir, const struct name *name, const struct member *m,
                 struct several *all, struct node **out) {
    static char target[NAME_MAX]; /* at boot, by one process */
    struct node_kind kind;
    bool is_link = (m->field[MODE] & TYPE_MASK) == TYPE_LINK;
    if (is_link && m->field[SIZE] >= sizeof(target))
        return -K_EINVAL;
    if (is_link)
        str_copy(target, m->contents, m->field[SIZE] + 1UL);
    *out = NULL;
    if (!kind_of(m, target, &kind))
        return 0;
    struct several *known = kind.type == NODE_FILE ? find_several(all, m, false) : NULL;
    if (known) {
        *out = node_get(known->node);
        return dir->ops->link(dir, name, *out);
    }
    int err = dir->ops->make(dir, name, &kind, out);
    if (err == -K_EEXIST && kind.type == NODE_DIR)
        err = path_step(dir, name, out);
    if (!err && kind.type == NODE_FILE && m->field[NLINK] > 1)
        note_several(all, m, *out);
    return err;
}

/* The root's own entry is named "." */
static int unpack_member(struct archive *a, const struct member *m, struct several *all) {
    struct node *dir, *n;
    struct name name;
    const char *path = m->name;
    while (*path == '/')
        path++;
    int err = path_parent(a->root, path, &dir, &name);
    if (err || (name.length == 1 && name.bytes[0] == '.')) {
        if (!err)
            node_put(dir);
        return err;
    }
    err = enter(dir, &name, m, all, &n);
    if (!err && n && tmpnode_of(n)->type == NODE_FILE && m->field[SIZE] > 0)
        err = tmpfile_append(tmpnode_of(n), m->contents, m->field[SIZE]);
    if (!err && n)
        set_attributes(n, m);
    if (n)
        node_put(n);
    node_put(dir);
    return err;
}

static int unpack(struct archive *a, struct several *all, const char **why) {
    struct member m;
    for (;;) {
        *why = "the archive is cut off, or is none in the format newc";
        if (!read_member(a, &m))
            return -K_EINVAL;
        if (!strcmp(m.name, "TRAILER!!!"))
            return 0;
        int err = unpack_member(a, &m, all);
        *why = err == -K_ENOSPC ? "there is not enough memory for what is in the archive"
                                : "the archive names a file in a directory that it has not";
        if (err)
            return err;
    }
}

int cpio_unpack(const void *data, uint64_t bytes, struct node *root, const char **why) {
    static struct several all[SEVERAL]; /* at boot, by one process */
    struct archive a = {.data = data, .bytes = bytes, .root = root};
    int err = unpack(&a, all, why);
    for (struct several *s = all; s < all + SEVERAL; s++) {
        if (s->node)
            node_put(s->node);
        s->node = NULL;
    }
    return err;
}
