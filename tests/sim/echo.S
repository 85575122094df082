# Echoes lines after a prompt, the way a shell reads them: it takes a byte when there is one.
    .section .text.first
    .globl _start
_start:
    li s0, 0x10000000
1:  li a0, '$'
    sb a0, 0(s0)
    li a0, ' '
    sb a0, 0(s0)
2:  lbu a1, 5(s0)               # LSR: data ready
    andi a1, a1, 1
    beqz a1, 2b
    lbu a0, 0(s0)
    sb a0, 0(s0)
    li a1, '\n'
    bne a0, a1, 2b
    j 1b
