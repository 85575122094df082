/* The start of the machine: the first hart goes on behind this, with no interrupt enabled. */
    .section .text.first, "ax"
    .globl _start
_start:
    csrr t0, mhartid
    csrw mie, zero
    beqz t0, 1f
0:  wfi                             /* other harts have no part in it */
    j 0b
1:
