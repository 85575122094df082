/* A program without a C library that may be loaded anywhere, and finds out where it is. What needs
 * that it does to itself. Prints "pie: OK" when all is as it should be, and else its status says
 * what is not. */
/* flags: -pie -fPIE -nostdlib -Wl,--no-dynamic-linker -fno-stack-protector */
#include <elf.h>
#include <stdint.h>

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));
static char zeros[10000];
static int number = 17;
static int *volatile relocated = &number;

/* The first stack pointer, at argc. */
__asm__(".global _start\n_start: mv a0, sp\n andi sp, sp, -16\n call begin\n");
void _start(void) __attribute__((visibility("hidden")));
void begin(const uint64_t *sp);

static long call(long what, long a, long b, long c) {
    register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = what;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static void must(int holds, int status) {
    if (!holds)
        call(94, status, 0, 0);
}

static uint64_t auxiliary(const uint64_t *sp, uint64_t what) {
    const uint64_t *at = sp + 1;
    for (int arrays = 2; arrays > 0; at++)
        arrays -= *at == 0;
    for (; at[0] != AT_NULL; at += 2)
        if (at[0] == what)
            return at[1];
    return 0;
}

static void relocate(uintptr_t base) {
    const Elf64_Rela *rela = 0;
    uint64_t bytes = 0;
    for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELA)
            rela = (const Elf64_Rela *)(base + d->d_un.d_ptr);
        if (d->d_tag == DT_RELASZ)
            bytes = d->d_un.d_val;
    }
    for (uint64_t i = 0; i < bytes / sizeof(*rela); i++)
        if (ELF64_R_TYPE(rela[i].r_info) == R_RISCV_RELATIVE)
            *(uint64_t *)(base + rela[i].r_offset) = base + (uint64_t)rela[i].r_addend;
}

void begin(const uint64_t *sp) {
    uintptr_t base = (uintptr_t)&__ehdr_start;
    must(base >= 1UL << 30 && base % 4096 == 0, 1); /* it is linked at 0 */
    must(auxiliary(sp, AT_ENTRY) == (uintptr_t)_start, 2);
    must(auxiliary(sp, AT_PHDR) == base + sizeof(Elf64_Ehdr), 3);
    must(auxiliary(sp, AT_BASE) == 0, 4);
    must(relocated != &number, 5);
    relocate(base);
    must(relocated == &number && number == 17, 6);
    for (unsigned i = 0; i < sizeof(zeros); i++)
        must(((volatile char *)zeros)[i] == 0, 7);
    must((uintptr_t)call(214, 0, 0, 0) > (uintptr_t)zeros, 8); /* brk */
    call(64, 1, (long)"pie: OK\n", 8);
    call(94, 0, 0, 0);
}
