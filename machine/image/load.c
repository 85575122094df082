/* Puts images into the machine's memory: see load.h. */
#include "machine/image/load.h"
#include <stdio.h>

static bool inside(const struct image_ram *ram, uint64_t address, uint64_t size) {
    return address >= ram->base && address - ram->base <= ram->size &&
           size <= ram->size - (address - ram->base);
}

static bool overlap(const struct elf_segment *a, const struct elf_segment *b) {
    return a->paddr < b->paddr + b->size && b->paddr < a->paddr + a->size;
}

static bool check_place(const struct elf *elf, unsigned number, const struct image_ram *ram,
                        char *error, size_t error_size) {
    const struct elf_segment *s = &elf->segment[number];
    unsigned long long start = s->paddr, end = s->paddr + s->size;
    unsigned long long ram_start = ram->base, ram_end = ram->base + ram->size;
    if (!inside(ram, s->paddr, s->size)) {
        snprintf(error, error_size,
                 "%s: a segment of it, 0x%llx to 0x%llx, is not in the RAM, 0x%llx to 0x%llx",
                 elf->file.name, start, end, ram_start, ram_end);
        return false;
    }
    for (unsigned i = 0; i < number; i++) {
        if (overlap(s, &elf->segment[i])) {
            snprintf(error, error_size, "%s: two segments of it overlap at 0x%llx", elf->file.name,
                     start);
            return false;
        }
    }
    return true;
}

/* Physical first: where the two spaces share a number, paging is off. */
static bool find_entry(const struct elf *elf, uint64_t *entry, char *error, size_t error_size) {
    for (unsigned virtual = 0; virtual < 2; virtual ++) {
        for (unsigned i = 0; i < elf->segments; i++) {
            const struct elf_segment *s = &elf->segment[i];
            uint64_t offset = elf->entry - (virtual ? s->vaddr : s->paddr);
            if (offset < s->size && elf->entry % 2 == 0) {
                *entry = s->paddr + offset;
                return true;
            }
        }
    }
    snprintf(error, error_size, "%s: it is to begin at 0x%llx, where it has no instruction",
             elf->file.name, (unsigned long long)elf->entry);
    return false;
}

bool elf_load(const struct elf *elf, const struct image_ram *ram, uint64_t *entry, char *error,
              size_t error_size) {
    for (unsigned i = 0; i < elf->segments; i++) {
        if (!check_place(elf, i, ram, error, error_size))
            return false;
    }
    if (!find_entry(elf, entry, error, error_size))
        return false;
    for (unsigned i = 0; i < elf->segments; i++) {
        const struct elf_segment *s = &elf->segment[i];
        uint8_t *to = ram->bytes + (s->paddr - ram->base);
        memcpy(to, s->bytes, (size_t)s->file_size);
        memset(to + s->file_size, 0, (size_t)(s->size - s->file_size));
    }
    return true;
}

bool flat_load(const struct image_file *file, const struct image_ram *ram, uint64_t address,
               char *error, size_t error_size) {
    if (file->size == 0) {
        snprintf(error, error_size, "%s: it is empty", file->name);
        return false;
    }
    if (!inside(ram, address, file->size)) {
        snprintf(error, error_size, "%s: its %llu bytes do not fit into the RAM at 0x%llx",
                 file->name, (unsigned long long)file->size, (unsigned long long)address);
        return false;
    }
    memcpy(ram->bytes + (address - ram->base), file->bytes, (size_t)file->size);
    return true;
}

bool image_load(const struct image_file *file, const struct image_ram *ram, uint64_t flat_address,
                uint64_t *entry, char *error, size_t error_size) {
    struct elf elf;
    if (elf_is(file))
        return elf_open(&elf, file, error, error_size) &&
               elf_load(&elf, ram, entry, error, error_size);
    if (!flat_load(file, ram, flat_address, error, error_size))
        return false;
    *entry = flat_address;
    return true;
}
