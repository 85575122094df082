/* Where a program starts: a0 = argc, a1 = argv, sp below the arguments, which
 * may have left next to nothing of the one page of stack. Then, or when the
 * program names program_stack_bytes (trellis.h), it gets a stack from the heap;
 * below that the first page still ends in a guard page. */
    .equ    SYS_exit, 2         /* as in lib/abi.h: syscalls.c checks it */
    .equ    SYS_sbrk, 12
    .equ    ENOUGH, 2048        /* bytes of stack that programs get by with */
    .equ    DEFAULT, 16384      /* bytes given instead of less */

    .section .text.start, "ax"
    .globl _start
    .weak program_stack_bytes
_start:
    li      fp, 0               /* the chain of frames ends here */
    mv      s1, a0
    mv      s2, a1
    li      s3, DEFAULT
    la      t0, program_stack_bytes
    beqz    t0, 1f
    ld      s3, 0(t0)
    j       2f
1:
    slli    t0, sp, 52          /* what is left of the page: sp mod 4096 */
    srli    t0, t0, 52
    li      t1, ENOUGH
    bgeu    t0, t1, 3f
2:
    mv      a0, s3              /* sbrk, without a stack to call it */
    li      a7, SYS_sbrk
    ecall
    bltz    a0, 4f
    add     sp, a0, s3
    andi    sp, sp, -16
3:
    mv      a0, s1
    mv      a1, s2
    call    main
    call    exit
4:
    li      a0, 127
    li      a7, SYS_exit
    ecall
