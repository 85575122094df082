/* The heap: blocks side by side, first the header, then what the caller owns.
 *
 * A region is what sbrk gave in one piece; it ends in a header of size 0 that is
 * marked used. Each block knows its own size and its left neighbour's, so that
 * freeing joins it with free neighbours at once: no two free blocks are ever
 * side by side. Free blocks are in lists by the power of two of their size, so a
 * fitting one is found without a walk over the heap, except in the list of the
 * asked size itself. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lock.h"

#define ALIGN 16UL
#define GROW_MIN (16UL * 1024) /* bytes asked of sbrk at least */
#define MAX_REQUEST (1UL << 40)
#define SBRK_MAX (1UL << 30) /* sbrk takes an int */
#define BINS 48

struct block {
    size_t left;               /* bytes of the left neighbour with its header; 0: none */
    size_t size;               /* bytes with this header; USED in the lowest bit */
    struct block *next, *prev; /* when free */
};
#define USED 1UL
#define HEADER offsetof(struct block, next)
#define MIN_BLOCK sizeof(struct block)

static struct block *bins[BINS];
static struct block *region_end; /* the last region's end header */
uint32_t malloc_lock;

static size_t size_of(const struct block *b) { return b->size & ~USED; }
static bool is_used(const struct block *b) { return b->size & USED; }
static struct block *right_of(struct block *b) { return (void *)((char *)b + size_of(b)); }
static struct block *left_of(struct block *b) { return (void *)((char *)b - b->left); }

static unsigned bin_of(size_t size) {
    unsigned bin = 0;
    for (; size > 2 * MIN_BLOCK && bin < BINS - 1; size >>= 1)
        bin++;
    return bin;
}

static void bin_insert(struct block *b) {
    struct block **head = &bins[bin_of(size_of(b))];
    b->prev = NULL;
    b->next = *head;
    if (*head)
        (*head)->prev = b;
    *head = b;
}

static void bin_remove(struct block *b) {
    if (b->prev)
        b->prev->next = b->next;
    else
        bins[bin_of(size_of(b))] = b->next;
    if (b->next)
        b->next->prev = b->prev;
}

static void set_size(struct block *b, size_t size, size_t used) {
    b->size = size | used;
    right_of(b)->left = size;
}

/* Makes b, which is in no list, free, joined with free neighbours. */
static void release(struct block *b) {
    size_t size = size_of(b);
    struct block *right = right_of(b);
    b->size = size; /* so that freeing it again is noticed, wherever its header ends up */
    if (!is_used(right)) {
        bin_remove(right);
        size += size_of(right);
    }
    if (b->left && !is_used(left_of(b))) {
        b = left_of(b);
        bin_remove(b);
        size += size_of(b);
    }
    set_size(b, size, 0);
    bin_insert(b);
}

/* b is in no list and large enough: it becomes a used block of size bytes, and
 * what is left over a free one if it can be one. */
static void carve(struct block *b, size_t size) {
    size_t rest = size_of(b) - size;
    if (rest < MIN_BLOCK) {
        set_size(b, size_of(b), USED);
        return;
    }
    set_size(b, size, USED);
    struct block *other = right_of(b);
    set_size(other, rest, USED);
    release(other);
}

/* Asks sbrk for n bytes, in steps that its argument can say. All or nothing. */
static void *get_core(size_t n) {
    char *start = sbrk(0);
    for (size_t got = 0, step; got < n; got += step) {
        step = n - got < SBRK_MAX ? n - got : SBRK_MAX;
        if (sbrk((intptr_t)step) == (void *)-1) {
            for (; got > 0; got -= step) {
                step = got < SBRK_MAX ? got : SBRK_MAX;
                sbrk(-(intptr_t)step);
            }
            return NULL;
        }
    }
    return start;
}

/* Adds a free block of at least size bytes. When the break is where we left it,
 * the last region grows: its end header becomes the new block's header. */
static bool grow(size_t size) {
    bool joins = region_end && (char *)sbrk(0) == (char *)region_end + HEADER;
    size_t pad = joins ? 0 : -(uintptr_t)sbrk(0) % ALIGN;
    size_t want = size + (joins ? 0 : HEADER), ask = want < GROW_MIN ? GROW_MIN : want;
    char *core = get_core(ask + pad);
    if (!core && ask > want)
        core = get_core((ask = want) + pad);
    if (!core)
        return false;
    struct block *b = region_end;
    if (!joins) {
        b = (struct block *)(core + pad);
        b->left = 0;
        ask -= HEADER;
    }
    b->size = ask | USED;
    region_end = right_of(b);
    region_end->left = ask;
    region_end->size = USED;
    release(b);
    return true;
}

static struct block *find(size_t size) {
    for (unsigned i = bin_of(size); i < BINS; i++)
        for (struct block *b = bins[i]; b; b = b->next)
            if (size_of(b) >= size)
                return b;
    return NULL;
}

/* Bytes of a block for a request of n. */
static size_t block_size(size_t n) {
    size_t size = (n + HEADER + ALIGN - 1) & ~(ALIGN - 1);
    return size < MIN_BLOCK ? MIN_BLOCK : size;
}

/* The block of a pointer that the caller owns; ends the program if it is none. */
static struct block *owned(void *p, const char *call) {
    struct block *b = (void *)((char *)p - HEADER);
    if ((uintptr_t)p % ALIGN || !is_used(b) || size_of(b) < MIN_BLOCK ||
        right_of(b)->left != size_of(b)) {
        fprintf(stderr, "%s: %p is not from malloc, or the heap is damaged\n", call, p);
        abort();
    }
    return b;
}

static void *allocate(size_t n) {
    size_t size = block_size(n);
    struct block *b = n <= MAX_REQUEST ? find(size) : NULL;
    if (!b && n <= MAX_REQUEST && grow(size))
        b = find(size);
    if (!b) {
        errno = ENOMEM;
        return NULL;
    }
    bin_remove(b);
    carve(b, size);
    return (char *)b + HEADER;
}

void *malloc(size_t n) {
    library_lock(&malloc_lock);
    void *p = allocate(n);
    library_unlock(&malloc_lock);
    return p;
}

void free(void *p) {
    if (!p)
        return;
    library_lock(&malloc_lock);
    release(owned(p, "free"));
    library_unlock(&malloc_lock);
}

void *calloc(size_t count, size_t n) {
    size_t total;
    if (__builtin_mul_overflow(count, n, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = malloc(total);
    return p ? memset(p, 0, total) : NULL;
}

/* Makes the block of p large or small enough for n bytes where it is; *usable: what it had. */
static bool resize(void *p, size_t n, size_t *usable) {
    struct block *b = owned(p, "realloc"), *right = right_of(b);
    size_t size = block_size(n), have = size_of(b);
    *usable = have - HEADER;
    if (n <= MAX_REQUEST && size > have && !is_used(right) && have + size_of(right) >= size) {
        bin_remove(right);
        set_size(b, have + size_of(right), USED);
    }
    if (n <= MAX_REQUEST && size <= size_of(b)) {
        carve(b, size);
        return true;
    }
    return false;
}

void *realloc(void *p, size_t n) {
    size_t usable;
    if (!p)
        return malloc(n);
    library_lock(&malloc_lock);
    bool resized = resize(p, n, &usable);
    library_unlock(&malloc_lock);
    if (resized)
        return p;
    void *q = malloc(n);
    if (q) {
        memcpy(q, p, usable);
        free(p);
    }
    return q;
}
