/* A disk behind virtio-mmio (virtio 1.2, 4.2 and 5.2), or the legacy interface of it (4.2.4).
 *
 * It offers one queue, the features VERSION_1 (not legacy), FLUSH, SEG_MAX and, when it is so, RO.
 * Without FLUSH accepted each write is durable at once (5.2.6.2).
 *
 * A request is done some time after it was asked for, which the seed chooses for each, so that they
 * overtake each other; its descriptors and data are read then. A flush makes durable what was done
 * when it was asked for, not more.
 *
 * A driver that breaks the rules of the ring finds DEVICE_NEEDS_RESET set (2.1.2) and its requests
 * gone; a request that is wrong in itself fails alone. */
#pragma once
#include "machine/dev/disk.h"
#include "machine/dev/env.h"

#define VIRTIO_QUEUE_MAX 1024
#define VIRTIO_BYTES 0x200

enum { VIRTIO_QUEUE_NOTIFY = 0x050 }; /* the offset of a register: 4.2.2 */

struct virtio_blk {
    /* Chosen before the reset, which keeps them. */
    unsigned source;  /* at the PLIC */
    uint32_t version; /* 1: legacy; 2 */
    bool present;     /* else it says that there is no device here */
    bool read_only;
    bool prompt; /* requests are done when virtio_blk_run is called next, in their order */
    uint64_t sectors;
    uint64_t seed; /* which the draws move on */

    uint32_t status, interrupt;
    uint32_t device_features_sel, driver_features_sel, queue_sel;
    uint64_t driver_features;

    /* Queue 0. */
    bool ready;
    uint32_t num;
    uint64_t desc, avail, used;     /* addresses */
    uint32_t page_size, align, pfn; /* legacy */
    uint16_t avail_next, used_next; /* indices that run freely */
    uint64_t disk_written;          /* disk.written, as it was left */
    uint64_t next_ns;               /* the least `due` */
    uint32_t waiting;               /* requests, in the order in which they were asked for */
    struct virtio_request {
        uint16_t head;
        uint64_t due;     /* ns of guest time */
        uint64_t written; /* disk_written at that time */
    } request[VIRTIO_QUEUE_MAX];
};

/* As after power on. Needed too when another disk is put behind it. */
void virtio_blk_reset(struct virtio_blk *dev);
uint64_t virtio_blk_read(struct dev_env *env, struct virtio_blk *dev, uint64_t offset,
                         unsigned size);
void virtio_blk_write(struct dev_env *env, struct virtio_blk *dev, uint64_t offset, unsigned size,
                      uint64_t value);

/* When virtio_blk_run has to be called: guest time, perhaps past; UINT64_MAX for never. It changes
 * by calls of virtio_blk_write and virtio_blk_run alone. */
static inline uint64_t virtio_blk_next_ns(const struct virtio_blk *dev) { return dev->next_ns; }

/* Does the requests that are due; virtio_blk_step only the one that is due first, if there is one.
 */
void virtio_blk_run(struct dev_env *env, struct virtio_blk *dev, struct disk *disk);
void virtio_blk_step(struct dev_env *env, struct virtio_blk *dev, struct disk *disk);

/* Whether that one only reads. */
bool virtio_blk_reads_next(struct dev_env *env, const struct virtio_blk *dev);

/* The power fails: sectors of writes that were asked for and not done may be durable too, as
 * disk_cut chooses of them all. The device is reset. False: as disk_cut. */
bool virtio_blk_cut(struct dev_env *env, struct virtio_blk *dev, struct disk *disk, uint64_t seed);
