/* Zeros: see zeros.h. */
#include "mm/zeros.h"
#include "lib/panic.h"
#include "mm/elf.h"
#include "mm/frame.h"

static paddr_t frame_of_zeros;

void zeros_boot_init(void) {
    if (frame_alloc(&frame_of_zeros))
        panic("no memory for a frame of zeros");
}

static paddr_t peek(struct object *o, uint64_t index) {
    frame_get(frame_single(frame_of_zeros));
    return frame_of_zeros;
}

static const struct object_ops zeros = {.peek = peek};

static const struct object_ops filled = {.peek = peek, .name = elf_name};

struct object zeros_filled = {&filled, .zeros = true, .filled = true};
struct object zeros_bss = {&zeros, "bss", .zeros = true};
struct object zeros_stack = {&zeros, "stack", .zeros = true, .guarded = true};
struct object zeros_heap = {&zeros, "heap", .zeros = true};
struct object zeros_mapped = {&zeros, "anonymous memory", .zeros = true};
