# Waits for its timer, not for the UART, and powers off.
    .section .text.first
    .globl _start
_start:
    li t0, 0x2004000            # mtimecmp: 10 ms
    li t1, 100000
    sd t1, 0(t0)
    li t1, 1 << 7
    csrw mie, t1
    wfi
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
1:  j 1b
