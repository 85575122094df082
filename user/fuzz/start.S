/* The entry, and calls with nothing in between. */
    .section .text.start, "ax"
    .globl _start
_start:
    li      fp, 0
#ifdef FUZZ_LINUX
    ld      a0, 0(sp)           /* argc, and argv behind it */
    addi    a1, sp, 8
#endif
    la      tp, flows           /* the first thread's */
    call    begin

    .text
    .globl  raw_call
/* a0: number, a1: arguments, a2: where registers go afterwards. What a call keeps: all but a0. */
raw_call:
    addi    sp, sp, -16
    sd      s0, 0(sp)
    mv      s0, a2
    mv      a7, a0
    mv      t0, a1
    ld      a0, 0(t0)
    ld      a1, 8(t0)
    ld      a2, 16(t0)
    ld      a3, 24(t0)
    ld      a4, 32(t0)
    ld      a5, 40(t0)
    ecall
    sd      a1, 0(s0)
    sd      a2, 8(s0)
    sd      a3, 16(s0)
    sd      a4, 24(s0)
    sd      a5, 32(s0)
    sd      a7, 40(s0)
    ld      s0, 0(sp)
    addi    sp, sp, 16
    ret

    .globl  raw_clone
/* As Linux's clone has them. A thread with a stack of its own begins with its flow, in tp. */
raw_clone:
    mv      t0, a1
    li      a7, 220
    ecall
    bnez    a0, 1f
    beqz    t0, 1f
    mv      a0, tp
    call    flow_entry
1:  ret

    .globl  raw_return
/* a0: the number of sigreturn, a1: where the frame is to be */
raw_return:
    mv      a7, a0
    mv      sp, a1
    ecall
    ebreak

    .globl  set_tp
set_tp:
    mv      tp, a0
    ret
