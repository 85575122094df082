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
    int16_t type;
    int err = n->ops->type(n, &type);
    return err ? err : type == ABI_T_DIR ? 0 : -K_ENOTDIR;
}
