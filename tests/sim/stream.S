/* The frame of the programs that stream.py makes: runs each sequence from its registers, and says
 * what it left.
 *
 * A sequence runs in the mode that its record says, and jumps to `finish` at its end, where it
 * traps. All its traps come to `trap`, which notes and passes over the instruction. It may
 * change everything but mscratch and what makes traps come here.
 *
 * The part that stream.py writes: sequences (records), sequences_end, pool, dump (whether all is
 * printed, or a hash of it). */

    /* A record, in bytes. */
    .equ R_NUMBER, 0
    .equ R_CODE, 8
    .equ R_MSTATUS, 16
    .equ R_FCSR, 24
    .equ R_MEMORY, 32               /* where in the pool its memory begins */
    .equ R_X, 40                    /* x1 to x31 */
    .equ R_F, R_X + 31 * 8
    .equ R_SIZE, R_F + 32 * 8

    .equ LOG_ENTRIES, 48
    .equ TRAPS_MAX, 1000            /* more than any sequence has: it goes round */
    .equ SCRATCH_SIZE, 512

    .equ FS_DIRTY, 3 << 13
    .include "print.S"

    .include "start.S"
    csrw medeleg, zero
    csrw mideleg, zero
    csrw satp, zero
    li t0, (1 << 54) - 1            /* all memory, R W X, for all modes */
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    lla t0, trap
    csrw mtvec, t0
    li t0, 0
    csrw mcounteren, t0
    lla s0, sequences
next:
    lla t0, sequences_end
    bgeu s0, t0, end
    lla t0, current
    sd s0, (t0)
    call prepare

    li t0, FS_DIRTY
    csrs mstatus, t0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, R_F + \n * 8(s0)
    .endr
    ld t0, R_FCSR(s0)
    csrw fcsr, t0
    lla t0, x_regs
    csrw mscratch, t0
    sc.d t1, t0, (t0)               /* nothing is reserved */
    ld t0, R_CODE(s0)
    csrw mepc, t0
    ld t0, R_MSTATUS(s0)
    csrw mstatus, t0
    .irp n, 1,2,3,4,5,6,7,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, R_X + (\n - 1) * 8(s0)
    .endr
    ld s0, R_X + 7 * 8(s0)
    fence.i
    mret

/* Memory and control registers for the record s0. */
prepare:
    lla t0, x_regs
    lla t1, scratch
1:  sd zero, (t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    lla t2, pool
    ld t3, R_MEMORY(s0)
    add t2, t2, t3
    lla t1, scratch_end
1:  ld t3, (t2)
    sd t3, (t0)
    addi t2, t2, 8
    addi t0, t0, 8
    bltu t0, t1, 1b
    lla t0, finish
    lla t1, recover
    sd t0, (t1)
    csrw sscratch, zero
    csrw sepc, zero
    csrw scause, zero
    csrw stval, zero
    csrw mcause, zero
    csrw mtval, zero
    ret

    .balign 4
trap:                               /* sp becomes x_regs */
    csrrw sp, mscratch, sp
    sd t0, 5 * 8(sp)
    sd t1, 6 * 8(sp)
    sd t2, 7 * 8(sp)
    csrr t0, mepc
    lla t1, finish
    beq t0, t1, finished

    lla t1, traps
    ld t0, (t1)
    addi t2, t0, 1
    sd t2, (t1)
    li t1, TRAPS_MAX
    bgeu t0, t1, finished
    li t1, LOG_ENTRIES
    bgeu t0, t1, 1f
    lla t1, log
    slli t0, t0, 5
    add t1, t1, t0
    csrr t2, mcause
    sd t2, (t1)
    csrr t0, mepc
    sd t0, 16(t1)
    addi t2, t2, -3                 /* of a breakpoint mtval may be its address, or 0 */
    bnez t2, 2f
    csrr t2, mtval
    bne t2, t0, 2f
    csrw mtval, zero
2:  csrr t0, mtval
    sd t0, 8(t1)
    csrr t0, mstatus
    sd t0, 24(t1)
1:
    csrr t0, mcause                 /* after a fetch that failed, go on where it was said */
    li t1, (1 << 0) | (1 << 1) | (1 << 12)
    srl t1, t1, t0
    andi t1, t1, 1
    beqz t1, 1f
    lla t0, recover
    ld t0, (t0)
    j 3f
1:  csrr t0, mepc                   /* else after the instruction */
    lhu t1, (t0)
    andi t1, t1, 3
    li t2, 3
    addi t0, t0, 2
    bne t1, t2, 3f
    addi t0, t0, 2
3:  csrw mepc, t0
    ld t0, 5 * 8(sp)
    ld t1, 6 * 8(sp)
    ld t2, 7 * 8(sp)
    csrrw sp, mscratch, sp
    mret

    .balign 4
finish:
    ecall

finished:
    .irp n, 1,3,4,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, \n * 8(sp)
    .endr
    csrr t0, mscratch
    sd t0, 2 * 8(sp)
    mv s1, sp
    lla s2, state
    csrr t0, mstatus
    sd t0, 0(s2)
    li t1, FS_DIRTY
    csrs mstatus, t1
    csrr t0, fcsr
    sd t0, 8(s2)
    csrr t0, sscratch
    sd t0, 16(s2)
    csrr t0, sepc
    sd t0, 24(s2)
    csrr t0, stval
    sd t0, 32(s2)
    lla s2, f_regs
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, \n * 8(s2)
    .endr

    lla s0, current
    ld s0, (s0)
    ld a0, R_NUMBER(s0)
    call print
    lla s2, scratch_end
    call print_numbers
    addi s0, s0, R_SIZE
    j next

end:
    j say_end

    .data
    .balign 8
current: .dword 0
recover: .dword 0                   /* where to go on after a fetch that failed */
    .globl recover
/* What is compared, in the order of stream.py's NAMES. */
    .balign 8
x_regs:  .skip 32 * 8
f_regs:  .skip 32 * 8
state:   .skip 5 * 8                /* mstatus fcsr sscratch sepc stval */
traps:   .skip 8
log:     .skip LOG_ENTRIES * 32     /* of each trap mcause mtval mepc mstatus */
scratch: .skip SCRATCH_SIZE
scratch_end:
    .skip 512                       /* of nobody */
    .globl finish
    .globl scratch
