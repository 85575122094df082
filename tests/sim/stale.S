/* Code that is changed as it runs, mostly without a fence.i: what is executed depends on when it
 * was fetched. Prints the sum of what the changed instruction has added. */
    .equ ROUNDS, 20000
    .include "print.S"

    .section .text.first, "ax"
    .globl _start
_start:
    lla sp, stack_end
    li s4, 0                        /* the sum */
    li s5, 0                        /* the round */
    li s6, ROUNDS
1:  andi t0, s5, 63                 /* each 64th writes an ADDI with another constant */
    bnez t0, 2f
    slli t0, s5, 14
    srli t0, t0, 14 + 6
    andi t0, t0, 1023
    slli t0, t0, 20
    li t1, 0xa0a13                  /* addi s4, s4, 0 */
    or t0, t0, t1
    lla t1, changed
    sw t0, (t1)
2:  li t0, 1023                     /* each 1024th fences */
    and t0, s5, t0
    bnez t0, 3f
    fence.i
3:  call changed
    addi s5, s5, 1
    bltu s5, s6, 1b
    mv a0, s4
    call print
    j say_end

    .balign 4096
changed:
    .word 0x000a0a13
    ret
    .balign 16
dump:
    .dword 0
    .skip 64
stack_end:
