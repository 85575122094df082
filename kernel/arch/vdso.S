# The vDSO: a shared library of one page that every program of Linux has (linux/vdso.c), and behind
# it a page with what it computes the time from (struct clock_base). All of it is written out here,
# so no linker has to know how to make one: in a page at any address, entered in user mode, where
# nothing may be stored. (ELF gABI: Dynamic Section, Symbol Table, Hash Table; the versions as GNU
# has them.)

#define SYMBOLS 9 /* with the first, which is none */
#define LINUX_4_15_HASH 0x0ae77f75 /* the gABI's hash of the version's name */
#define LIBRARY_HASH 0x0deebfa1    /* and of the library's */

#define CALL_CLOCK_GETTIME 113
#define CALL_CLOCK_GETRES 114
#define CALL_RT_SIGRETURN 139
#define CALL_GETCPU 168
#define CALL_HWPROBE 258
#define CALL_FLUSH_ICACHE 259

# struct clock_base
#define CHANGES 0
#define READABLE 4
#define HZ 8
#define BOOT_TIME 16
#define DATE_AT_BOOT 24

    .option norelax                 # the linker knows of one place, and this has many
    .section .rodata.vdso, "a"
    .balign 4096
    .globl vdso_start, vdso_end
vdso_start:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    .half 3, 243                    # ET_DYN, RISC-V
    .word 1
    .dword 0                        # no entry
    .dword headers - vdso_start, 0
    .word 5                         # flags: compressed instructions, doubles in registers
    .half 64, 56, 2, 64, 0, 0

headers:
    .word 1, 5                      # PT_LOAD, R and X
    .dword 0, 0, 0, vdso_end - vdso_start, vdso_end - vdso_start, 4096
    .word 2, 4                      # PT_DYNAMIC
    .dword dynamic - vdso_start, dynamic - vdso_start, dynamic - vdso_start
    .dword dynamic_end - dynamic, dynamic_end - dynamic, 8

dynamic:
    .dword 4, hashes - vdso_start   # DT_HASH
    .dword 5, names - vdso_start    # DT_STRTAB
    .dword 6, symbols - vdso_start  # DT_SYMTAB
    .dword 10, names_end - names    # DT_STRSZ
    .dword 11, 24                   # DT_SYMENT
    .dword 14, library - names      # DT_SONAME
    .dword 0x6ffffff0, versions - vdso_start # DT_VERSYM
    .dword 0x6ffffffc, defined - vdso_start  # DT_VERDEF
    .dword 0x6ffffffd, 2            # DT_VERDEFNUM
    .dword 0, 0
dynamic_end:

    .macro symbol name
    .word name_of_\name - names
    .byte 0x12, 0                   # a function, global
    .half 1                         # in some section
    .dword \name - vdso_start, end_of_\name - \name
    .endm
symbols:
    .dword 0, 0, 0
    symbol __vdso_rt_sigreturn
    symbol __vdso_clock_gettime
    symbol __vdso_gettimeofday
    symbol __vdso_clock_getres
    symbol __vdso_getcpu
    symbol __vdso_flush_icache
    symbol __vdso_riscv_hwprobe
    .word version - names           # the version itself
    .byte 0x11, 0
    .half 0xfff1
    .dword 0, 0

# One bucket, so that no name has to be hashed: all symbols are one chain.
hashes:
    .word 1, SYMBOLS, 1
    .word 0, 2, 3, 4, 5, 6, 7, 8, 0

versions:
    .half 0, 2, 2, 2, 2, 2, 2, 2, 2
    .balign 8
defined:
    .half 1, 1, 1, 1                # the library's own name
    .word LIBRARY_HASH, 20, 28, library - names, 0
    .half 1, 0, 2, 1
    .word LINUX_4_15_HASH, 20, 0, version - names, 0

    .macro name_of name
name_of_\name:
    .asciz "\name"
    .endm
names:
    .byte 0
    name_of __vdso_rt_sigreturn
    name_of __vdso_clock_gettime
    name_of __vdso_gettimeofday
    name_of __vdso_clock_getres
    name_of __vdso_getcpu
    name_of __vdso_flush_icache
    name_of __vdso_riscv_hwprobe
library:
    .asciz "linux-vdso.so.1"
version:
    .asciz "LINUX_4.15"
names_end:

    .macro function name
    .balign 4
\name:
    .endm
    .macro end name
end_of_\name:
    .endm
    .macro system_call number
    li a7, \number
    ecall
    .endm

    function __vdso_rt_sigreturn
    system_call CALL_RT_SIGRETURN
    end __vdso_rt_sigreturn

# As proc/clock.c does it, in two steps, so that nothing overflows. What is read must be of one
# time: when it has changed meanwhile, or is being changed, all of it is read once more.
# a0 = clock, a1 = struct timespec *
    function __vdso_clock_gettime
    li t0, 1
    addi t1, a0, -5                 # CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE are no coarser
    bgtu t1, t0, 1f
    mv a0, t1
1:  bgtu a0, t0, 3f                 # CLOCK_REALTIME 0, CLOCK_MONOTONIC 1; others are the call's
    lla t0, vdso_start + 4096       # the page behind
    lw t1, READABLE(t0)
    beqz t1, 3f
    ld t1, HZ(t0)                   # these two never change
    ld t2, BOOT_TIME(t0)
1:  lw t3, CHANGES(t0)
    andi t4, t3, 1
    bnez t4, 1b
    fence r, r
    ld t4, DATE_AT_BOOT(t0)
    rdtime t5
    fence r, r
    lw t6, CHANGES(t0)
    bne t3, t6, 1b
    li t0, 1000000000
    sub t5, t5, t2
    divu t2, t5, t1                 # seconds since boot
    remu t5, t5, t1
    mul t5, t5, t0
    divu t5, t5, t1                 # and nanoseconds
    bnez a0, 2f
    mul t2, t2, t0
    add t2, t2, t5
    add t4, t4, t2                  # the date in nanoseconds
    divu t2, t4, t0
    remu t5, t4, t0
2:  sd t2, 0(a1)
    sd t5, 8(a1)
    li a0, 0
    ret
3:  system_call CALL_CLOCK_GETTIME
    ret
    end __vdso_clock_gettime

# a0 = struct timeval *, a1 = struct timezone *; each may be 0
    function __vdso_gettimeofday
    addi sp, sp, -16
    sd ra, 8(sp)
    mv a2, a0
    mv a3, a1
    beqz a0, 1f
    mv a1, a0
    li a0, 0
    jal __vdso_clock_gettime
    ld t0, 8(a2)
    li t1, 1000
    divu t0, t0, t1
    sd t0, 8(a2)
1:  beqz a3, 2f
    sw zero, 0(a3)
    sw zero, 4(a3)
2:  li a0, 0
    ld ra, 8(sp)
    addi sp, sp, 16
    ret
    end __vdso_gettimeofday

# a0 = clock, a1 = struct timespec * or 0
    function __vdso_clock_getres
    li t0, 1
    bgtu a0, t0, 2f
    beqz a1, 1f
    sd zero, 0(a1)
    sd t0, 8(a1)
1:  li a0, 0
    ret
2:  system_call CALL_CLOCK_GETRES
    ret
    end __vdso_clock_getres

    function __vdso_getcpu
    system_call CALL_GETCPU
    ret
    end __vdso_getcpu

    function __vdso_flush_icache
    system_call CALL_FLUSH_ICACHE
    ret
    end __vdso_flush_icache

    function __vdso_riscv_hwprobe
    system_call CALL_HWPROBE
    ret
    end __vdso_riscv_hwprobe
vdso_end:
