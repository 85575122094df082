/* Files without a name, and what may be forbidden of a file for ever: so that whoever gets one from
 * somebody else can rely on what is in it. A file with a name is sealed against seals. */
#include "lib/errno.h"
#include "mm/rmap.h"
#include "tmpfs/tmpnode.h"
#include "vfs/open.h"

#define UNNAMED_DEV 5 /* as stat names it; init/root.c has the others */

static bool has(const struct tmpfile *f, uint32_t seal) {
    return __atomic_load_n(&f->seals, __ATOMIC_RELAXED) & seal;
}

int tmpfile_may_write(const struct tmpfile *f, uint64_t offset, uint64_t n) {
    ASSERT_SLEEPLOCKED(&f->lock);
    bool grows = n > 0 && offset + n > f->size;
    return has(f, FILE_SEAL_WRITE) || (grows && has(f, FILE_SEAL_GROW)) ? -K_EPERM : 0;
}

int tmpfile_may_resize(const struct tmpfile *f, uint64_t size) {
    ASSERT_SLEEPLOCKED(&f->lock);
    bool forbidden = (size < f->size && has(f, FILE_SEAL_SHRINK)) ||
                     (size > f->size && has(f, FILE_SEAL_GROW));
    return forbidden ? -K_EPERM : 0;
}

bool tmpfile_is_fixed(const struct tmpfile *f) {
    return has(f, FILE_SEAL_WRITE) && has(f, FILE_SEAL_SHRINK);
}

static int add_seals(struct tmpfile *f, uint32_t more) {
    ASSERT_SLEEPLOCKED(&f->lock);
    if (has(f, FILE_SEAL_SEAL))
        return -K_EPERM;
    bool first = (more & FILE_SEAL_WRITE) && !has(f, FILE_SEAL_WRITE);
    int err = first ? rmap_forbid_stores(&f->rmap, &f->object, -K_EPERM) : 0;
    if (!err)
        __atomic_fetch_or(&f->seals, more, __ATOMIC_RELAXED);
    return err;
}

int tmpfile_seal(struct file *file, uint32_t more, uint32_t *all) {
    struct tmpnode *t = file->object;
    sleeplock_acquire(&t->file.lock);
    int err = more ? add_seals(&t->file, more) : 0;
    *all = t->file.seals;
    sleeplock_release(&t->file.lock);
    return err;
}

int tmpfs_open_unnamed(uint16_t mode, uint32_t seals, struct file **out) {
    const struct node_kind kind = {.type = NODE_FILE, .mode = mode};
    static struct tmpsuper unnamed;
    struct tmpnode *t = tmpnode_new(&unnamed, UNNAMED_DEV, &kind);
    if (!t)
        return -K_ENOMEM;
    t->file.seals = seals;
    int err = file_open_node(&t->node, ABI_O_RDWR, out);
    tmpnode_put(t);
    return err;
}
