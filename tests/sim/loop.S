# A loop of arithmetic, for tools/bench_sim.py: 200 million rounds, and the end.
    .section .text.first
    .globl _start
_start:
    csrr a0, mhartid
    bnez a0, 2f
    li a0, 200000000
    li a1, 1
    li a2, 0x9e3779b9
1:  add a3, a1, a2
    xor a1, a3, a0
    slli a4, a1, 7
    srli a5, a1, 9
    or a4, a4, a5
    mul a1, a4, a2
    addi a0, a0, -1
    bnez a0, 1b
    li a0, 0x100000
    li a1, 0x5555
    sw a1, 0(a0)
2:  wfi
    j 2b
