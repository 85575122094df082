/* An open file of /proc: what it said when it was opened. */
#include "lib/errno.h"
#include "mm/slab.h"
#include "procfs/procnode.h"

struct snapshot {
    struct procnode *node; /* the file's reference */
    struct text text;
};
static struct slab snapshots = SLAB_INIT(snapshots, sizeof(struct snapshot));

static int read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    const struct snapshot *s = f->object;
    uint64_t at = offset_of(f);
    int err = text_read(&s->text, at, dst, n, done);
    set_offset(f, at + *done);
    return err;
}

static int seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    const struct snapshot *s = f->object;
    return file_seek_in(f, s->text.bytes, offset, whence, result);
}

static struct node *node_of_file(const struct file *f) {
    const struct snapshot *s = f->object;
    return &s->node->node;
}

static int stat_file(struct file *f, struct abi_stat *st) { return node_stat(node_of_file(f), st); }

static void close_file(struct file *f) {
    struct snapshot *s = f->object;
    text_free(&s->text);
    node_put(&s->node->node);
    slab_give(&snapshots, s);
}

static const struct file_ops file_ops = {
    .read = read, .seek = seek, .stat = stat_file, .node = node_of_file, .close = close_file};

int procfile_open(struct procnode *p, struct file *f) {
    struct snapshot *s = slab_take(&snapshots);
    if (!s)
        return -K_ENOMEM;
    *s = (struct snapshot){.node = p};
    int err = p->make(&s->text, p->pid, p->number);
    if (!err && s->text.cut)
        err = -K_ENOMEM;
    if (err) {
        text_free(&s->text);
        slab_give(&snapshots, s);
        return err;
    }
    f->ops = &file_ops;
    f->object = s;
    return 0;
}
