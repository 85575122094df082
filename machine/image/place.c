/* What stands in the source where an address is: see place.h. */
#include "machine/image/place.h"
#include <stdio.h>

bool place_image_read(struct place_image *image, const struct elf *elf) {
    *image = (struct place_image){.elf = *elf};
    if (symbols_read(&image->symbols, elf) && lines_read(&image->lines, elf))
        return true;
    place_image_free(image);
    return false;
}

void place_image_free(struct place_image *image) {
    symbols_free(&image->symbols);
    lines_free(&image->lines);
}

static bool find_virtual(const struct place_image *image, uint64_t address, struct place *place) {
    place->symbol = symbols_find(&image->symbols, address, &place->offset);
    bool has_line = lines_find(&image->lines, address, &place->line);
    return place->symbol || has_line;
}

static bool find_physical(const struct place_image *image, uint64_t address, struct place *place) {
    for (unsigned i = 0; i < image->elf.segments; i++) {
        const struct elf_segment *s = &image->elf.segment[i];
        if (address - s->paddr < s->size)
            return find_virtual(image, address - s->paddr + s->vaddr, place);
    }
    return false;
}

bool place_find(const struct place_image *images, size_t count, uint64_t address,
                struct place *place) {
    *place = (struct place){0};
    for (size_t i = 0; i < count; i++) {
        if (find_virtual(&images[i], address, place))
            return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (find_physical(&images[i], address, place))
            return true;
    }
    return false;
}

static const char *last_component(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void place_text(const struct place_image *images, size_t count, uint64_t address, char *buffer,
                size_t size) {
    struct place place;
    if (!place_find(images, count, address, &place)) {
        snprintf(buffer, size, "0x%llx", (unsigned long long)address);
        return;
    }
    const char *file = place.line.line ? last_component(place.line.file) : "";
    unsigned long line = place.line.line;
    if (place.symbol && line)
        snprintf(buffer, size, "%s:%lu (%s)", file, line, place.symbol);
    else if (line)
        snprintf(buffer, size, "%s:%lu", file, line);
    else if (place.offset)
        snprintf(buffer, size, "%s+0x%llx", place.symbol, (unsigned long long)place.offset);
    else
        snprintf(buffer, size, "%s", place.symbol);
}

uint64_t place_physical(const struct place_image *image, uint64_t va) {
    for (unsigned i = 0; i < image->elf.segments; i++) {
        const struct elf_segment *s = &image->elf.segment[i];
        if (va - s->vaddr < s->size)
            return va - s->vaddr + s->paddr;
    }
    return va;
}
