/* Unpacking archives. An entry is a header of hexadecimal numbers, a name, and contents, the last
 * two each up to the next multiple of four. */
#include "tmpfs/cpio.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "tmpfs/tmpnode.h"
#include "vfs/names.h"

#define FIELDS 13
#define HEADER (6 + 8 * FIELDS)
#define NAME_MAX TMPFS_TARGET /* with the terminator */

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
#define TYPE_BLOCK 0060000

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

/* A file of several names stands in the archive several times, and one of them has the contents,
 * most often the last. These are those of which there are more to come. */
#define SEVERAL 64
struct several {
    uint32_t ino, dev_major, dev_minor;
    uint32_t left;     /* names to come */
    struct node *node; /* with a reference; NULL: free */
};

static bool has_header(const void *data, uint64_t bytes) {
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
    if (!has_header(a->data + a->at, a->bytes - a->at))
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
    case TYPE_BLOCK: kind->type = NODE_BLOCK; return true;
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

static bool has_several(const struct member *m) {
    return (m->field[MODE] & TYPE_MASK) == TYPE_FILE && m->field[NLINK] > 1;
}

static bool is_it(const struct several *s, const struct member *m) {
    return s->node && s->ino == m->field[INO] && s->dev_major == m->field[DEV_MAJOR] &&
           s->dev_minor == m->field[DEV_MINOR];
}

/* The file that the member is one more name of, or NULL. */
static struct several *find_several(struct several *all, const struct member *m) {
    for (struct several *s = all; s < all + SEVERAL && has_several(m); s++)
        if (is_it(s, m))
            return s;
    return NULL;
}

static void forget(struct several *s) {
    if (s->node)
        node_put(s->node);
    s->node = NULL;
}

/* -K_EMLINK: too many. */
static int note_several(struct several *all, const struct member *m, struct node *n) {
    for (struct several *s = all; s < all + SEVERAL; s++)
        if (!s->node) {
            *s = (struct several){m->field[INO], m->field[DEV_MAJOR], m->field[DEV_MINOR],
                                  m->field[NLINK] - 1, node_get(n)};
            return 0;
        }
    return -K_EMLINK;
}

static int one_more_name(struct node *dir, const struct name *name, struct several *s,
                         struct node **out) {
    *out = node_get(s->node);
    if (--s->left == 0)
        forget(s);
    return dir->ops->link(dir, name, *out);
}

static int existing_dir(struct node *dir, const struct name *name, struct node **out) {
    int err = path_step(dir, name, out);
    return err ? err : node_must_be_dir(*out) ? -K_EEXIST : 0;
}

/* What has the name now: a new node, one more name for a node, or the directory that is there.
 * NULL: it is left out. There may be a reference after an error, too. */
static int enter(struct node *dir, const struct name *name, const struct member *m,
                 struct several *all, struct node **out) {
    static char target[NAME_MAX]; /* at boot, by one process */
    struct node_kind kind;
    bool is_link = (m->field[MODE] & TYPE_MASK) == TYPE_LINK;
    if (is_link && m->field[SIZE] >= sizeof(target))
        return -K_EINVAL;
    if (is_link) {
        memcpy(target, m->contents, m->field[SIZE]); /* it is not terminated */
        target[m->field[SIZE]] = '\0';
    }
    *out = NULL;
    if (!kind_of(m, target, &kind))
        return 0;
    struct several *known = find_several(all, m);
    if (known)
        return one_more_name(dir, name, known, out);
    int err = dir->ops->make(dir, name, &kind, out);
    if (err == -K_EEXIST && kind.type == NODE_DIR)
        err = existing_dir(dir, name, out);
    if (!err && has_several(m))
        err = note_several(all, m, *out);
    return err;
}

static int unpack_into(struct node *dir, const struct name *name, const struct member *m,
                       struct several *all) {
    struct node *n = NULL;
    int err = enter(dir, name, m, all, &n);
    if (!err && n && tmpnode_of(n)->type == NODE_FILE && m->field[SIZE] > 0)
        err = tmpfile_fill(tmpnode_of(n), m->contents, m->field[SIZE]);
    if (!err && n)
        set_attributes(n, m);
    if (n)
        node_put(n);
    return err;
}

/* The root's own entry is named "." or "/". */
static int unpack_member(struct archive *a, const struct member *m, struct several *all) {
    struct node *dir;
    struct name name;
    const char *path = m->name;
    while (*path == '/')
        path++;
    if (*path == '\0' && path > m->name)
        return 0;
    int err = path_parent(a->root, path, &dir, &name);
    if (err)
        return err;
    if (name.length != 1 || name.bytes[0] != '.')
        err = unpack_into(dir, &name, m, all);
    node_put(dir);
    return err;
}

static const char *complaint(int err) {
    switch (err) {
    case -K_ENOSPC: return "there is not enough memory for what is in the archive";
    case -K_ENOENT:
    case -K_ENOTDIR: return "the archive names a file in a directory that it has not";
    case -K_EEXIST: return "the archive has two things of one name";
    case -K_ENAMETOOLONG: return "the archive has a name of more than 255 bytes";
    case -K_EMLINK: return "the archive has too many files of several names";
    case -K_ELOOP: return "the archive has links that lead nowhere on the way to a file";
    default: return "the archive contradicts itself";
    }
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
        if (err) {
            *why = complaint(err);
            return err;
        }
    }
}

int cpio_unpack(const void *data, uint64_t bytes, struct node *root, const char **why) {
    static struct several all[SEVERAL]; /* at boot, by one process */
    struct archive a = {.data = data, .bytes = bytes, .root = root};
    int err = unpack(&a, all, why);
    for (struct several *s = all; s < all + SEVERAL; s++)
        forget(s);
    return err;
}
