# void swtch(struct context *old, struct context *next, uint64_t satp)
    .text
    .globl swtch
swtch:
    sd ra, 0(a0)
    sd sp, 8(a0)
    sd s0, 16(a0)
    sd s1, 24(a0)
    sd s2, 32(a0)
    sd s3, 40(a0)
    sd s4, 48(a0)
    sd s5, 56(a0)
    sd s6, 64(a0)
    sd s7, 72(a0)
    sd s8, 80(a0)
    sd s9, 88(a0)
    sd s10, 96(a0)
    sd s11, 104(a0)
    csrr t0, satp
    beq t0, a2, 1f
    csrw satp, a2                   # the old stack is used no more, the next not yet
    slli t1, t0, 4                  # t1 = the ASID that we leave
    srli t1, t1, 48                 # Many tables share ASID 0: flush it on leaving, before
    bnez t1, 1f                     # the new stack is touched, and before the old tables
    sfence.vma zero, t1             # may be freed.
1:  ld ra, 0(a1)
    ld sp, 8(a1)
    ld s0, 16(a1)
    ld s1, 24(a1)
    ld s2, 32(a1)
    ld s3, 40(a1)
    ld s4, 48(a1)
    ld s5, 56(a1)
    ld s6, 64(a1)
    ld s7, 72(a1)
    ld s8, 80(a1)
    ld s9, 88(a1)
    ld s10, 96(a1)
    ld s11, 104(a1)
    ret

# Where a process starts in the kernel: ra = here, s0 = 0 ends backtraces,
# s1 = what to call, which does not return.
    .globl context_start
context_start:
    jalr s1
    unimp
