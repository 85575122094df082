/* Where a program starts: a0 = argc, a1 = argv, a2 = envp or 0, sp below the arguments. The stack
 * is as large as the program was linked for, and its thread-local variables stand where user.ld
 * says. */
    .section .text.start, "ax"
    .globl _start
_start:
    li      fp, 0               /* the chain of frames ends here */
    la      t0, environ
    sd      a2, 0(t0)
    la      tp, first_thread_block
    la      t0, thread_data     /* what they begin as; the rest is 0 already */
    la      t1, thread_data_end
    mv      t2, tp
    bgeu    t0, t1, 2f
1:  ld      t3, (t0)
    sd      t3, (t2)
    addi    t0, t0, 8
    addi    t2, t2, 8
    bltu    t0, t1, 1b
2:  call    main
    call    exit
