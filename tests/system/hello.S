/* A kernel of M-mode that says who it is and powers off: for tests/system/test_live.py. */
    .section .text.first
    .global _start
_start:
    lla a1, text
1:  lbu a0, (a1)
    beqz a0, say_end
    call put
    addi a1, a1, 1
    j 1b
text: .asciz "hello from M-mode\n"
    .balign 8
dump: .dword 0
    .include "print.S"
