# The first instructions of every hart. The firmware enters in supervisor mode with
# translation off (SBI specification, 9 HSM): a0 = hart id, a1 = device tree for
# the hart that boots. The kernel is linked at KERNEL_HALF + LOAD_ADDRESS, and runs at
# KERNEL_HALF + the physical address where it was loaded; until satp is set, only
# pc-relative code runs.
#
# All harts enter at _start, and the first one boots: OpenSBI 1.1 marks a hart as
# to be started before it stores where, so a hart that is awake at that moment
# comes in at the address of the first entry whatever hart_start was told.

#include "arch/asm.h"

# The header of an image that boot loaders know (Linux, "Boot image header in RISC-V").
    .section .entry, "ax"
    .globl _start
_start:
    .option push
    .option norvc
    j start
    nop
    .option pop
    .dword IMAGE_OFFSET             # from the start of RAM, or from a multiple of 2 MiB
    .dword kernel_end - kernel_start
    .dword 0                        # flags: little endian
    .word 2                         # version 0.2
    .word 0
    .dword 0
    .ascii "RISCV\0\0\0"
    .ascii "RSC\x05"
    .word 0

start:
    csrw sie, zero
    lla t0, park
    csrw stvec, t0
    lla t0, booted
    li t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez t1, secondary
    # Memory that is zero at the start: whoever loads a plain image knows nothing of it.
    lla t0, bss_start
    lla t1, kernel_end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    # The addresses that the image has in it are those that it was linked for. Where it is
    # somewhere else, each becomes the right one: the table has their offsets in it.
    lla t0, _start
    li t1, LOAD_ADDRESS
    sub t2, t0, t1
    beqz t2, 3f
    lla t1, relocations
    lla t3, relocations_end
2:  lwu t4, 0(t1)
    add t4, t4, t0
    ld t5, 0(t4)
    add t5, t5, t2
    sd t5, 0(t4)
    addi t1, t1, 4
    bltu t1, t3, 2b
3:
    # The boot table: every GiB of physical memory at KERNEL_HALF, in 256
    # leaves of 1 GiB. kmap_init makes the real one and leaves this.
    lla t0, boot_root
    addi t1, t0, 2040
    addi t1, t1, 8                  # entry 256
    li t2, BOOT_LEAF
    li t3, 256
1:  sd t2, 0(t1)
    li t4, 1 << 28                  # 1 GiB as a page number, in an entry
    add t2, t2, t4
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, 1b
    srli t0, t0, 12
    li t1, SATP_MODE_SV39 << SATP_MODE_SHIFT
    or t0, t0, t1
    lla t2, harts                   # the first hart's record
    lla t3, hart_stacks
    li t4, KSTACK_SLOT
    add t3, t3, t4
    mv a2, zero
    j enable

# The record with this hart's id, which the first hart has filled in, and with it
# the stack.
secondary:
    lla t2, harts
    lla t3, hart_stacks
    li t4, KSTACK_SLOT
1:  add t3, t3, t4
    ld t1, HART_ID(t2)
    beq t1, a0, 2f
    addi t2, t2, HART_SIZE
    j 1b
2:  lla t0, kernel_satp
    ld t0, 0(t0)
    li a2, 1

# t0 = satp, t2 = hart record, t3 = top of stack, both physical. Writing satp
# makes the next fetch fault, since the table does not map this code here; the
# trap vector is where it goes on, at the high address. Where satp cannot have this
# mode it keeps its old value, and nothing faults. The boot table is Sv39's, which every
# hart has that has more levels (4.5, 4.6); kmap_init's may have more.
enable:
    li t4, KERNEL_HALF
    add tp, t2, t4
    add sp, t3, t4
    lla t1, 4f
    add t1, t1, t4
    csrw stvec, t1
    sfence.vma
    csrw satp, t0
    beqz a2, no_sv39
    lla t0, hart_refuses            # the first hart waits for us, and goes on without
    li t1, 1
    sw t1, 0(t0)
    j park
    .balign 4
4:  sfence.vma
    lla t0, park
    csrw stvec, t0
    li s0, 0
    bnez a2, 3f
    call kernel_main                # (hartid, device tree's physical address)
3:  call kernel_main_secondary

# Says so through the firmware's console, which for a byte is one call, by its newer
# extension or by the legacy one (SBI specification, 12.3 and 5.2), and ends (10.1).
no_sv39:
    lla s0, no_sv39_text
1:  lbu s1, 0(s0)
    beqz s1, 2f
    mv a0, s1
    li a6, SBI_CONSOLE_WRITE_BYTE
    li a7, SBI_CONSOLE
    ecall
    addi s0, s0, 1
    beqz a0, 1b
    mv a0, s1
    li a7, SBI_CONSOLE_PUTCHAR
    ecall
    j 1b
2:  li a0, 0                        # shutdown
    li a1, 1                        # system failure
    li a6, 0
    li a7, SBI_RESET
    ecall
    .balign 4
park:                               # a trap before there is a vector: stop here
    wfi
    j park

    .section .rodata
no_sv39_text:
    .asciz "Trellis: this hart cannot translate addresses (Sv39), which Trellis needs\n"

    .data
    .balign 4
booted:
    .word 0
    .globl hart_refuses
hart_refuses:                       # satp of a hart that was started does not take kernel_satp
    .word 0

    .bss
    .balign 4096
boot_root:
    .skip 4096
    .globl hart_stacks
    .balign KSTACK_SLOT
hart_stacks:                        # a stack is the upper half of its slot
    .skip KSTACK_SLOT * NHART
