/* Block requests: what a disk does for the file system.
 *
 * Requests are asynchronous and many may be in flight; the disk may finish and
 * even write them in any order, and may hold finished writes in a volatile
 * cache until a flush finishes (virtio 1.1, 5.2.6: VIRTIO_BLK_F_FLUSH). */
#pragma once
#include "lib/types.h"
#include "proc/wait.h"

#define SECTOR_SIZE 512
#define BLK_MOST 2 /* disks */

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH };

struct blk_request {
    enum blk_op op;
    uint64_t sector; /* first sector; ignored by a flush */
    void *data;      /* in the direct map, never on a mapped kernel stack, never user memory */
    uint32_t bytes;  /* a multiple of SECTOR_SIZE; 0 for a flush */
    uint32_t disk;   /* 0: that of the file system; else the number of one, from 1 */
    /* From here on the driver's. */
    bool done;
    int status; /* when done: 0 or -K_EIO */
    uint32_t slot, unit;
    struct list link;
};

/* Finds the disks and starts them: virtio-blk, by address, else an image in memory (ramdisk.h). At
 * boot, after irq_init. */
void blk_init(void);

/* How many there are; and the size of one, from number 1 on: 0 if it is not there. */
unsigned blk_count(void);
uint64_t blk_sectors_of(unsigned disk);

/* The file system is on this one from now on, without it on the first. At boot. */
void blk_choose(unsigned disk);
unsigned blk_chosen(void);

/* Whether there is a disk for the file system, and its size. */
bool blk_present(void);
uint64_t blk_sectors(void);
bool blk_read_only(void); /* every write fails */

/* Hands the request over; it belongs to the disk until blk_wait has returned.
 * When the ring is full this sleeps until there is room. */
void blk_submit(struct blk_request *rq);

/* Sleeps until rq is done; 0, or -K_EIO as the device said. */
int blk_wait(struct blk_request *rq) must_check;

/* Submit and wait. */
int blk_do(struct blk_request *rq) must_check;
