# The first instructions of every hart. The firmware enters in supervisor mode with
# translation off (SBI specification, 9 HSM): a0 = hart id, a1 = device tree for
# the hart that boots. The kernel is linked at KERNEL_HALF + its physical address;
# until satp is set, only pc-relative code runs.
#
# All harts enter at _start, and the first one boots: OpenSBI 1.1 marks a hart as
# to be started before it stores where, so a hart that is awake at that moment
# comes in at the address of the first entry whatever hart_start was told.

#include "arch/asm.h"

    .section .entry, "ax"
    .globl _start
_start:
    csrw sie, zero
    lla t0, booted
    li t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez t1, secondary
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
# trap vector is where it goes on, at the high address.
enable:
    li t4, KERNEL_HALF
    add tp, t2, t4
    add sp, t3, t4
    lla t1, 4f
    add t1, t1, t4
    csrw stvec, t1
    sfence.vma
    csrw satp, t0
    .balign 4
4:  sfence.vma
    lla t0, park
    csrw stvec, t0
    li s0, 0
    bnez a2, 3f
    call kernel_main                # (hartid, device tree's physical address)
3:  call kernel_main_secondary

    .balign 4
park:                               # a trap before there is a vector: stop here
    wfi
    j park

    .data
    .balign 4
booted:
    .word 0

    .bss
    .balign 4096
boot_root:
    .skip 4096
    .globl hart_stacks
    .balign KSTACK_SLOT
hart_stacks:                        # a stack is the upper half of its slot
    .skip KSTACK_SLOT * NHART
