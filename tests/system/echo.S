/* A kernel of M-mode that sleeps until a key comes and prints it, without any timer; q ends it.
 * For tests/system/test_live.py. */
    .equ PLIC, 0xc000000
    .equ PLIC_ENABLE, 0xc002000     /* of hart 0 in M-mode */
    .equ PLIC_CLAIM, 0xc200004
    .equ SOURCE, 10                 /* the UART */
    .equ IER, 1
    .equ LSR_DR, 1
    .equ MEIE, 1 << 11

    .section .text.first
    .global _start
_start:
    li t0, PLIC
    li t1, 1
    sw t1, 4 * SOURCE(t0)
    li t0, PLIC_ENABLE
    li t1, 1 << SOURCE
    sw t1, (t0)
    li t0, 0x10000000               /* the UART */
    li t1, 1
    sb t1, IER(t0)
    li t1, MEIE
    csrw mie, t1
    li a0, '>'
    call put
1:  wfi
    li s1, PLIC_CLAIM
    lw s2, (s1)
    li s3, 0x10000000
2:  lbu t1, 5(s3)
    andi t1, t1, LSR_DR
    beqz t1, 3f
    lbu a0, (s3)
    call put
    li t0, 'q'
    bne a0, t0, 2b
    j say_end
3:  sw s2, (s1)
    j 1b
    .balign 8
dump: .dword 0
    .include "print.S"
