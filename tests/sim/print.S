/* Printing on the UART, and the end of the machine. */
    .equ UART, 0x10000000
    .equ UART_LSR, 5
    .equ LSR_THRE, 0x20
    .equ FINISHER, 0x100000
    .equ FINISHER_PASS, 0x5555

    .text
/* Prints the numbers from s1 to s2: a hash of them, or with `dump` all. */
print_numbers:
    mv s3, ra
    lla t0, dump
    ld t0, (t0)
    bnez t0, 2f
    li a0, 0x123456789              /* xorshift, with each number put in */
1:  ld t0, (s1)
    addi s1, s1, 8
    xor a0, a0, t0
    slli t0, a0, 13
    xor a0, a0, t0
    srli t0, a0, 7
    xor a0, a0, t0
    slli t0, a0, 17
    xor a0, a0, t0
    addi a0, a0, 1
    bltu s1, s2, 1b
    call print
    j 3f
2:  ld a0, (s1)
    addi s1, s1, 8
    call print
    bltu s1, s2, 2b
3:  li a0, '\n'
    call put
    jr s3

/* Prints a0 in hexadecimal without zeros before it, and a blank; uses t0 to t5. */
print:
    li t2, 60
1:  srl t3, a0, t2
    andi t3, t3, 15
    bnez t3, 2f
    addi t2, t2, -4
    bgtz t2, 1b
2:  mv t4, a0
    mv t5, ra
3:  srl t3, t4, t2
    andi t3, t3, 15
    addi a0, t3, '0'
    li t0, 10
    blt t3, t0, 4f
    addi a0, t3, 'a' - 10
4:  call put
    addi t2, t2, -4
    bgez t2, 3b
    li a0, ' '
    call put
    mv ra, t5
    ret

/* Sends the byte a0; uses t0 and t1. */
put:
    li t0, UART
1:  lbu t1, UART_LSR(t0)
    andi t1, t1, LSR_THRE
    beqz t1, 1b
    sb a0, (t0)
    ret

/* Says so, and ends the machine. */
say_end:
    .irp letter, 'e', 'n', 'd', '\n'
    li a0, \letter
    call put
    .endr
    li t0, FINISHER
    li t1, FINISHER_PASS
    sw t1, (t0)
1:  j 1b
