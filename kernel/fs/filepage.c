/* Pages of one of xv6's files: see filepage.h. */
#include "fs/filepage.h"

static struct filepages *pages_of(const struct pagefile *f) {
    return CONTAINER_OF(f, struct filepages, file);
}

static uint64_t size(const struct pagefile *f) { return pages_of(f)->ip->d.size; }

static int find_blocks(struct pagefile *f, struct page *p) {
    return filepage_find_blocks(pages_of(f), p);
}

/* What the log pins needs no reference, and stays known. */
static void end(struct pagefile *f) {
    struct filepages *pages = pages_of(f);
    if (!pages->in.held)
        return;
    indirect_end(&pages->in);
    pages->in = (struct indirect){0};
}

const struct pagefile_ops filepage_ops = {.size = size, .find_blocks = find_blocks, .end = end};
