/* Where a program starts: a0 = argc, a1 = argv, a2 = envp or 0, sp below the arguments. The stack
 * is as large as the program was linked for (user.ld). */
    .section .text.start, "ax"
    .globl _start
_start:
    li      fp, 0               /* the chain of frames ends here */
    la      t0, environ
    sd      a2, 0(t0)
    call    main
    call    exit
