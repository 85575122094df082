/* Replaying a journal that a crash has left, ours or Linux's: see journal.h. */
#include "arch/layout.h"
#include "ext2/journal.h"
#include "ext2/journalfile.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

static uint8_t block[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE))); /* of the journal */
static uint8_t copy[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* ---- revocations ---- */

#define BUCKETS 256

/* No copy of the block in a transaction up to this one is replayed. */
struct revoked {
    struct revoked *next;
    uint32_t block, sequence;
};

static struct slab records;
static struct revoked *buckets[BUCKETS];

static struct revoked **find_revoked(uint32_t number) {
    struct revoked **link = &buckets[number % BUCKETS];
    while (*link && (*link)->block != number)
        link = &(*link)->next;
    return link;
}

/* Numbers of transactions wrap. */
static bool is_later(uint32_t a, uint32_t b) { return (int32_t)(a - b) > 0; }

static int revoke(uint32_t number, uint32_t sequence) {
    struct revoked **link = find_revoked(number);
    if (!*link) {
        struct revoked *r = slab_take(&records);
        if (!r)
            return -K_ENOMEM;
        *r = (struct revoked){.block = number, .sequence = sequence};
        *link = r;
    }
    if (is_later(sequence, (*link)->sequence))
        (*link)->sequence = sequence;
    return 0;
}

static bool is_revoked(uint32_t number, uint32_t sequence) {
    const struct revoked *r = *find_revoked(number);
    return r && !is_later(sequence, r->sequence);
}

static void forget_revoked(void) {
    for (unsigned i = 0; i < BUCKETS; i++)
        while (buckets[i]) {
            struct revoked *r = buckets[i];
            buckets[i] = r->next;
            slab_give(&records, r);
        }
}

/* ---- the ring ---- */

enum pass { SCAN, REVOKE, REPLAY };

struct replay {
    struct ext2_ring ring;
    enum pass pass;
    uint32_t at;       /* the next block of the ring */
    uint32_t visited;  /* blocks of it */
    uint32_t sequence; /* of the transaction that is gone through */
    uint32_t end;      /* of the first that has no commit; after SCAN */
};

static void step(struct replay *r, uint32_t n) {
    uint32_t size = r->ring.blocks - r->ring.first;
    r->at = r->ring.first + (r->at - r->ring.first + n % size) % size;
    r->visited += n;
}

static int read_block(uint32_t at, void *dst) {
    uint32_t where;
    int err = ext2_ring_block(at, &where);
    return err ? err : ext2_move_block(BLK_READ, where, dst);
}

/* A copy, which stands in the next block of the ring, goes to where it lives. */
static int replay_copy(struct replay *r, uint32_t number, uint32_t flags) {
    if (is_revoked(number, r->sequence) || (flags & JBD_TAG_DELETED))
        return 0;
    if (number >= ext2.blocks)
        return -K_EINVAL;
    int err = read_block(r->at, copy);
    if (err)
        return err;
    uint32_t magic = jbd_number(JBD_MAGIC);
    if (flags & JBD_TAG_ESCAPED)
        memcpy(copy, &magic, sizeof(magic));
    return ext2_move_block(BLK_WRITE, number, copy);
}

/* The descriptor in `block`; its copies are passed. */
static int go_through_tags(struct replay *r) {
    uint32_t offset = sizeof(struct jbd_header), flags = 0;
    int err = 0;
    while (!err && !(flags & JBD_TAG_LAST) && offset + sizeof(struct jbd_tag) <= ext2.block_bytes) {
        struct jbd_tag tag;
        memcpy(&tag, block + offset, sizeof(tag));
        flags = jbd_number(tag.flags) & 0xffff;
        offset += (uint32_t)sizeof(tag) + (flags & JBD_TAG_SAME_UUID ? 0 : JBD_UUID_BYTES);
        if (r->pass == REPLAY)
            err = replay_copy(r, jbd_number(tag.block), flags);
        step(r, 1);
    }
    return err;
}

static int go_through_revoked(struct replay *r) {
    struct jbd_revoke head;
    memcpy(&head, block, sizeof(head));
    uint32_t end = MIN(jbd_number(head.bytes), ext2.block_bytes);
    int err = 0;
    for (uint32_t o = sizeof(head); r->pass == REVOKE && o + 4 <= end && !err; o += 4) {
        uint32_t number;
        memcpy(&number, block + o, sizeof(number));
        err = revoke(jbd_number(number), r->sequence);
    }
    return err;
}

/* The next block that is no copy. False: it belongs to no transaction that follows. */
static int go_on(struct replay *r, bool *more) {
    struct jbd_header h;
    *more = false;
    if (r->visited >= r->ring.blocks || (r->pass != SCAN && r->sequence == r->end))
        return 0;
    int err = read_block(r->at, block);
    if (err)
        return err;
    memcpy(&h, block, sizeof(h));
    if (jbd_number(h.magic) != JBD_MAGIC || jbd_number(h.sequence) != r->sequence)
        return 0;
    step(r, 1);
    *more = true;
    switch (jbd_number(h.type)) {
    case JBD_DESCRIPTOR: return go_through_tags(r);
    case JBD_COMMIT: r->sequence++; return 0;
    case JBD_REVOKE: return go_through_revoked(r);
    }
    *more = false;
    return 0;
}

static int pass(struct replay *r, enum pass which) {
    bool more = true;
    int err = 0;
    r->pass = which;
    r->at = r->ring.start;
    r->visited = 0;
    r->sequence = r->ring.sequence;
    while (more && !err)
        err = go_on(r, &more);
    if (which == SCAN)
        r->end = r->sequence;
    return err;
}

static int replay(struct replay *r) {
    records = (struct slab)SLAB_INIT(records, sizeof(struct revoked));
    memset(buckets, 0, sizeof(buckets));
    int err = pass(r, SCAN);
    if (!err)
        err = pass(r, REVOKE);
    if (!err)
        err = pass(r, REPLAY);
    forget_revoked();
    return err ? err : ext2_flush();
}

/* A number is left out, so that nothing of a transaction without a commit is taken for a new one's.
 */
int ext2_journal_replay(uint32_t *replayed, const char **why) {
    struct replay r;
    *replayed = 0;
    int err = ext2_ring_open(&r.ring, why);
    if (err)
        return err;
    *why = "the journal cannot be replayed";
    if (r.ring.start) {
        err = replay(&r);
        if (err)
            return err;
        *replayed = r.end - r.ring.sequence;
        err = ext2_ring_write_super(0, r.end + 1);
    }
    return err ? err : ext2_super_mark(false);
}
