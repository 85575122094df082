/* The frame of the programs that privileged.py makes: runs each case, and says what it met.
 *
 * A case is code: it begins in M-mode, prepares registers, page tables (poke) and devices, and
 * goes with `enter` to its body, in a mode and under the translation that it chose. The body
 * ends with a jump to `finish`. Traps come to M's handler, or to S's when they are delegated;
 * both note the event and go on: behind the instruction; after a fetch that failed at s11; after
 * an interrupt where it came, with the interrupt disabled. The body may change t0 to t3, a0 to
 * a5 (what it found) and s11; s10 is its address.
 *
 * With translation S sees RAM where it is, and the devices; U sees RAM at ALIAS above, and so
 * has its body there.
 *
 * The part that privileged.py writes: cases (number and code of each), cases_end, dump. */

    .equ RAM, 0x80000000
    .equ ALIAS, 0x40000000
    .equ CLINT_MSIP, 0x2000000
    .equ CLINT_MTIMECMP, 0x2004000
    .equ CLINT_MTIME, 0x200bff8
    .equ S_INTERRUPTS, 0x222
    .equ MEDELEG_COMPARED, 0xb3ff

    .equ EVENTS, 12
    .equ EVENT_SIZE, 40
    .equ WATCHED, 16
    .equ CSRS, 14

    .equ PTE_POINTER, 1
    .equ PTE_DEVICES, 0xc7          /* D A W R V */
    .equ PTE_RAM, 0xcf              /* D A X W R V */
    .equ PTE_RAM_U, 0xdf
    .equ RETURN, 0x8082             /* c.jr ra */

    .include "print.S"
    .option norvc

/* a0 takes the register in, in an order that matters; changes t3. */
    .macro mix register
    slli t3, a0, 7
    srli a0, a0, 57
    or a0, a0, t3
    xor a0, a0, \register
    .endm

/* To `body` with mstatus \status, in the mode of its MPP; \alias: where the body is seen. */
    .macro enter body, status, alias
    li t0, \status
    csrw mstatus, t0
    lla t0, \body
    li t1, \alias
    add t0, t0, t1
    csrw mepc, t0
    fence.i
    sfence.vma
    mret
    .endm

    .include "start.S"
    call make_tables
    li t0, (1 << 54) - 1            /* the last entry: all memory, R W X */
    csrw pmpaddr15, t0
    li t0, 0x1f << 56
    csrw pmpcfg2, t0
    lla s0, cases
next:
    lla t0, cases_end
    bgeu s0, t0, say_end
    lla t0, current
    sd s0, (t0)
    call reset
    ld t0, 8(s0)
    jr t0

/* The tables that every case has: t2 is the root of Sv39, t3 of Sv48, t4 of Sv57. */
make_tables:
    lla t0, t2_table
    li t1, PTE_DEVICES
    sd t1, (t0)
    li t1, RAM >> 2 | PTE_RAM
    sd t1, 2 * 8(t0)
    li t1, RAM >> 2 | PTE_RAM_U
    sd t1, 3 * 8(t0)
    lla t1, t3_table
    srli t0, t0, 2
    ori t0, t0, PTE_POINTER
    sd t0, (t1)
    lla t0, t4_table
    srli t1, t1, 2
    ori t1, t1, PTE_POINTER
    sd t1, (t0)
    ret

/* All as every case finds it. */
reset:
    csrw mstatus, zero
    .irp csr, mie, mip, mideleg, medeleg, satp, mcounteren, scounteren, mepc, mcause, mtval
    csrw \csr, zero
    .endr
    .irp csr, sepc, scause, stval, pmpcfg0
    csrw \csr, zero
    .endr
    .irp csr, pmpaddr0, pmpaddr1, pmpaddr2, pmpaddr3, pmpaddr4, pmpaddr5, pmpaddr6, pmpaddr7
    csrw \csr, zero
    .endr
    lla t0, mvector
    csrw mtvec, t0
    lla t0, svector
    csrw stvec, t0
    lla t0, msaved
    csrw mscratch, t0
    lla t0, ssaved
    csrw sscratch, t0
    li t0, CLINT_MSIP
    sw zero, (t0)
    li t0, CLINT_MTIMECMP
    li t1, -1
    sd t1, (t0)
    lla t0, results
    lla t1, results_end
1:  sd zero, (t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    lla t0, target                  /* two pages of code that returns */
    lla t1, target_end
    li t2, RETURN << 16 | RETURN
1:  sw t2, (t0)
    addi t0, t0, 4
    bltu t0, t1, 1b
    .irp register, a0, a1, a2, a3, a4, a5
    li \register, 0
    .endr
    lla s11, finish
    lla s10, target
    sc.d t1, t0, (s10)              /* nothing is reserved */
    sfence.vma
    ret

/* *a0 = a1, in a page table: it is printed at the case's end, and made zero. */
poke:
    lla t0, watches
    ld t1, (t0)
    addi t2, t1, 1
    sd t2, (t0)
    slli t1, t1, 3
    add t0, t0, t1
    sd a0, 8(t0)
    sd a1, (a0)
    ret

/* The handler of mode \p. An event: the vector's number and the mode, cause, tval, epc, status. */
    .macro handler p, mark
    .balign 256
\p\()vector:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    j \p\()vector_\n
    .endr
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
\p\()vector_\n:
    csrrw sp, \p\()scratch, sp
    sd t0, (sp)
    li t0, \mark + \n
    j \p\()trap
    .endr
\p\()trap:
    sd t1, 8(sp)
    sd t2, 16(sp)
    sd t3, 24(sp)
    lla t1, count
    ld t2, (t1)
    addi t3, t2, 1
    sd t3, (t1)
    li t1, EVENTS
    bgeu t2, t1, \p\()full
    slli t1, t2, 5
    slli t2, t2, 3
    add t1, t1, t2
    lla t2, events
    add t1, t1, t2
    sd t0, (t1)
    csrr t0, \p\()cause
    sd t0, 8(t1)
    csrr t2, \p\()epc
    addi t3, t0, -3                 /* of a breakpoint tval may be its address, or 0 */
    bnez t3, 1f
    csrr t3, \p\()tval
    bne t2, t3, 1f
    csrw \p\()tval, zero
1:  csrr t3, \p\()tval
    sd t3, 16(t1)
    csrr t2, \p\()status
    sd t2, 32(t1)
    csrr t2, \p\()epc
    lla t3, loose                   /* where the body waits, the place is of no meaning */
    ld t3, (t3)
    bnez t3, 1f
    sd t2, 24(t1)
1:  bgez t0, 1f
    li t1, 1
    sll t1, t1, t0
    csrc \p\()ie, t1
    j \p\()resume
1:  li t3, ALIAS - 1                /* t1: where in RAM it is, if it is */
    and t1, t2, t3
    li t3, RAM
    or t1, t1, t3
    j \p\()ends                     /* t0: cause, t1: place, t2: epc; or to \p\()passes */
\p\()passes:
    li t3, 1 << 0 | 1 << 1 | 1 << 12
    srl t3, t3, t0
    andi t3, t3, 1
    bnez t3, 2f
    srli t3, t2, 31
    addi t3, t3, -1
    bnez t3, 2f
    lhu t1, (t1)
    andi t1, t1, 3
    addi t1, t1, -3
    seqz t1, t1
    slli t1, t1, 1
    addi t1, t1, 2
    add t1, t1, t2
    j 3f
2:  mv t1, s11
3:  csrw \p\()epc, t1
\p\()resume:
    ld t0, (sp)
    ld t1, 8(sp)
    ld t2, 16(sp)
    ld t3, 24(sp)
    csrrw sp, \p\()scratch, sp
    \p\()ret
    .endm

    handler s, 0x100
    j s_exit                        /* SRET was not allowed */
sends:
    lla t3, s_exit
    beq t1, t3, 1f
    lla t3, finish
    bne t1, t3, spasses
sfull:
    csrrw sp, sscratch, sp
s_exit:
    ecall
1:  csrrw sp, sscratch, sp
s_exit2:
    csrr t0, mscratch
    j s_exit2

    handler m, 0x300
mends:
    lla t3, finish
    beq t1, t3, 1f
    lla t3, s_exit
    beq t1, t3, 1f
    lla t3, s_exit2
    bne t1, t3, mpasses
1:
mfull:
    lla s1, found
    .irp n, 0, 1, 2, 3, 4, 5
    sd a\n, \n * 8(s1)
    .endr
    lla s1, csrs
    csrr t0, mstatus
    sd t0, (s1)
    csrr t0, sstatus
    sd t0, 8(s1)
    li t1, 0xaaa
    csrr t0, mie
    and t0, t0, t1
    sd t0, 16(s1)
    csrr t0, mip
    and t0, t0, t1
    sd t0, 24(s1)
    li t1, S_INTERRUPTS
    csrr t0, mideleg
    and t0, t0, t1
    sd t0, 32(s1)
    li t1, MEDELEG_COMPARED
    csrr t0, medeleg
    and t0, t0, t1
    sd t0, 40(s1)
    addi s1, s1, 48
    .irp csr, satp, scause, stval, sepc, mcounteren, scounteren, pmpcfg0, pmpcfg2
    csrr t0, \csr
    sd t0, (s1)
    addi s1, s1, 8
    .endr
    lla t0, watches                 /* what the tables' entries are now */
    ld t1, (t0)
    sd zero, (t0)
    lla t3, values
1:  beqz t1, 2f
    addi t1, t1, -1
    addi t0, t0, 8
    ld t2, (t0)
    ld s2, (t2)
    sd s2, (t3)
    addi t3, t3, 8
    j 1b
2:  lla t0, watches                 /* one may stand there twice: read all, then clear */
1:  addi t0, t0, 8
    ld t1, (t0)
    beqz t1, 3f
    sd zero, (t1)
    sd zero, (t0)
    j 1b
3:  lla s0, current
    ld s0, (s0)
    ld a0, (s0)
    call print
    lla s1, results
    lla s2, results_end
    call print_numbers
    addi s0, s0, 16
    j next

    .balign 4
finish:
    ecall
    j finish

    .data
    .balign 4096
    .irp n, 4, 3, 2
t\n\()_table: .skip 4096
    .endr
    .irp n, 3, 2, 1, 0
u\n\()_table: .skip 4096
    .endr
target:  .skip 8192
target_end:
current: .dword 0
loose:   .dword 0
msaved:  .skip 32
ssaved:  .skip 32
watches: .skip 8 * (WATCHED + 2)    /* how many, addresses, a zero */
/* What is compared, in the order of privileged.py's NAMES. */
results:
events:  .skip EVENTS * EVENT_SIZE
count:   .skip 8
found:   .skip 6 * 8
csrs:    .skip CSRS * 8
values:  .skip WATCHED * 8
results_end:
