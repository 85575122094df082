/* Disks: virtio-blk over virtio-mmio, version 2 (virtio 1.1, 4.2 and 5.2).
 *
 * Terms. A slot is room for one request in flight: three descriptors, a header
 * and a status byte that are its own for ever. Slot s has descriptors 3s to
 * 3s + 2, already linked: header, data, status.
 *
 * Ring, header and status bytes are static, thus in the direct map, where the
 * device can reach them; a stack is not.
 *
 * Lock: a disk's lock guards all of it; the locks of threads that are woken are taken
 * under it. A request without a slot (not yet submitted, or done) is its owner's.
 *
 * Invariant: owner[s] is the request in flight in slot s, or NULL; the free
 * slots are free_slots[0 .. free_count). */
#include "arch/cpu.h"
#include "arch/layout.h"
#include "dev/blk_driver.h"
#include "dev/fdt.h"
#include "dev/irq.h"
#include "dev/mmio.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/kmap.h"
#include "sync/spinlock.h"

/* 4.2.2: registers. */
enum {
    R_MAGIC = 0x000,
    R_VERSION = 0x004,
    R_DEVICE_ID = 0x008,
    R_DEVICE_FEATURES = 0x010,
    R_DEVICE_FEATURES_SEL = 0x014,
    R_DRIVER_FEATURES = 0x020,
    R_DRIVER_FEATURES_SEL = 0x024,
    R_QUEUE_SEL = 0x030,
    R_QUEUE_NUM_MAX = 0x034,
    R_QUEUE_NUM = 0x038,
    R_QUEUE_READY = 0x044,
    R_QUEUE_NOTIFY = 0x050,
    R_INTERRUPT_STATUS = 0x060,
    R_INTERRUPT_ACK = 0x064,
    R_STATUS = 0x070,
    R_QUEUE_DESC = 0x080,
    R_QUEUE_DRIVER = 0x090,
    R_QUEUE_DEVICE = 0x0a0,
    R_CONFIG_GENERATION = 0x0fc,
    R_CONFIG_CAPACITY = 0x100,
    R_SIZE = 0x200,
};
#define MAGIC 0x74726976
#define DEVICE_BLOCK 2

/* 2.1: device status. */
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 64
#define STATUS_FAILED 128

#define INTERRUPT_USED 1
#define INTERRUPT_CONFIG 2

#define FEATURE(bit) (1ULL << (bit))
#define FEATURE_RO FEATURE(5)
#define FEATURE_FLUSH FEATURE(9)
#define FEATURE_VERSION_1 FEATURE(32)

/* 2.6: the split ring. */
#define QUEUE_MAX 128
#define SLOT_DESCRIPTORS 3
#define SLOTS_MAX (QUEUE_MAX / SLOT_DESCRIPTORS)
#define DESC_NEXT 1
#define DESC_WRITE 2 /* by the device */
#define USED_NO_NOTIFY 1

struct descriptor {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

struct available {
    uint16_t flags, index;
    uint16_t ring[QUEUE_MAX];
};

struct used {
    uint16_t flags, index;
    struct {
        uint32_t id, len;
    } ring[QUEUE_MAX];
};

/* 5.2.6 */
enum { REQUEST_IN = 0, REQUEST_OUT = 1, REQUEST_FLUSH = 4 };
#define STATUS_OK 0
#define STATUS_UNSET 0xff

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};
_Static_assert(sizeof(struct header) == 16, "5.2.6");
_Static_assert(sizeof(struct descriptor) == 16, "2.6.5");

struct disk {
    struct spinlock lock;
    char *base;  /* NULL: there is none */
    bool failed; /* takes no requests any more */
    bool read_only, read_only_said;
    bool flush; /* has a volatile cache, and the command to empty it */
    uint64_t sectors;

    uint32_t queue_size;
    uint16_t used_seen; /* used.index up to which completions were taken */
    uint32_t free_count;
    uint8_t free_slots[SLOTS_MAX];
    struct wait_channel slot_freed;
    struct blk_request *owner[SLOTS_MAX];
    struct wait_channel finished[SLOTS_MAX]; /* the request in that slot, or one after it */

    struct descriptor desc[QUEUE_MAX] __attribute__((aligned(16)));
    struct available available __attribute__((aligned(16)));
    struct used used __attribute__((aligned(16)));
    struct header header[SLOTS_MAX];
    volatile uint8_t status[SLOTS_MAX];
};

static struct disk disks[BLK_MOST] = {{.lock = SPINLOCK_INIT(RANK_DISK)},
                                      {.lock = SPINLOCK_INIT(RANK_DISK)}};

static uint32_t reg_read(struct disk *disk, uint32_t reg) { return mmio_read32(disk->base + reg); }
static void reg_write(struct disk *disk, uint32_t reg, uint32_t v) {
    mmio_write32(disk->base + reg, v);
}

static void reg_write_address(struct disk *disk, uint32_t reg, const volatile void *p) {
    uint64_t pa = ptr_pa((const void *)p).v;
    reg_write(disk, reg, (uint32_t)pa);
    reg_write(disk, reg + 4, (uint32_t)(pa >> 32));
}

static uint64_t sectors(unsigned i) { return disks[i].sectors; }

/* ---- requests ------------------------------------------------------------*/

static void finish_locked(struct disk *disk, struct blk_request *rq, int status) {
    ASSERT_LOCKED(&disk->lock);
    rq->status = status;
    rq->done = true;
}

static void release_slot_locked(struct disk *disk, uint32_t slot) {
    ASSERT_LOCKED(&disk->lock);
    disk->owner[slot] = NULL;
    disk->free_slots[disk->free_count++] = (uint8_t)slot;
    wakeup(&disk->finished[slot]);
    wakeup(&disk->slot_freed);
}

/* Takes the completions that the device has put in the used ring (2.6.14). */
static void collect_locked(struct disk *disk) {
    ASSERT_LOCKED(&disk->lock);
    if (disk->failed)
        return;
    for (;;) {
        uint16_t index = __atomic_load_n(&disk->used.index, __ATOMIC_RELAXED);
        if (index == disk->used_seen)
            return;
        fence_io(); /* the entry, data and status only after the index */
        uint32_t id = disk->used.ring[disk->used_seen % disk->queue_size].id;
        disk->used_seen++;
        uint32_t slot = id / SLOT_DESCRIPTORS;
        if (id % SLOT_DESCRIPTORS || slot >= SLOTS_MAX || !disk->owner[slot])
            continue; /* nothing that was asked of it */
        finish_locked(disk, disk->owner[slot], disk->status[slot] == STATUS_OK ? 0 : -K_EIO);
        release_slot_locked(disk, slot);
    }
}

/* The device is broken: stops it, so that it writes to no buffer any more, and
 * fails what is in flight and all that comes. */
static void fail_locked(struct disk *disk) {
    ASSERT_LOCKED(&disk->lock);
    disk->failed = true;
    reg_write(disk, R_STATUS, 0);
    for (int tries = 0; tries < 1000000 && reg_read(disk, R_STATUS) != 0; tries++)
        cpu_relax();
    for (uint32_t slot = 0; slot < SLOTS_MAX; slot++)
        if (disk->owner[slot]) {
            finish_locked(disk, disk->owner[slot], -K_EIO);
            release_slot_locked(disk, slot);
        }
}

static uint64_t read_capacity(struct disk *disk) {
    uint32_t generation, low, high;
    do {
        generation = reg_read(disk, R_CONFIG_GENERATION);
        low = reg_read(disk, R_CONFIG_CAPACITY);
        high = reg_read(disk, R_CONFIG_CAPACITY + 4);
    } while (generation != reg_read(disk, R_CONFIG_GENERATION));
    return (uint64_t)high << 32 | low;
}

static void interrupt(void *ctx) {
    struct disk *disk = ctx;
    spin_lock(&disk->lock);
    /* Acknowledged first: a completion that comes after the loop has looked
     * raises the interrupt again. */
    uint32_t status = reg_read(disk, R_INTERRUPT_STATUS);
    reg_write(disk, R_INTERRUPT_ACK, status);
    fence_io();
    collect_locked(disk);
    bool changed = status & INTERRUPT_CONFIG;
    bool reset = changed && (reg_read(disk, R_STATUS) & STATUS_NEEDS_RESET);
    bool lost = reset && !disk->failed;
    if (lost)
        fail_locked(disk);
    else if (changed && !reset)
        disk->sectors = read_capacity(disk);
    spin_unlock(&disk->lock);
    if (lost)
        kprintf("virtio-blk: the device wants a reset; the disk is lost\n");
}

/* Whether a request can be answered without the device, and with which status. */
static bool answer_locked(struct disk *disk, const struct blk_request *rq, int *status) {
    ASSERT_LOCKED(&disk->lock);
    if (rq->op == BLK_FLUSH) {
        *status = disk->failed ? -K_EIO : 0;
        return disk->failed || !disk->flush; /* 5.2.5: without the feature it writes through */
    }
    ASSERT(rq->bytes > 0 && rq->bytes % SECTOR_SIZE == 0);
    ASSERT((uint64_t)rq->data - DIRECT_BASE < DIRECT_SIZE);
    *status = -K_EIO;
    uint64_t sectors = rq->bytes / SECTOR_SIZE;
    if (disk->failed || sectors > disk->sectors || rq->sector > disk->sectors - sectors)
        return true;
    return rq->op == BLK_WRITE && disk->read_only;
}

static void fill_slot_locked(struct disk *disk, uint32_t slot, const struct blk_request *rq) {
    ASSERT_LOCKED(&disk->lock);
    static const uint8_t types[] = {REQUEST_IN, REQUEST_OUT, REQUEST_FLUSH};
    struct descriptor *d = &disk->desc[slot * SLOT_DESCRIPTORS];
    disk->header[slot].type = types[rq->op];
    disk->header[slot].sector = rq->op == BLK_FLUSH ? 0 : rq->sector;
    disk->status[slot] = STATUS_UNSET;
    if (rq->op == BLK_FLUSH) {
        d[0].next = (uint16_t)(slot * SLOT_DESCRIPTORS + 2);
        return;
    }
    d[0].next = (uint16_t)(slot * SLOT_DESCRIPTORS + 1);
    d[1].addr = ptr_pa(rq->data).v;
    d[1].len = rq->bytes;
    d[1].flags = DESC_NEXT | (rq->op == BLK_READ ? DESC_WRITE : 0);
}

/* 2.6.13: hands a filled slot to the device. */
static void publish_locked(struct disk *disk, uint32_t slot) {
    ASSERT_LOCKED(&disk->lock);
    uint16_t index = disk->available.index;
    disk->available.ring[index % disk->queue_size] = (uint16_t)(slot * SLOT_DESCRIPTORS);
    fence_io(); /* the entry before the index */
    __atomic_store_n(&disk->available.index, (uint16_t)(index + 1), __ATOMIC_RELAXED);
    fence_io(); /* the index before the device's flag is looked at, and before the notice */
    if (!(__atomic_load_n(&disk->used.flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY))
        reg_write(disk, R_QUEUE_NOTIFY, 0);
}

static void disk_submit(struct blk_request *rq) {
    struct disk *disk = &disks[rq->unit];
    spin_lock(&disk->lock);
    rq->done = false;
    int status;
    bool answered;
    while (!(answered = answer_locked(disk, rq, &status)) && disk->free_count == 0) {
        collect_locked(disk);
        if (disk->free_count == 0)
            sleep_on(&disk->slot_freed, &disk->lock);
    }
    bool refused = answered && rq->op == BLK_WRITE && disk->read_only && !disk->read_only_said;
    disk->read_only_said |= refused;
    if (answered) {
        finish_locked(disk, rq, status);
    } else {
        rq->slot = disk->free_slots[--disk->free_count];
        disk->owner[rq->slot] = rq;
        fill_slot_locked(disk, rq->slot, rq);
        publish_locked(disk, rq->slot);
    }
    spin_unlock(&disk->lock);
    if (refused)
        kprintf("virtio-blk: the disk is read-only; writes fail\n");
}

static int disk_wait(struct blk_request *rq) {
    struct disk *disk = &disks[rq->unit];
    spin_lock(&disk->lock);
    if (!rq->done)
        collect_locked(disk); /* it may be there before its interrupt */
    while (!rq->done)
        sleep_on(&disk->finished[rq->slot], &disk->lock);
    int status = rq->status;
    spin_unlock(&disk->lock);
    return status;
}

/* ---- start ---------------------------------------------------------------*/

/* The disks are the block devices in the order of their addresses: device trees list them in
 * either order. This finds the first one that is not below `from`. */
static fdt_node find_disk(uint64_t from, struct fdt_reg *where, char **at) {
    fdt_node found = FDT_NONE;
    for (fdt_node node = FDT_NONE; (node = fdt_next_compatible(node, "virtio,mmio")) != FDT_NONE;) {
        struct fdt_reg reg;
        if (fdt_reg(node, 0, &reg) || reg.size < R_SIZE || reg.start < from ||
            (found != FDT_NONE && reg.start > where->start))
            continue;
        char *base = kmap_device(reg.start, reg.size);
        if (!base || mmio_read32(base + R_MAGIC) != MAGIC ||
            mmio_read32(base + R_DEVICE_ID) != DEVICE_BLOCK)
            continue;
        found = node;
        *where = reg;
        *at = base;
    }
    return found;
}

/* 3.1.1, steps 1 to 6. NULL, or what is wrong. */
static const char *negotiate(struct disk *disk) {
    reg_write(disk, R_STATUS, 0);
    for (int tries = 0; reg_read(disk, R_STATUS) != 0; tries++)
        if (tries == 1000000)
            return "it does not reset";
    reg_write(disk, R_STATUS, STATUS_ACKNOWLEDGE);
    reg_write(disk, R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);

    reg_write(disk, R_DEVICE_FEATURES_SEL, 0);
    uint64_t offered = reg_read(disk, R_DEVICE_FEATURES);
    reg_write(disk, R_DEVICE_FEATURES_SEL, 1);
    offered |= (uint64_t)reg_read(disk, R_DEVICE_FEATURES) << 32;
    if (!(offered & FEATURE_VERSION_1))
        return "it does not offer VIRTIO_F_VERSION_1";
    uint64_t accepted = offered & (FEATURE_VERSION_1 | FEATURE_FLUSH | FEATURE_RO);
    reg_write(disk, R_DRIVER_FEATURES_SEL, 0);
    reg_write(disk, R_DRIVER_FEATURES, (uint32_t)accepted);
    reg_write(disk, R_DRIVER_FEATURES_SEL, 1);
    reg_write(disk, R_DRIVER_FEATURES, (uint32_t)(accepted >> 32));
    reg_write(disk, R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    if (!(reg_read(disk, R_STATUS) & STATUS_FEATURES_OK))
        return "it refuses our features";
    disk->flush = accepted & FEATURE_FLUSH;
    disk->read_only = accepted & FEATURE_RO;
    return NULL;
}

/* Links each slot's descriptors once and for all. */
static void prepare_slots(struct disk *disk) {
    wait_channel_init(&disk->slot_freed);
    uint32_t slots = disk->queue_size / SLOT_DESCRIPTORS;
    for (uint32_t slot = slots; slot-- > 0;) {
        struct descriptor *d = &disk->desc[slot * SLOT_DESCRIPTORS];
        d[0] = (struct descriptor){.addr = ptr_pa(&disk->header[slot]).v,
                                   .len = sizeof(disk->header[slot]),
                                   .flags = DESC_NEXT};
        d[1].next = (uint16_t)(slot * SLOT_DESCRIPTORS + 2);
        d[2] = (struct descriptor){.addr = ptr_pa((const void *)&disk->status[slot]).v,
                                   .len = sizeof(disk->status[slot]),
                                   .flags = DESC_WRITE};
        wait_channel_init(&disk->finished[slot]);
        disk->free_slots[disk->free_count++] = (uint8_t)slot;
    }
}

/* 4.2.3.2. NULL, or what is wrong. */
static const char *start_queue(struct disk *disk) {
    reg_write(disk, R_QUEUE_SEL, 0);
    if (reg_read(disk, R_QUEUE_READY) != 0)
        return "its queue is in use";
    disk->queue_size = QUEUE_MAX;
    uint32_t most = reg_read(disk, R_QUEUE_NUM_MAX);
    while (disk->queue_size > most)
        disk->queue_size /= 2; /* a power of two (2.6) */
    if (disk->queue_size < SLOT_DESCRIPTORS)
        return "its queue is too short";
    prepare_slots(disk);
    reg_write(disk, R_QUEUE_NUM, disk->queue_size);
    reg_write_address(disk, R_QUEUE_DESC, disk->desc);
    reg_write_address(disk, R_QUEUE_DRIVER, &disk->available);
    reg_write_address(disk, R_QUEUE_DEVICE, &disk->used);
    fence_io();
    reg_write(disk, R_QUEUE_READY, 1);
    return NULL;
}

static const char *start_device(struct disk *disk, fdt_node node) {
    uint32_t irq;
    if (reg_read(disk, R_VERSION) != 2)
        return "it is a legacy device: start QEMU with -global virtio-mmio.force-legacy=false";
    if (irq_of_node(node, &irq))
        return "it has no interrupt";
    const char *wrong = negotiate(disk);
    if (!wrong)
        wrong = start_queue(disk);
    if (wrong) {
        reg_write(disk, R_STATUS, STATUS_FAILED);
        return wrong;
    }
    disk->sectors = read_capacity(disk);
    irq_register(irq, interrupt, disk);
    reg_write(disk, R_STATUS,
              STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
    return NULL;
}

/* Up to the first one that is unfit. */
static unsigned start(void) {
    struct fdt_reg where = {0};
    fdt_node node;
    unsigned n = 0;
    for (uint64_t from = 0; n < BLK_MOST; from = where.start + 1, n++) {
        node = find_disk(from, &where, &disks[n].base);
        if (node == FDT_NONE)
            break;
        const char *wrong = start_device(&disks[n], node);
        if (!wrong)
            continue;
        kprintf("virtio-blk at %#lx: %s\n", where.start, wrong);
        break;
    }
    return n;
}

static bool read_only(unsigned i) { return disks[i].read_only; }

const struct blk_driver virtio_blk = {
    .start = start,
    .sectors = sectors,
    .read_only = read_only,
    .submit = disk_submit,
    .wait = disk_wait,
};
