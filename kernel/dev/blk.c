/* The disk: the first of the drivers that finds one. */
#include "dev/blk_driver.h"
#include "lib/panic.h"
#include "lib/printf.h"

static const struct blk_driver *disk; /* NULL: none */

void blk_init(void) {
    static const struct blk_driver *const drivers[] = {&virtio_blk, &ramdisk};
    disk = NULL;
    for (unsigned i = 0; i < ARRAY_LEN(drivers) && !disk; i++)
        if (drivers[i]->start())
            disk = drivers[i];
    if (!disk)
        kprintf("no disk: no virtio-blk that can be used, and no initrd\n");
}

bool blk_present(void) { return disk; }
uint64_t blk_sectors(void) { return disk ? disk->sectors() : 0; }
bool blk_read_only(void) { return disk && disk->read_only && disk->read_only(); }

void blk_submit(struct blk_request *rq) {
    ASSERT(disk);
    disk->submit(rq);
}

int blk_wait(struct blk_request *rq) { return disk->wait(rq); }

int blk_do(struct blk_request *rq) {
    blk_submit(rq);
    return blk_wait(rq);
}
