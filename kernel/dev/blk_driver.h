/* What is below blk.h: a kind of disk. Each call is as the one of that name there. */
#pragma once
#include "dev/blk.h"

struct blk_driver {
    bool (*start)(void); /* false: there is none, or it is unfit, which it says */
    uint64_t (*sectors)(void);
    bool (*read_only)(void); /* NULL: never */
    void (*submit)(struct blk_request *rq);
    int (*wait)(struct blk_request *rq);
};

extern const struct blk_driver virtio_blk, ramdisk;
