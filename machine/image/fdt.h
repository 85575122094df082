/* The flattened device tree (Devicetree Specification 0.4, chapter 5) of the machine: the part of
 * QEMU's `virt` board that it has, at the same addresses and with the same interrupts. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { FDT_HARTS_MAX = 8, FDT_TIMEBASE_HZ = 10000000 };

struct fdt_machine {
    unsigned harts; /* 1 to FDT_HARTS_MAX */
    uint64_t ram_base, ram_bytes;
    const char *isa;                   /* of all harts, as "riscv,isa" has it: rv64imafdc_zicsr */
    unsigned levels;                   /* of page tables at most: 3 (Sv39) to 5 (Sv57) */
    const char *bootargs;              /* NULL: none */
    uint64_t initrd_start, initrd_end; /* nothing between them: no initrd */
    uint64_t seed;                     /* "rng-seed" follows from it */
};

/* Writes the tree. Its size, a multiple of 8 bytes; -1: the room is too small (8 KiB and what the
 * texts need are enough for 8 harts), and what stands there has no meaning. */
int64_t fdt_build(const struct fdt_machine *machine, uint8_t *out, size_t room);
