/* The disks: those of the first of the drivers that finds some. */
#include "dev/blk_driver.h"
#include "lib/panic.h"
#include "lib/printf.h"

static const struct blk_driver *driver; /* NULL: there is no disk */
static unsigned count;
static unsigned chosen; /* has the file system; from 0 */

void blk_init(void) {
    static const struct blk_driver *const drivers[] = {&virtio_blk, &ramdisk};
    driver = NULL;
    count = chosen = 0;
    for (unsigned i = 0; i < ARRAY_LEN(drivers) && !count; i++) {
        driver = drivers[i];
        count = driver->start();
    }
    if (!count)
        kprintf("no disk: no virtio-blk that can be used, and no initrd\n");
}

unsigned blk_count(void) { return count; }

uint64_t blk_sectors_of(unsigned disk) {
    return disk > 0 && disk <= count ? driver->sectors(disk - 1) : 0;
}

void blk_choose(unsigned disk) {
    ASSERT(disk > 0);
    ASSERT(disk <= count);
    chosen = disk - 1;
}

unsigned blk_chosen(void) { return chosen + 1; }

bool blk_present(void) { return count; }
uint64_t blk_sectors(void) { return count ? driver->sectors(chosen) : 0; }
bool blk_read_only(void) { return count && driver->read_only && driver->read_only(chosen); }

void blk_submit(struct blk_request *rq) {
    ASSERT(rq->disk <= count);
    ASSERT(count > 0);
    rq->unit = rq->disk ? rq->disk - 1 : chosen;
    driver->submit(rq);
}

int blk_wait(struct blk_request *rq) { return driver->wait(rq); }

int blk_do(struct blk_request *rq) {
    blk_submit(rq);
    return blk_wait(rq);
}
