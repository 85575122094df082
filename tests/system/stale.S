/* A kernel of M-mode that changes an instruction which it has executed, and executes it again
 * without fence.i. For tests/system/test_live.py. */
    .section .text.first
    .global _start
_start:
    call change
    lla t0, change
    li t1, 0x00200513               /* li a0, 2 */
    sw t1, (t0)
    call change
    j say_end
    .balign 8
    .option norvc
change:
    li a0, 1
    ret
dump: .dword 0
    .include "print.S"
