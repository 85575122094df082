/* What the C guests of the machine begin with: names of types, and their start.
 *
 * GUEST_START(BYTES, MORE) is the entry: each of two harts gets a stack of so many bytes,
 * executes MORE, which may be lines of assembly, and calls start with its number. */
#pragma once
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

#define NOINLINE __attribute__((noinline))

#define GUEST_START(BYTES, MORE) \
    __asm__(".section .text.first, \"ax\"\n" \
            ".globl _start\n" \
            "_start:\n" \
            "    csrr a0, mhartid\n" \
            "    lla sp, stacks\n" \
            "    addi t0, a0, 1\n" \
            "    li t1, " #BYTES "\n" \
            "    mul t0, t0, t1\n" \
            "    add sp, sp, t0\n" MORE "    call start\n" \
            ".text\n"); \
    u8 stacks[2][BYTES] __attribute__((aligned(4096)))
