/* The log on the disk: write barriers and recovery. See logdisk.h; log.h has the protocol. */
#include "fs/logdisk.h"
#include "dev/blk.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"

#define SECTORS_PER_BLOCK (FS_BLOCK_SIZE / SECTOR_SIZE)

struct log_header {
    int32_t n;
    int32_t block[LOG_MAX];
};
_Static_assert(sizeof(struct log_header) == FS_BLOCK_SIZE, "it names as many as a block can");

/* Requests and what they read or write stand here and not on a stack: the disk's
 * interrupt handler runs in any process's page table. */
static struct {
    uint32_t start;
    struct blk_request rq[LOG_MAX];
} log;

static struct log_header header __attribute__((aligned(FS_BLOCK_SIZE)));

static int flush(void) {
    log.rq[0] = (struct blk_request){.op = BLK_FLUSH};
    return blk_do(&log.rq[0]);
}

static void start_io(struct blk_request *rq, enum blk_op op, uint32_t block, void *data,
                     uint32_t blocks) {
    *rq = (struct blk_request){
        .op = op,
        .sector = (uint64_t)block * SECTORS_PER_BLOCK,
        .data = data,
        .bytes = blocks * FS_BLOCK_SIZE,
    };
    blk_submit(rq);
}

static int do_io(enum blk_op op, uint32_t block, void *data, uint32_t blocks) {
    start_io(&log.rq[0], op, block, data, blocks);
    return blk_wait(&log.rq[0]);
}

/* Writes the header with the first n of its block numbers, and waits until the
 * disk has it for good. */
static int write_header(uint32_t n) {
    header.n = (int32_t)n;
    memset(&header.block[n], 0, (LOG_MAX - n) * sizeof(header.block[0]));
    int err = do_io(BLK_WRITE, log.start, &header, 1);
    return err ? err : flush();
}

/* Writes the copies of the header's n blocks to where they live, neighbours with
 * one request, all requests at once. They are all different. */
static int install(uint8_t *copies, uint32_t n) {
    uint32_t nrq = 0;
    for (uint32_t i = 0, len; i < n; i += len) {
        len = 1;
        while (i + len < n && header.block[i + len] == header.block[i] + (int32_t)len)
            len++;
        start_io(&log.rq[nrq++], BLK_WRITE, (uint32_t)header.block[i],
                 copies + (size_t)i * FS_BLOCK_SIZE, len);
    }
    int err = 0;
    for (uint32_t i = 0; i < nrq; i++) {
        int e = blk_wait(&log.rq[i]);
        if (e)
            err = e;
    }
    return err ? err : flush();
}

/* The steps of a commit; NULL, or what failed. A failure leaves the header
 * alone: if it reached the disk, the next mount installs from it. */
const char *logdisk_commit(const uint32_t *block, uint8_t *copies, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        header.block[i] = (int32_t)block[i];
    if (do_io(BLK_WRITE, log.start + 1, copies, n) || flush())
        return "writing the log";
    if (write_header(n))
        return "writing the log's header";
    if (install(copies, n))
        return "installing a committed transaction (the next mount will)";
    if (write_header(0))
        return "clearing the log's header";
    return NULL;
}

/* ---- mount ---- */

/* Whether the header found on the disk names different blocks that a log may
 * change. */
static bool header_ok(const struct super *sb) {
    if (header.n < 0 || header.n > LOG_MAX || (uint32_t)header.n >= sb->log_blocks)
        return false;
    for (int32_t i = 0; i < header.n; i++) {
        int64_t block = header.block[i];
        if (block < sb->inode_start || block >= sb->size)
            return false;
        for (int32_t j = 0; j < i; j++)
            if (header.block[j] == block)
                return false;
    }
    return true;
}

int logdisk_mount(const struct super *sb, uint32_t *blocks, const char **why) {
    uint8_t *copies = log_copies();
    log.start = sb->log_start;
    *blocks = MIN(sb->log_blocks - 1, (uint32_t)LOG_MAX);
    int err = do_io(BLK_READ, sb->log_start, &header, 1);
    if (err) {
        *why = "the log's header cannot be read";
        return err;
    }
    if (!header_ok(sb)) {
        *why = "the log's header is damaged";
        return -K_EINVAL;
    }
    if (header.n == 0)
        return 0;
    uint32_t n = (uint32_t)header.n;
    err = do_io(BLK_READ, sb->log_start + 1, copies, n);
    if (err) {
        *why = "the log cannot be read";
        return err;
    }
    err = install(copies, n);
    if (!err)
        err = write_header(0);
    if (err)
        *why = "the log's blocks cannot be written back";
    return err;
}
