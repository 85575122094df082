/* The registers of the disk device (virtio 1.2, 4.2.2 and 4.2.4). */
#include "machine/dev/virtio_blk.h"
#include "machine/dev/bytes.h"
#include "machine/dev/virtio_queue.h"

enum {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    GUEST_PAGE_SIZE = 0x028, /* legacy */
    QUEUE_SEL = 0x030,
    QUEUE_NUM_MAX = 0x034,
    QUEUE_NUM = 0x038,
    QUEUE_ALIGN = 0x03c, /* legacy */
    QUEUE_PFN = 0x040,   /* legacy */
    QUEUE_READY = 0x044,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESC_LOW = 0x080,
    QUEUE_DESC_HIGH = 0x084,
    QUEUE_DRIVER_LOW = 0x090,
    QUEUE_DRIVER_HIGH = 0x094,
    QUEUE_DEVICE_LOW = 0x0a0,
    QUEUE_DEVICE_HIGH = 0x0a4,
    SHM_LEN_LOW = 0x0b0,
    SHM_BASE_HIGH = 0x0bc,
    CONFIG = 0x100,
};

#define MAGIC_VALUE 0x74726976
#define ID_NONE 0
#define ID_BLOCK 2
#define VENDOR 0x554d4551  /* QEMU's, whose board this is: drivers ask for it */
#define ALIGN_DEFAULT 4096 /* for legacy drivers that set none */

/* 5.2.4: the configuration, as far as the features have it. */
#define CONFIG_BYTES 16
enum { CONFIG_CAPACITY = 0, CONFIG_SEG_MAX = 12 };

void virtio_blk_reset(struct virtio_blk *dev) {
    *dev = (struct virtio_blk){
        .source = dev->source,
        .version = dev->version,
        .present = dev->present,
        .read_only = dev->read_only,
        .prompt = dev->prompt,
        .sectors = dev->sectors,
        .seed = dev->seed,
        .align = ALIGN_DEFAULT,
        .disk_written = UINT64_MAX, /* not known: a flush is of all */
    };
    queue_stop(dev);
}

static uint64_t offered(const struct virtio_blk *dev) {
    return FEATURE_SEG_MAX | FEATURE_FLUSH | (dev->read_only ? FEATURE_RO : 0) |
           (dev->version == 2 ? FEATURE_VERSION_1 : 0);
}

static void update(struct dev_env *env, const struct virtio_blk *dev) {
    env->irq(env->ctx, dev->source, dev->interrupt != 0);
}

void virtio_blk_break(struct dev_env *env, struct virtio_blk *dev) {
    queue_stop(dev);
    dev->status |= STATUS_NEEDS_RESET;
    if (dev->status & STATUS_DRIVER_OK)
        dev->interrupt |= INTERRUPT_CONFIG;
    update(env, dev);
}

static uint64_t read_config(const struct virtio_blk *dev, uint64_t at, unsigned size) {
    uint8_t config[CONFIG_BYTES] = {0}, bytes[8] = {0};
    bytes_put(config + CONFIG_CAPACITY, 8, dev->sectors);
    bytes_put(config + CONFIG_SEG_MAX, 4, SEG_MAX);
    for (unsigned i = 0; i < size && i < 8 && at < CONFIG_BYTES; i++, at++)
        bytes[i] = config[at];
    return bytes_get(bytes, 8);
}

static uint32_t read_identity(const struct virtio_blk *dev, uint64_t offset) {
    switch (offset) {
    case MAGIC: return MAGIC_VALUE;
    case VERSION: return dev->version;
    case DEVICE_ID: return dev->present ? ID_BLOCK : ID_NONE;
    case VENDOR_ID: return VENDOR;
    default: return 0;
    }
}

static uint32_t read_modern(const struct virtio_blk *dev, uint64_t offset) {
    if (offset >= SHM_LEN_LOW && offset <= SHM_BASE_HIGH)
        return UINT32_MAX; /* 4.2.2.1: there is no shared memory */
    return offset == QUEUE_READY && dev->queue_sel == 0 ? dev->ready : 0;
}

uint64_t virtio_blk_read(struct dev_env *env, struct virtio_blk *dev, uint64_t offset,
                         unsigned size) {
    if (dev->present && offset >= CONFIG)
        return read_config(dev, offset - CONFIG, size);
    if (size != 4 || offset % 4)
        return 0;
    if (!dev->present || offset <= VENDOR_ID)
        return read_identity(dev, offset);
    switch (offset) {
    case DEVICE_FEATURES:
        return dev->device_features_sel > 1
                   ? 0
                   : (uint32_t)(offered(dev) >> 32 * dev->device_features_sel);
    case QUEUE_NUM_MAX: return dev->queue_sel == 0 ? VIRTIO_QUEUE_MAX : 0;
    case QUEUE_PFN: return dev->version == 1 && dev->queue_sel == 0 ? dev->pfn : 0;
    case INTERRUPT_STATUS: return dev->interrupt;
    case STATUS: return dev->status;
    default: return dev->version == 2 ? read_modern(dev, offset) : 0;
    }
}

/* 3.1.1: features are fixed with FEATURES_OK; legacy drivers have no such step. */
static void write_features(struct virtio_blk *dev, uint32_t value) {
    if (dev->status & STATUS_FEATURES_OK || dev->driver_features_sel > 1)
        return;
    uint64_t *features = &dev->driver_features;
    *features = dev->driver_features_sel ? set_high32(*features, value)
                                         : set_low32(*features, value);
    if (dev->version == 1)
        *features &= offered(dev);
}

static void write_status(struct virtio_blk *dev, uint32_t value) {
    if (value == 0) {
        virtio_blk_reset(dev);
        return;
    }
    bool asks = dev->version == 2 && value & ~dev->status & STATUS_FEATURES_OK;
    if (asks &&
        (dev->driver_features & ~offered(dev) || !(dev->driver_features & FEATURE_VERSION_1)))
        value &= ~(uint32_t)STATUS_FEATURES_OK;
    value &= 0xff & ~(uint32_t)STATUS_NEEDS_RESET; /* only the device sets that */
    bool broken = dev->status & STATUS_NEEDS_RESET;
    if (broken && value & ~dev->status & STATUS_DRIVER_OK)
        dev->interrupt |= INTERRUPT_CONFIG; /* who could not be told before */
    dev->status = value | (broken ? STATUS_NEEDS_RESET : 0);
}

static bool switch_queue(struct virtio_blk *dev, bool on) {
    if (on && dev->ready)
        return true;
    queue_stop(dev);
    return !on || queue_start(dev);
}

/* 2.1.2: nothing is served before DRIVER_OK; legacy drivers did not always wait (3.1.2). */
static bool is_live(const struct virtio_blk *dev) {
    uint32_t live = STATUS_DRIVER_OK | STATUS_FEATURES_OK;
    return dev->ready && (dev->version == 1 || (dev->status & live) == live);
}

/* Registers of the queue that is selected, which is there. False: the driver breaks the rules. */
static bool write_queue_legacy(struct virtio_blk *dev, uint64_t offset, uint32_t value) {
    switch (offset) {
    case QUEUE_NUM: dev->num = dev->ready ? dev->num : value; break;
    case QUEUE_ALIGN: dev->align = value; break;
    case QUEUE_PFN: dev->pfn = value; return switch_queue(dev, value != 0);
    }
    return true;
}

static bool write_queue(struct virtio_blk *dev, uint64_t offset, uint32_t value) {
    if (offset == QUEUE_READY)
        return switch_queue(dev, value & 1);
    if (dev->ready) /* 4.2.2.2: it is left alone then */
        return true;
    switch (offset) {
    case QUEUE_NUM: dev->num = value; break;
    case QUEUE_DESC_LOW: dev->desc = set_low32(dev->desc, value); break;
    case QUEUE_DESC_HIGH: dev->desc = set_high32(dev->desc, value); break;
    case QUEUE_DRIVER_LOW: dev->avail = set_low32(dev->avail, value); break;
    case QUEUE_DRIVER_HIGH: dev->avail = set_high32(dev->avail, value); break;
    case QUEUE_DEVICE_LOW: dev->used = set_low32(dev->used, value); break;
    case QUEUE_DEVICE_HIGH: dev->used = set_high32(dev->used, value); break;
    }
    return true;
}

static bool write_register(struct dev_env *env, struct virtio_blk *dev, uint64_t offset,
                           uint32_t value) {
    switch (offset) {
    case DEVICE_FEATURES_SEL: dev->device_features_sel = value; return true;
    case DRIVER_FEATURES: write_features(dev, value); return true;
    case DRIVER_FEATURES_SEL: dev->driver_features_sel = value; return true;
    case GUEST_PAGE_SIZE: dev->page_size = dev->ready ? dev->page_size : value; return true;
    case QUEUE_SEL: dev->queue_sel = value; return true;
    case VIRTIO_QUEUE_NOTIFY: return value != 0 || !is_live(dev) || queue_take(env, dev);
    case INTERRUPT_ACK: dev->interrupt &= ~value; return true;
    case STATUS: write_status(dev, value); return true;
    }
    if (dev->queue_sel != 0)
        return true;
    return dev->version == 1 ? write_queue_legacy(dev, offset, value)
                             : write_queue(dev, offset, value);
}

void virtio_blk_write(struct dev_env *env, struct virtio_blk *dev, uint64_t offset, unsigned size,
                      uint64_t value) {
    if (!dev->present || size != 4 || offset % 4 || offset >= CONFIG)
        return;
    bool broken = dev->status & STATUS_NEEDS_RESET;
    if (broken && offset != STATUS && offset != INTERRUPT_ACK)
        return;
    if (!write_register(env, dev, offset, (uint32_t)value))
        virtio_blk_break(env, dev);
    update(env, dev);
}
