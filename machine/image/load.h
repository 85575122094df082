/* Puts images into the machine's memory. */
#pragma once
#include "machine/image/elf.h"

/* The RAM is [base, base + size), and does not pass the end of all addresses. */
struct image_ram {
    uint64_t base, size;
    uint8_t *bytes;
};

/* Places the segments of an ELF at their physical addresses (p_paddr), the rest of each zeroed.
 * *entry is where it begins: kernels whose header says so with the virtual address begin at the
 * physical one of it, as there is no paging yet.
 *
 * False: it cannot be loaded. RAM and *entry are as they were, and error is a sentence that begins
 * with the file's name. So it is of the other functions here. */
bool elf_load(const struct elf *elf, const struct image_ram *ram, uint64_t *entry, char *error,
              size_t error_size);

/* Places all bytes of a file at an address. */
bool flat_load(const struct image_file *file, const struct image_ram *ram, uint64_t address,
               char *error, size_t error_size);

/* Places an ELF where it says, and anything else at flat_address, where it begins. */
bool image_load(const struct image_file *file, const struct image_ram *ram, uint64_t flat_address,
                uint64_t *entry, char *error, size_t error_size);
