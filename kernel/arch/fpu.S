# void fpu_save(struct fpu_state *), void fpu_load(const struct fpu_state *)
#
# The kernel is built without floating point, and not every assembler can be told
# to accept it here alone: so fsd and fld (unprivileged specification, chapter 12)
# are spelled out by their fields, with x<n> standing for f<n>, and fcsr is CSR 3.
    .macro save n
    .insn s 0x27, 3, x\n, 8*\n(a0)
    .endm
    .macro load n
    .insn i 0x07, 3, x\n, 8*\n(a0)
    .endm

    .text
    .globl fpu_save
fpu_save:
    save 0
    save 1
    save 2
    save 3
    save 4
    save 5
    save 6
    save 7
    save 8
    save 9
    save 10
    save 11
    save 12
    save 13
    save 14
    save 15
    save 16
    save 17
    save 18
    save 19
    save 20
    save 21
    save 22
    save 23
    save 24
    save 25
    save 26
    save 27
    save 28
    save 29
    save 30
    save 31
    csrr t0, 3
    sd t0, 256(a0)
    ret

    .globl fpu_load
fpu_load:
    load 0
    load 1
    load 2
    load 3
    load 4
    load 5
    load 6
    load 7
    load 8
    load 9
    load 10
    load 11
    load 12
    load 13
    load 14
    load 15
    load 16
    load 17
    load 18
    load 19
    load 20
    load 21
    load 22
    load 23
    load 24
    load 25
    load 26
    load 27
    load 28
    load 29
    load 30
    load 31
    ld t0, 256(a0)
    csrw 3, t0
    ret
