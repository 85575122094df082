# A program that ends as instruction-set tests do: it prints by both calls of HTIF, and then tells
# its status, which stands in `status`.
    .section .text.first
    .globl _start
_start:
    la s0, tohost
    la a0, 1f                   # prints a byte
    li t0, 0x0101000000000041
    jal ask
1:  la a0, call                 # writes a text
    mv t0, a0
    jal ask
    ld t1, 0(a0)
    la a1, begin_signature
    sd t1, 0(a1)
    lw t0, status
    slli t0, t0, 1
    ori t0, t0, 1
    sw t0, 0(s0)                # as the suites do, by halves
    sw zero, 4(s0)
2:  j 2b
ask:
    sd t0, 0(s0)
1:  ld t2, 8(s0)                # fromhost
    beqz t2, 1b
    sd zero, 8(s0)
    ret

    .data
    .balign 64
    .globl tohost, fromhost, begin_signature, end_signature
tohost: .dword 0
fromhost: .dword 0
call: .dword 64, 1, text, 4
status: .word STATUS
text: .ascii "BCD\n"
    .balign 8
begin_signature:
    .dword -1
    .word 0x12345678
end_signature:
