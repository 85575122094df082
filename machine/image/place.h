/* What stands in the source where an address is: for messages and backtraces. */
#pragma once
#include "machine/image/lines.h"
#include "machine/image/symbols.h"

/* What is known of an image. A machine has several: the kernel's, and those of programs. */
struct place_image {
    struct elf elf;
    struct symbols symbols;
    struct lines lines;
};

struct place {
    const char *symbol;     /* NULL: unknown */
    uint64_t offset;        /* in bytes from the symbol */
    struct line_place line; /* line 0: unknown */
};

/* Reads what an image says. False: no memory, and nothing is known. The file's bytes stay in use;
 * place_image_free gives back the rest. */
bool place_image_read(struct place_image *image, const struct elf *elf);
void place_image_free(struct place_image *image);

/* Looks in one image after the other for a virtual address, and then, since kernels run at their
 * physical addresses before they have paging, for a physical one. False: it is in none. */
bool place_find(const struct place_image *images, size_t count, uint64_t address,
                struct place *place);

/* Where the image's file puts a virtual address of it into memory; of others the address itself. */
uint64_t place_physical(const struct place_image *image, uint64_t va);

/* "vm.c:212 (uvmunmap)", "vm.c:212", "uvmunmap+0x1c", or "0x80001234" of what is unknown: as much
 * of it as has room, with its end. */
void place_text(const struct place_image *images, size_t count, uint64_t address, char *buffer,
                size_t size);
