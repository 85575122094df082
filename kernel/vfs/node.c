/* Nodes: the root, and what is done in all file systems. */
#include "vfs/node.h"
#include "lib/errno.h"

static struct node *root;
static void (*reaper)(void);

void node_set_root(struct node *n) { root = n; }

struct node *node_root(void) {
    return root;
}

void node_set_reaper(void (*reap)(void)) { reaper = reap; }

void node_reap(void) {
    if (reaper)
        reaper();
}

int node_must_be_dir(struct node *n) {
    struct node_attr a;
    int err = n->ops->attr(n, &a);
    return err ? err : a.type == NODE_DIR ? 0 : -K_ENOTDIR;
}

int node_stat(struct node *n, struct abi_stat *st) {
    struct node_attr a;
    int err = n->ops->attr(n, &a);
    if (err)
        return err;
    st->dev = (int32_t)a.dev;
    st->ino = a.ino;
    st->type = (int16_t)a.type;
    st->nlink = (int16_t)MIN(a.nlink, (uint32_t)INT16_MAX);
    st->size = a.size;
    return 0;
}
