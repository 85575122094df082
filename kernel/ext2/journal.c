/* Commits: see journal.h. */
#include "ext2/journal.h"
#include "arch/layout.h"
#include "ext2/journalfile.h"
#include "ext2/map.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"

/* A block of FS_BLOCK_SIZE has most of them: its tags, and a uuid behind the first. */
#define TAGS_MIN \
    ((FS_BLOCK_SIZE - sizeof(struct jbd_header) - JBD_UUID_BYTES) / sizeof(struct jbd_tag))
#define DESCRIPTORS (LOG_MAX / TAGS_MIN + 1)

/* Requests and what they write stand here and not on a stack: see blk.h. */
static struct {
    uint32_t first, sequence;
    bool clean;                                /* the disk says that it is not in use */
    uint32_t where[LOG_MAX + DESCRIPTORS + 1]; /* blocks of the ring, from its start */
    struct blk_request rq[LOG_MAX + DESCRIPTORS];
    uint32_t nrq;
} journal;
static uint8_t descriptor[DESCRIPTORS][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint8_t commit_block[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static uint32_t tags_in_block(void) {
    return (uint32_t)((ext2.block_bytes - sizeof(struct jbd_header) - JBD_UUID_BYTES) /
                      sizeof(struct jbd_tag));
}

static void start_write(uint32_t block, void *data, uint32_t blocks) {
    struct blk_request *rq = &journal.rq[journal.nrq++];
    *rq = (struct blk_request){.op = BLK_WRITE,
                               .sector = (uint64_t)block * (ext2.block_bytes / SECTOR_SIZE),
                               .data = data,
                               .bytes = blocks * ext2.block_bytes};
    blk_submit(rq);
}

/* Until all that was started is on the disk for good. */
static int finish_writes(void) {
    int err = 0;
    for (uint32_t i = 0; i < journal.nrq; i++) {
        int e = blk_wait(&journal.rq[i]);
        if (e)
            err = e;
    }
    journal.nrq = 0;
    return err ? err : ext2_flush();
}

/* Neighbours with one request. They are all different. */
static int write_home(const uint32_t *block, uint8_t *copies, uint32_t n) {
    for (uint32_t i = 0, len; i < n; i += len) {
        len = 1;
        while (i + len < n && block[i + len] == block[i] + len)
            len++;
        start_write(block[i], copies + (size_t)i * ext2.block_bytes, len);
    }
    return finish_writes();
}

/* ---- with a journal ---- */

static void set_header(void *to, uint32_t type) {
    struct jbd_header h = {jbd_number(JBD_MAGIC), jbd_number(type), jbd_number(journal.sequence)};
    memset(to, 0, ext2.block_bytes);
    memcpy(to, &h, sizeof(h));
}

/* A copy that begins as the journal's own blocks do would be taken for one. */
static bool is_escaped(const uint8_t *copy) {
    uint32_t magic = jbd_number(JBD_MAGIC);
    return !memcmp(copy, &magic, sizeof(magic));
}

static void describe(uint8_t *d, const uint32_t *block, uint8_t *copies, uint32_t n) {
    set_header(d, JBD_DESCRIPTOR);
    uint8_t *at = d + sizeof(struct jbd_header);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *copy = copies + (size_t)i * ext2.block_bytes;
        uint32_t flags = (i > 0 ? JBD_TAG_SAME_UUID : 0) | (i + 1 == n ? JBD_TAG_LAST : 0);
        if (is_escaped(copy)) {
            flags |= JBD_TAG_ESCAPED;
            memset(copy, 0, sizeof(uint32_t));
        }
        struct jbd_tag tag = {jbd_number(block[i]), jbd_number(flags)};
        memcpy(at, &tag, sizeof(tag));
        at += sizeof(tag) + (i == 0 ? JBD_UUID_BYTES : 0);
    }
}

/* What a descriptor says was escaped is as it was. */
static void unescape(const uint8_t *d, uint8_t *copies, uint32_t n) {
    const uint8_t *at = d + sizeof(struct jbd_header);
    uint32_t magic = jbd_number(JBD_MAGIC);
    for (uint32_t i = 0; i < n; i++) {
        struct jbd_tag tag;
        memcpy(&tag, at, sizeof(tag));
        if (jbd_number(tag.flags) & JBD_TAG_ESCAPED)
            memcpy(copies + (size_t)i * ext2.block_bytes, &magic, sizeof(magic));
        at += sizeof(tag) + (i == 0 ? JBD_UUID_BYTES : 0);
    }
}

/* Descriptors and copies; *used: blocks of the ring. */
static int write_copies(const uint32_t *block, uint8_t *copies, uint32_t n, uint32_t *used) {
    uint32_t at = 0, bytes = ext2.block_bytes;
    for (uint32_t i = 0, d = 0, most = tags_in_block(); i < n; i += most, d++) {
        uint32_t count = MIN(most, n - i);
        describe(descriptor[d], block + i, copies + (size_t)i * bytes, count);
        start_write(journal.where[at++], descriptor[d], 1);
        for (uint32_t k = 0; k < count; k++)
            start_write(journal.where[at++], copies + (size_t)(i + k) * bytes, 1);
    }
    *used = at;
    int err = finish_writes();
    for (uint32_t i = 0, d = 0, most = tags_in_block(); i < n; i += most, d++)
        unescape(descriptor[d], copies + (size_t)i * bytes, MIN(most, n - i));
    return err;
}

static int write_commit(uint32_t at) {
    set_header(commit_block, JBD_COMMIT);
    start_write(journal.where[at], commit_block, 1);
    return finish_writes();
}

/* Before the first commit: the disk says that it has to be recovered. */
static int begin_use(void) {
    int err = journal.clean ? ext2_super_mark(true) : 0;
    if (!err && journal.clean && ext2.journal_inode)
        err = ext2_ring_write_super(journal.first, journal.sequence);
    journal.clean = journal.clean && err;
    return err;
}

/* A failure leaves the super blocks alone: if the commit reached the disk, the next mount replays
 * it. */
static const char *commit(const uint32_t *block, uint8_t *copies, uint32_t n) {
    uint32_t used;
    if (begin_use())
        return "marking the file system as in use";
    if (write_copies(block, copies, n, &used))
        return "writing the journal";
    if (write_commit(used))
        return "writing the journal's commit";
    if (write_home(block, copies, n))
        return "writing back a committed transaction (the next mount will)";
    if (ext2_ring_write_super(journal.first, ++journal.sequence))
        return "writing the journal's super block";
    return NULL;
}

/* ---- without ---- */

static const char *commit_plainly(const uint32_t *block, uint8_t *copies, uint32_t n) {
    if (begin_use() || ext2_flush())
        return "writing the super block";
    return write_home(block, copies, n) ? "writing metadata" : NULL;
}

/* ---- mount, and rest ---- */

static int find_ring(const struct ext2_ring *r, uint32_t blocks) {
    int err = 0;
    for (uint32_t i = 0; i < blocks && !err; i++)
        err = ext2_ring_block(r->first + i, &journal.where[i]);
    return err;
}

int ext2_journal_mount(struct log_disk *disk, const char **why) {
    struct ext2_ring r;
    journal.clean = true;
    journal.nrq = 0;
    disk->commit = ext2.journal_inode ? commit : commit_plainly;
    if (!ext2.journal_inode)
        return 0;
    int err = ext2_ring_open(&r, why);
    if (err)
        return err;
    uint32_t around = 1 + disk->blocks / tags_in_block() + 1; /* a commit, and descriptors */
    uint32_t size = r.blocks - r.first;
    *why = "the journal is too small";
    if (size <= around)
        return -K_EINVAL;
    disk->blocks = MIN(disk->blocks, size - around);
    journal.first = r.first;
    journal.sequence = MAX(r.sequence, 1u);
    *why = "the journal cannot be read";
    return find_ring(&r, disk->blocks + around);
}

void ext2_journal_clean(void) {
    if (journal.clean)
        return;
    int err = ext2.journal_inode ? ext2_ring_write_super(0, journal.sequence) : 0;
    if (!err)
        err = ext2_super_mark(false);
    journal.clean = !err; /* else it says that it is in use, which harms nobody */
}
