# Copies that may fault on user memory. A fault that cannot be repaired goes on
# at the fixup (table .extable: start, end, fixup), which returns -K_EFAULT.
# No access is misaligned: where source and destination disagree modulo 8, bytes
# are copied.

#include "arch/asm.h"

#define K_EFAULT 14
#define K_ENAMETOOLONG 36

# 64 bytes, from \at on. (All loads first: a core may have to wait for each.)
    .macro copy_64 at
    ld t0, \at(a1)
    ld t1, \at+8(a1)
    ld t2, \at+16(a1)
    ld t3, \at+24(a1)
    ld t4, \at+32(a1)
    ld t5, \at+40(a1)
    ld t6, \at+48(a1)
    ld a4, \at+56(a1)
    sd t0, \at(a0)
    sd t1, \at+8(a0)
    sd t2, \at+16(a0)
    sd t3, \at+24(a0)
    sd t4, \at+32(a0)
    sd t5, \at+40(a0)
    sd t6, \at+48(a0)
    sd a4, \at+56(a0)
    .endm

# int ucopy(void *dst, const void *src, size_t n)
    .text
    .globl ucopy
ucopy:
ucopy_begin:
    xor t0, a0, a1
    andi t0, t0, 7
    sltiu t1, a2, 16
    bnez t1, bytes
    bnez t0, bytes
1:  andi t0, a0, 7                  # up to 7 bytes to the border
    beqz t0, 2f
    lb t1, 0(a1)
    sb t1, 0(a0)
    addi a0, a0, 1
    addi a1, a1, 1
    addi a2, a2, -1
    j 1b
2:  andi a3, a2, -256
    beqz a3, 4f
    add a3, a3, a0
3:  copy_64 0
    copy_64 64
    copy_64 128
    copy_64 192
    addi a1, a1, 256
    addi a0, a0, 256
    bltu a0, a3, 3b
    andi a2, a2, 255
4:  andi a3, a2, -64
    beqz a3, 6f
    add a3, a3, a0
5:  copy_64 0
    addi a1, a1, 64
    addi a0, a0, 64
    bltu a0, a3, 5b
    andi a2, a2, 63
6:  andi a3, a2, -8
    beqz a3, bytes
    add a3, a3, a0
7:  ld t0, 0(a1)
    sd t0, 0(a0)
    addi a1, a1, 8
    addi a0, a0, 8
    bltu a0, a3, 7b
    andi a2, a2, 7
bytes:
    beqz a2, 9f
    add a2, a2, a0
8:  lb t0, 0(a1)
    sb t0, 0(a0)
    addi a1, a1, 1
    addi a0, a0, 1
    bltu a0, a2, 8b
9:  li a0, 0
    ret

# int ucopystr(char *dst, const char *src, size_t size): up to and with the
# terminator, at most size bytes.
    .globl ucopystr
ucopystr:
    add a2, a2, a0
1:  bgeu a0, a2, 2f
    lb t0, 0(a1)
    sb t0, 0(a0)
    addi a1, a1, 1
    addi a0, a0, 1
    bnez t0, 1b
    li a0, 0
    ret
2:  li a0, -K_ENAMETOOLONG
    ret
ucopy_end:

ucopy_fault:
    li a0, -K_EFAULT
    ret

# bool csr_probe_time(void): whether rdtime works, by hardware or firmware.
# bool csr_probe_stimecmp(void): whether supervisor mode has stimecmp (Sstc, and
# menvcfg.STCE set by the firmware). Where not, reading it traps.
    .globl csr_probe_stimecmp
csr_probe_stimecmp:
probe_begin:
    csrr t0, CSR_STIMECMP
    li a0, 1
    ret
    .globl csr_probe_time
csr_probe_time:
    rdtime t0
    li a0, 1
    ret

# bool probe_misaligned(const void *at): whether loads work that are not aligned, within a line of
# 64 bytes, at which `at` begins, and from that to the next one; by hardware or firmware.
    .globl probe_misaligned
probe_misaligned:
    ld t0, 1(a0)
    ld t0, 60(a0)
    li a0, 1
    ret
probe_end:
probe_fault:
    li a0, 0
    ret

    .section .extable, "a"
    .dword ucopy_begin, ucopy_end, ucopy_fault
    .dword probe_begin, probe_end, probe_fault
