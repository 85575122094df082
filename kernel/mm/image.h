/* Program images: the pages of an executable file, read once and shared by all
 * processes that run it; the memory object of a program's mappings.
 *
 * An image is a snapshot: its frames never change. It is found by the file's
 * identity and the version of its contents; a rewritten file has a new version,
 * so the old snapshot is found no more, and processes that run it keep it. Read-only
 * segments map its frames; writable ones copy them on write.
 *
 * An image in use is charged to the commitment account once, for all its users; an
 * unused one is only a cache, given back when memory is short (reclaim.h).
 *
 * A record is a frame. It is found in the list alone, and is given back only when it is in
 * no list and has no user: then nobody has a pointer to it.
 *
 * image_lock guards the list and the counts. */
#pragma once
#include "lib/list.h"
#include "lib/types.h"
#include "mm/object.h"

#define IMAGE_SEGMENTS 8
#define IMAGE_PAGES 436

struct image_segment {
    uint64_t start;      /* page-aligned virtual address */
    uint64_t file_end;   /* end of the pages that have bytes of the file; page-aligned */
    uint64_t end;        /* end of the segment's memory; page-aligned */
    uint64_t perm;       /* PTE_R | PTE_W | PTE_X */
    uint32_t first_page; /* of start, in page[] */
};

struct image_key {
    uint32_t dev, inum;
    uint64_t version;
};

struct image {
    struct object object;
    struct list link;
    struct image_key key;
    uint32_t users; /* mappings, and the exec that makes or has found it */
    uint32_t pages;
    uint32_t segments;
    uint64_t entry;
    uint64_t end;   /* of the last segment, page-aligned */
    uint64_t stack; /* bytes of stack that the file asks for, page-aligned; 0: as xv6 */
    struct image_segment segment[IMAGE_SEGMENTS];
    paddr_t page[IMAGE_PAGES];
};
_Static_assert(sizeof(struct image) <= 4096, "an image's record is one frame");

/* Boot: registers as a reclaimer (reclaim.h). */
void image_init(void);

/* The image with this key, with one user more; *out = NULL when there is none.
 * -K_ENOMEM: it is there, but the memory that its use needs cannot be promised. */
int image_find(struct image_key key, struct image **out) must_check;

/* An empty record with room for pages zeroed frames; one user. -K_ENOMEM:
 * nothing was taken. The caller fills it, then either publishes it or drops it. */
int image_create(uint32_t pages, struct image **out) must_check;

/* From here on others find it by its key. */
void image_publish(struct image *image, struct image_key key);

void image_get(struct image *image);
/* One user less. An image that was never published goes with its last user. */
void image_put(struct image *image);
