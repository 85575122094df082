/* The pool: free RAM in blocks, as a buddy allocator keeps it. For mm/frame*.c alone.
 *
 * Terms. A block is 2^order frames, aligned to its size, order 0 to FRAME_LARGE_ORDER; its
 * head is its first frame. A single frame is of order 0, a large one of the highest.
 *
 * Invariants. What is in the pool has no references. Two free blocks that are the halves of
 * one (buddies) are merged. The records of heads (of blocks in the pool, of single frames
 * and of large ones outside of it) are valid; those inside a block are not written when it
 * is made nor read, so boot touches one record in 512. A block's buddy region always begins
 * with some block's head; where it is no free RAM, boot has zeroed the records.
 *
 * The pool's lock is the innermost of all: each call takes it, and nothing inside. */
#pragma once
#include "mm/frame_record.h"

/* A single frame that is free and outside of the pool. */
struct free_frame {
    struct frame *record;
    paddr_t pa;
};

/* Boot: puts in what frame_boot.h has; how many frames that is. */
uint64_t pool_init(void);

/* Up to max single frames, from the smallest blocks; how many there were. Their records say
 * that they have no references. */
uint32_t pool_take(struct free_frame *out, uint32_t max);
void pool_give(const struct free_frame *frames, uint32_t n);

/* A large frame without references; false when there is none. */
bool pool_take_large(paddr_t *pa);
void pool_give_large(paddr_t pa);

/* Frames in the pool. */
uint64_t pool_frames(void);
/* The same, counted; panics when the records contradict each other. */
uint64_t pool_check(void);

/* DEBUG: frames that fall free are filled with a pattern; it is a panic when it is not there
 * any more when they are taken again. */
void frame_poison(paddr_t pa, uint32_t frames);
void frame_check_poison(paddr_t pa, uint32_t frames);
