/* What is below blk.h: a kind of disk. Each call is as the one of that name there. */
#pragma once
#include "dev/blk.h"

struct blk_driver {
    /* How many there are, up to BLK_MOST; one that is unfit is left out, with those behind it, and
     * that is said. */
    unsigned (*start)(void);
    uint64_t (*sectors)(unsigned unit);
    bool (*read_only)(unsigned unit); /* NULL: never */
    void (*submit)(struct blk_request *rq);
    int (*wait)(struct blk_request *rq);
};

extern const struct blk_driver virtio_blk, ramdisk;
