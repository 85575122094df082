/* A disk in memory: see ramdisk.h. A request is done when it has been handed over, so
 * nobody waits, and there is nothing to lock: the file system has no two requests for
 * one block at a time. */
#include "dev/ramdisk.h"
#include "dev/blk_driver.h"
#include "dev/bootargs.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kmap.h"

static struct {
    char *base;
    uint64_t sectors;
} disk;

int ramdisk_where(struct fdt_reg *out) {
    fdt_node chosen = fdt_path("/chosen");
    uint64_t end;
    if (fdt_number(chosen, "linux,initrd-start", &out->start) ||
        fdt_number(chosen, "linux,initrd-end", &end) || end <= out->start)
        return -K_ENOENT;
    out->size = end - out->start;
    return 0;
}

/* Whether a node of memory has all of it: QEMU puts it behind the kernel without a look. */
static bool is_ram(const struct fdt_reg *where) {
    for (fdt_node n = fdt_child(0); n != FDT_NONE; n = fdt_sibling(n)) {
        const char *type = fdt_string(n, "device_type");
        struct fdt_reg ram;
        for (uint32_t i = 0; type && !strcmp(type, "memory") && !fdt_reg(n, i, &ram); i++)
            if (where->start >= ram.start && where->start - ram.start < ram.size &&
                where->size <= ram.size - (where->start - ram.start))
                return true;
    }
    return false;
}

/* RAM that is the kernel's is mapped; what the firmware has reserved for the image is not, until
 * this. NULL: there is none, or it cannot be reached, which is said once. */
static char *find(struct fdt_reg *where) {
    static bool said;
    if (ramdisk_where(where))
        return NULL;
    char *base = is_ram(where) ? kmap_device(where->start, where->size) : NULL;
    if (!base && !said)
        kprintf("initrd of %lu KiB at %#lx: not in RAM that the kernel reaches\n",
                (unsigned long)(where->size >> 10), (unsigned long)where->start);
    said |= !base;
    return base;
}

static bool is_archive(const char *base, uint64_t bytes) {
    return bytes >= 6 && (!memcmp(base, "070701", 6) || !memcmp(base, "070702", 6));
}

const void *ramdisk_archive(uint64_t *bytes) {
    struct fdt_reg where;
    const char *base = find(&where);
    if (!base || !is_archive(base, where.size))
        return NULL;
    *bytes = where.size;
    return base;
}

static unsigned start(void) {
    struct fdt_reg where;
    disk.sectors = 0;
    disk.base = find(&where);
    if (!disk.base || is_archive(disk.base, where.size))
        return 0;
    disk.sectors = where.size / SECTOR_SIZE;
    if (!boot_quiet())
        kprintf("the disk is in memory, %lu KiB at %#lx: what is written to it is not kept\n",
                (unsigned long)(where.size >> 10), (unsigned long)where.start);
    return 1;
}

static uint64_t sectors(unsigned unit) { return disk.sectors; }

static void submit(struct blk_request *rq) {
    rq->done = true;
    rq->status = 0;
    if (rq->op == BLK_FLUSH)
        return;
    ASSERT(rq->bytes > 0 && rq->bytes % SECTOR_SIZE == 0);
    uint64_t n = rq->bytes / SECTOR_SIZE;
    if (n > disk.sectors || rq->sector > disk.sectors - n) {
        rq->status = -K_EIO;
        return;
    }
    char *at = disk.base + rq->sector * SECTOR_SIZE;
    if (rq->op == BLK_READ)
        memcpy(rq->data, at, rq->bytes);
    else
        memcpy(at, rq->data, rq->bytes);
}

static int wait(struct blk_request *rq) { return rq->status; }

const struct blk_driver ramdisk = {
    .start = start, .sectors = sectors, .submit = submit, .wait = wait};
