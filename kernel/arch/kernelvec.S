# Traps from the kernel itself: a fault in a copy routine, an interrupt while the
# hart idles, or a bug. All registers are saved on the stack in use.

#include "arch/asm.h"

#define FRAME 288

    .text
    .globl kernel_vector
    .balign 4
kernel_vector:
    csrw sscratch, t0               # free in the kernel: trampoline_return sets it
    addi sp, sp, -FRAME
    ld t0, HART_TRAPPING(tp)
    bnez t0, lost                   # a store below has faulted
    csrr t0, sepc                   # such a fault would overwrite them
    sd t0, HART_SEPC(tp)
    csrr t0, scause
    sd t0, HART_SCAUSE(tp)
    csrr t0, stval
    sd t0, HART_STVAL(tp)
    slli t0, sp, 63 - KSTACK_UPPER_BIT
    bgez t0, overflow
    sd sp, HART_TRAPPING(tp)
    csrr t0, sscratch
    sd ra, 0(sp)
    sd gp, 16(sp)
    sd tp, 24(sp)
    sd t0, 32(sp)
    sd t1, 40(sp)
    sd t2, 48(sp)
    sd s0, 56(sp)
    sd s1, 64(sp)
    sd a0, 72(sp)
    sd a1, 80(sp)
    sd a2, 88(sp)
    sd a3, 96(sp)
    sd a4, 104(sp)
    sd a5, 112(sp)
    sd a6, 120(sp)
    sd a7, 128(sp)
    sd s2, 136(sp)
    sd s3, 144(sp)
    sd s4, 152(sp)
    sd s5, 160(sp)
    sd s6, 168(sp)
    sd s7, 176(sp)
    sd s8, 184(sp)
    sd s9, 192(sp)
    sd s10, 200(sp)
    sd s11, 208(sp)
    sd t3, 216(sp)
    sd t4, 224(sp)
    sd t5, 232(sp)
    sd t6, 240(sp)
    addi t0, sp, FRAME
    sd t0, 8(sp)
    csrr t0, sepc
    csrr t1, sstatus
    csrr t2, scause
    csrr t3, stval
    sd t0, 248(sp)
    sd t1, 256(sp)
    sd t2, 264(sp)
    sd t3, 272(sp)
    sd zero, HART_TRAPPING(tp)
    # A call frame for backtraces, as if the interrupted function had called us.
    addi sp, sp, -16
    sd s0, 0(sp)
    sd t0, 8(sp)
    addi s0, sp, 16
    addi a0, sp, 16
    call trap_kernel                # void trap_kernel(struct kernel_frame *)
    addi sp, sp, 16
    ld t0, 248(sp)
    ld t1, 256(sp)
    csrw sepc, t0
    csrw sstatus, t1
    ld ra, 0(sp)
    ld gp, 16(sp)
    ld t0, 32(sp)                   # not tp: it names the hart that runs now
    ld t1, 40(sp)
    ld t2, 48(sp)
    ld s0, 56(sp)
    ld s1, 64(sp)
    ld a0, 72(sp)
    ld a1, 80(sp)
    ld a2, 88(sp)
    ld a3, 96(sp)
    ld a4, 104(sp)
    ld a5, 112(sp)
    ld a6, 120(sp)
    ld a7, 128(sp)
    ld s2, 136(sp)
    ld s3, 144(sp)
    ld s4, 152(sp)
    ld s5, 160(sp)
    ld s6, 168(sp)
    ld s7, 176(sp)
    ld s8, 184(sp)
    ld s9, 192(sp)
    ld s10, 200(sp)
    ld s11, 208(sp)
    ld t3, 216(sp)
    ld t4, 224(sp)
    ld t5, 232(sp)
    ld t6, 240(sp)
    addi sp, sp, FRAME
    sret

# The stack cannot be used: it is used up, or sp is not on a stack of the table that satp
# has. Go on on an emergency stack, to say so. One is enough, since the machine stops. The
# frame has the first trap.
lost:
    mv sp, t0                       # as that trap has left it
    li a1, 1
    j emergency
overflow:
    li a1, 0
emergency:
    addi t0, sp, FRAME
    la sp, emergency_stack_top - FRAME
    sd t0, 8(sp)
    ld t0, HART_SEPC(tp)
    sd t0, 248(sp)
    ld t0, HART_SCAUSE(tp)
    sd t0, 264(sp)
    ld t0, HART_STVAL(tp)
    sd t0, 272(sp)
    sd ra, 0(sp)
    sd s0, 56(sp)
    sd zero, HART_TRAPPING(tp)
    mv a0, sp
    li s0, 0
    call trap_stack_unusable        # void trap_stack_unusable(struct kernel_frame *, bool lost)

    .bss
    .balign KSTACK_SLOT
    .skip KSTACK_SLOT
emergency_stack_top:
