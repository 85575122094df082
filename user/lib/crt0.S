/* Where a program starts: a0 = argc, a1 = argv, sp below the arguments.
 * A program that names program_stack_bytes (trellis.h) gets a stack of that
 * size from the heap, below which the first one still ends in a guard page. */
    .section .text.start, "ax"
    .globl _start
    .weak program_stack_bytes
_start:
    li      fp, 0               /* the chain of frames ends here */
    mv      s0, a0
    mv      s1, a1
    la      t0, program_stack_bytes
    beqz    t0, 1f
    ld      s2, 0(t0)
    mv      a0, s2
    call    sbrk
    bltz    a0, 2f
    add     sp, a0, s2
    andi    sp, sp, -16
1:
    mv      a0, s0
    mv      a1, s1
    li      s0, 0
    call    main
    call    exit
2:
    li      a0, 127
    call    _exit
