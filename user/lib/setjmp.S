/* setjmp and longjmp: a0 = jmp_buf, whose layout stands in setjmp.h; a1 = the value. */
    .macro each_register integer, float
    \integer ra, 0(a0)
    \integer sp, 8(a0)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    \integer s\n, 16 + 8 * \n(a0)
#ifdef __riscv_flen
    \float  fs\n, 112 + 8 * \n(a0)
#endif
    .endr
    .endm

    .section .text.setjmp, "ax"
    .globl setjmp
setjmp:
    each_register sd, fsd
    li      a0, 0
    ret

    .section .text.longjmp, "ax"
    .globl longjmp
longjmp:
    each_register ld, fld
    seqz    a0, a1              /* 1 for 0 */
    add     a0, a0, a1
    ret
