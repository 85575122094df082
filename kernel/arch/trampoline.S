# The way between user and kernel. This page is mapped at the same address,
# TRAMPOLINE, in every table, so that satp can change under it.
#
# In user mode stvec points to trampoline_vector, and sscratch holds the address at which the
# user's table has the thread's trapframe.
# satp is written only where user and kernel have different tables.
# The ASID of a user's table is odd, or 0 where harts have no ASIDs: then the TLB is
# emptied with each switch of satp.

    .section .trampoline, "ax"
    .balign 4096
    .globl trampoline_page, trampoline_vector, trampoline_return
trampoline_page:

    .balign 4
trampoline_vector:
    csrrw a0, sscratch, a0          # a0 = trapframe, sscratch = the user's a0
    sd ra, 40(a0)
    sd sp, 48(a0)
    sd gp, 56(a0)
    sd tp, 64(a0)
    sd t0, 72(a0)
    sd t1, 80(a0)
    sd t2, 88(a0)
    sd s0, 96(a0)
    sd s1, 104(a0)
    csrr t0, sscratch
    sd a1, 120(a0)
    sd a2, 128(a0)
    sd a3, 136(a0)
    sd a4, 144(a0)
    sd a5, 152(a0)
    sd a6, 160(a0)
    sd a7, 168(a0)
    sd s2, 176(a0)
    sd s3, 184(a0)
    sd s4, 192(a0)
    sd s5, 200(a0)
    sd s6, 208(a0)
    sd s7, 216(a0)
    sd s8, 224(a0)
    sd s9, 232(a0)
    sd s10, 240(a0)
    sd s11, 248(a0)
    sd t3, 256(a0)
    sd t4, 264(a0)
    sd t5, 272(a0)
    sd t6, 280(a0)
    sd t0, 112(a0)
    ld sp, 8(a0)
    ld tp, 24(a0)
    ld t0, 16(a0)
    ld t1, 0(a0)
    csrr t2, satp
    beq t1, t2, 2f
    csrw satp, t1
    slli t2, t2, 63 - 44            # the ASID of the table that we left: odd
    bltz t2, 2f
    sfence.vma
2:  li s0, 0                        # backtraces end here
    jalr t0                         # struct user_view trap_user(void), in a0 and a1

trampoline_return:                  # a0 = the user's satp, a1 = its address of the trapframe
    csrr t0, satp
    beq a0, t0, 3f
    csrw satp, a0
    slli t0, a0, 63 - 44
    bltz t0, 3f
    sfence.vma
3:  lla t0, trampoline_vector       # relative to pc: the address that every table has
    csrw stvec, t0
    csrw sscratch, a1               # for the next trap
    mv a0, a1
    ld ra, 40(a0)
    ld sp, 48(a0)
    ld gp, 56(a0)
    ld tp, 64(a0)
    ld t0, 72(a0)
    ld t1, 80(a0)
    ld t2, 88(a0)
    ld s0, 96(a0)
    ld s1, 104(a0)
    ld a1, 120(a0)
    ld a2, 128(a0)
    ld a3, 136(a0)
    ld a4, 144(a0)
    ld a5, 152(a0)
    ld a6, 160(a0)
    ld a7, 168(a0)
    ld s2, 176(a0)
    ld s3, 184(a0)
    ld s4, 192(a0)
    ld s5, 200(a0)
    ld s6, 208(a0)
    ld s7, 216(a0)
    ld s8, 224(a0)
    ld s9, 232(a0)
    ld s10, 240(a0)
    ld s11, 248(a0)
    ld t3, 256(a0)
    ld t4, 264(a0)
    ld t5, 272(a0)
    ld t6, 280(a0)
    ld a0, 112(a0)
    sret
    .balign 4096
