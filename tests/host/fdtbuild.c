/* Builds device tree blobs: fdtbuild.h. Sizes are the tests', so they are only asserted. */
#include "fdtbuild.h"
#include "dev/fdt.h"
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 40

static uint8_t structure[16384], reservations[256];
static char strings[4096];
static uint32_t structure_size, strings_size, reservations_size;

static void store32(uint8_t *at, uint32_t v) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put32(uint32_t v) {
    assert(structure_size + 4 <= sizeof structure);
    store32(structure + structure_size, v);
    structure_size += 4;
}

static void put_bytes(const void *data, uint32_t n) {
    assert(structure_size + n + 4 <= sizeof structure);
    if (n)
        memcpy(structure + structure_size, data, n);
    structure_size += n;
    while (structure_size % 4)
        structure[structure_size++] = 0;
}

static uint32_t string_offset(const char *name) {
    for (uint32_t i = 0; i < strings_size; i += (uint32_t)strlen(strings + i) + 1)
        if (strcmp(strings + i, name) == 0)
            return i;
    uint32_t at = strings_size;
    assert(at + strlen(name) + 1 <= sizeof strings);
    memcpy(strings + at, name, strlen(name) + 1);
    strings_size += (uint32_t)strlen(name) + 1;
    return at;
}

void fdtb_start(void) { structure_size = strings_size = reservations_size = 0; }

void fdtb_reserve(uint64_t start, uint64_t size) {
    assert(reservations_size + 32 <= sizeof reservations);
    uint8_t *at = reservations + reservations_size;
    store32(at, (uint32_t)(start >> 32));
    store32(at + 4, (uint32_t)start);
    store32(at + 8, (uint32_t)(size >> 32));
    store32(at + 12, (uint32_t)size);
    reservations_size += 16;
}

void fdtb_begin(const char *name) {
    put32(1);
    put_bytes(name, (uint32_t)strlen(name) + 1);
}

void fdtb_end(void) { put32(2); }
void fdtb_nop(void) { put32(4); }

void fdtb_prop(const char *name, const void *data, uint32_t len) {
    put32(3);
    put32(len);
    put32(string_offset(name));
    put_bytes(data, len);
}

void fdtb_string(const char *name, const char *value) {
    fdtb_prop(name, value, (uint32_t)strlen(value) + 1);
}

void fdtb_cells(const char *name, uint32_t n, ...) {
    uint8_t cells[64 * 4];
    assert(n <= 64);
    va_list ap;
    va_start(ap, n);
    for (uint32_t i = 0; i < n; i++)
        store32(cells + 4 * i, va_arg(ap, uint32_t));
    va_end(ap);
    fdtb_prop(name, cells, 4 * n);
}

uint8_t *fdtb_finish(uint32_t *size) {
    put32(9);
    memset(reservations + reservations_size, 0, 16);
    uint32_t off_struct = HEADER + reservations_size + 16;
    uint32_t off_strings = off_struct + structure_size;
    *size = off_strings + strings_size;
    uint8_t *blob = malloc(*size);
    assert(blob);
    uint32_t header[] = {0xd00dfeed, *size, off_struct, off_strings,  HEADER,
                         17,         16,    0,          strings_size, structure_size};
    for (int i = 0; i < 10; i++)
        store32(blob + 4 * i, header[i]);
    memcpy(blob + HEADER, reservations, reservations_size + 16);
    memcpy(blob + off_struct, structure, structure_size);
    memcpy(blob + off_strings, strings, strings_size);
    return blob;
}

void fdtb_begin_machine(uint32_t cells) {
    fdtb_start();
    fdtb_begin("");
    fdtb_cells("#address-cells", 1, cells);
    fdtb_cells("#size-cells", 1, cells);
}

void fdtb_end_machine(void) {
    static uint8_t *blob;
    uint32_t size;
    fdtb_end();
    free(blob);
    blob = fdtb_finish(&size);
    int err = fdt_init(blob, size);
    assert(!err);
}
