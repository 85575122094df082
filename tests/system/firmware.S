# A firmware for tests, for QEMU's virt with one hart. Of SBI it has what OpenSBI 1.1 has
# not, the console's own extension (12.3, one byte), and the end (10.1); nothing else is
# there. Nobody stands in for a counter that supervisor mode may not read.
    .globl _start
_start:
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f                     # all addresses, R W X
    csrw pmpcfg0, t0
    lla t0, call
    csrw mtvec, t0
    li t0, 0xb1ff                   # all exceptions but a call from supervisor mode
    csrw medeleg, t0
    li t0, 0x222
    csrw mideleg, t0
    csrw mcounteren, zero
    li t0, 1 << 11                  # go on in supervisor mode
    csrw mstatus, t0
    li t0, 0x80200000
    csrw mepc, t0
    mret                            # a0, a1: as the machine gave them

    .balign 4
call:                               # a0 and a1 are the caller's to lose
    li a1, 0x4442434e
    bne a7, a1, 1f
    li a1, 2                        # write a byte
    bne a6, a1, 3f
    li a1, 0x10000000               # the UART
    sb a0, 0(a1)
    li a0, 0
    j 4f
1:  li a1, 0x53525354
    bne a7, a1, 3f
    li a1, 0x100000                 # the test finisher
    li a0, 0x5555
    sw a0, 0(a1)
2:  j 2b
3:  li a0, -2                       # not supported
4:  csrr a1, mepc
    addi a1, a1, 4
    csrw mepc, a1
    mret
