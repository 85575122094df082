/* What stands in a journal: names and numbers of Linux's jbd. All numbers are big-endian. */
#pragma once
#include "lib/types.h"

#define JBD_MAGIC 0xc03b3998
enum { JBD_DESCRIPTOR = 1, JBD_COMMIT, JBD_SUPER_1, JBD_SUPER_2, JBD_REVOKE };

struct jbd_header {
    uint32_t magic, type, sequence;
};

struct jbd_super {
    struct jbd_header header;
    uint32_t block_bytes, blocks; /* of the journal */
    uint32_t first;               /* of the ring */
    uint32_t sequence;            /* of the first transaction to be replayed, */
    uint32_t start;               /* which begins there; 0: there is none */
    uint32_t error;
    uint32_t compat, incompat, ro_compat; /* of a super block of version 2 */
};
#define JBD_INCOMPAT_REVOKE 1

struct jbd_tag {
    uint32_t block, flags;
};
#define JBD_TAG_ESCAPED 1   /* the copy's first word was JBD_MAGIC, and is 0 */
#define JBD_TAG_SAME_UUID 2 /* no uuid follows */
#define JBD_TAG_DELETED 4
#define JBD_TAG_LAST 8
#define JBD_UUID_BYTES 16

struct jbd_revoke {
    struct jbd_header header;
    uint32_t bytes; /* with this header; block numbers follow */
};

/* From the machine's order to the journal's, and back. */
static inline uint32_t jbd_number(uint32_t n) {
    return n << 24 | (n & 0xff00) << 8 | (n >> 8 & 0xff00) | n >> 24;
}
