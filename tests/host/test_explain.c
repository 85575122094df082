/* Each sentence about a failed access, on tables and regions made for it. What programs
 * and a whole kernel can bring about, tests/system/test_explain.py sees besides. */
/* sources: kernel/mm/explain.c kernel/mm/pt.c kernel/lib/printf.c kernel/lib/string.c */
/* sources: kernel/sync/spinlock.c tests/host/pttables.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "mm/explain.h"
#include "lib/printf.h"
#include "mm/kmap.h"
#include "pttables.h"
#include "hostarch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define P PAGE_SIZE
#define R PTE_R
#define W PTE_W
#define X PTE_X
#define BRK (MIB(4) + 8)
#define NO_RAM GIB(100) /* a physical address */

char kernel_start[1], kernel_end[1];

static struct aspace as;
static char said[2048];
static size_t said_size;

static void sink(void *ctx, const char *text, size_t n) {
    assert_true(said_size + n < sizeof said);
    memcpy(said + said_size, text, n);
    said[said_size += n] = '\0';
}

bool kmap_is_ram(paddr_t frame) { return frame.v != NO_RAM; }

const struct region *aspace_region_locked(const struct aspace *space, uint64_t va) {
    for (uint32_t i = 0; i < space->regions; i++)
        if (va >= space->region[i].start && va < space->region[i].end)
            return &space->region[i];
    return NULL;
}

static void map(uint64_t va, uint64_t flags, uint64_t bytes) {
    assert_int_equal(pt_map(&as.user, VA(va), PA(HOST_RAM_START + MIB(4)), bytes, flags, 1), 0);
}

static pte_t *entry(uint64_t va) {
    unsigned level;
    return pt_walk(&as.user, VA(va), &level);
}

static int setup(void **state) {
    static const struct region regions[] = {{P, 3 * P, REGION_IMAGE, R | X, 0, false},
                                            {5 * P, 6 * P, REGION_IMAGE, R | W, 2, false},
                                            {6 * P, 7 * P, REGION_BSS, R | W, 0, false},
                                            {8 * P, 9 * P, REGION_STACK, R | W, 0, false},
                                            {MIB(2) - P, MIB(4) + P, REGION_HEAP, R | W, 0, false}};
    said_size = 0;
    pttables_reset();
    as = (struct aspace){.regions = ARRAY_LEN(regions), .heap = 4, .brk = BRK};
    memcpy(as.region, regions, sizeof regions);
    assert_int_equal(pt_init(&as.user, &pttables), 0);
    map(P, R | X | PTE_U, P);
    map(5 * P, R | W | PTE_U, P);
    map(8 * P, R | W | PTE_U, P);
    map(MIB(2), R | W | PTE_U, MIB(2));
    map(TRAPFRAME, R | W, P);
    map(TRAMPOLINE, R | X, P);
    kprintf_set_sink(sink, NULL);
    return 0;
}

/* The last line is that, after a walk of so many levels of which the last has the arrow;
 * negative: none has. */
static void expect(int levels, const char *sentence) {
    int n = 0;
    const char *last = strchr(said, '\n') + 1;
    for (; !strncmp(last + 2, " level ", 7); last = strchr(last, '\n') + 1)
        if (strncmp(last, ++n == levels ? "->" : "  ", 2) != 0)
            fail_msg("not %d levels: %s", levels, said);
    if (n != abs(levels))
        fail_msg("not %d levels: %s", levels, said);
    assert_string_equal(last, sentence);
    said_size = 0;
}

static void user(uint64_t va, uint64_t access, int levels, const char *sentence) {
    explain_user_fault(&as, va, (struct failed_access){.wanted = access});
    expect(levels, sentence);
}

static void kernel(uint64_t va, uint64_t access, int levels, const char *sentence) {
    explain_kernel_fault(as.user.root, va, (struct failed_access){.wanted = access});
    expect(levels, sentence);
}

static void no_region(void **state) {
    user(8, R, 3, "a null pointer, or near one: the program has nothing there\n");
    user(3 * P, R, 3, "between the program's segments\n");
    user(5 * P - 1, W, 3, "between the program's segments\n");
    user(8 * P - 8, W, 3, "guard page below the stack, which is 0x8000 to 0x9000: an overflow\n");
    user(7 * P, W, 3, "guard page below the stack, which is 0x8000 to 0x9000: an overflow\n");
    user(9 * P, R, 3,
         "above the stack, which ends at 0x9000, and below the heap, which begins "
         "at 0x1ff000\n");
    user(MIB(4) + P, R, 2, "beyond the heap: the break is 0x400008\n");
    user(USER_MAX - 1, R, 1, "beyond the heap: the break is 0x400008\n");
}

static void against_the_region(void **state) {
    user(P, W, 3, "the leaf has no W; the region is text and may not be written\n");
    user(2 * P, W, 3, "no leaf would have W; the region is text and may not be written\n");
    user(5 * P, X, 3, "the leaf has no X; the region is data and may not be executed\n");
    user(6 * P, X, 3,
         "no leaf would have X; the region is data that is zero at the start and may "
         "not be executed\n");
    user(8 * P, X, 3, "the leaf has no X; the region is the stack and may not be executed\n");
    user(MIB(3), X, 2, "the leaf has no X; the region is the heap and may not be executed\n");
    as.region[0].perm = R;
    *entry(P) &= ~(pte_t)PTE_X;
    user(P + 4, X, 3, "the leaf has no X; the region is read-only data and may not be executed\n");
}

static void not_the_users(void **state) {
    user(1ULL << 38, R, 0, "not an address: bits 63 to 39 differ from bit 38 (Sv39)\n");
    user(KERNEL_HALF, R, 1, "the kernel's half of the address space: not for user mode\n");
    user(TRAMPOLINE, R, 3, "the trampoline: not for user mode, the leaf has no U\n");
    user(TRAPFRAME + 8, R, 3, "the trapframe: not for user mode, the leaf has no U\n");
    user(KSTACK(0), R, 3, "a kernel stack: not for user mode\n");
    user(KSTACK(0) - 8, R, 3, "a guard page below a kernel stack: not for user mode\n");
    user(USER_MAX, R, 2, "the kernel's last GiB of the low half: not for user mode\n");
}

/* What a program cannot do: these say that the kernel has gone wrong, but for a lazy page. */
static void broken_entries(void **state) {
    *entry(8 * P) &= ~(pte_t)PTE_A;
    user(8 * P, R, 3,
         "the region permits it and memory for it is promised: a mistake of the "
         "kernel\n");
    *entry(8 * P) = 0;
    user(8 * P, W, 3,
         "the region permits it and memory for it is promised: a mistake of the "
         "kernel\n");
    as.region[3].lazy = true;
    user(8 * P, W, 3,
         "no memory is left for it: the stack was granted lazily, without a promise\n");
    explain_user_fault(&as, MIB(2) + 24, (struct failed_access){R, .refused = true});
    expect(2, "the walk permits this access, but the machine does not: memory protection forbids "
              "it, or nothing answers, at physical address 0x80400018\n");
    pte_t *root = pa_ptr(as.user.root), good = root[0];
    root[0] = pte_table(PA(NO_RAM));
    user(P, R, 1,
         "the table that the entry points to is not in RAM: somebody has written over the "
         "entry\n");
    kernel(P, R, 1,
           "the table that the entry points to is not in RAM: somebody has written over "
           "the entry\n");
    root[0] = good;
}

static void the_kernels_own(void **state) {
    kernel(TRAPFRAME, R, -3,
           "the walk permits this access: has somebody changed the entry without "
           "sfence.vma?\n");
    kernel(TRAMPOLINE, W, 3, "the trampoline: the leaf has no W\n");
    kernel(KSTACK(1), R, 3, "a kernel stack: nothing is mapped there in this table\n");
    kernel(0, R, 3, "a null pointer, or near one; user memory is for the copy routines only\n");
    kernel(P, R, 3,
           "user memory, outside of the copy routines: copyin and copyout reach it, the "
           "kernel's own code never\n");
    kernel(1ULL << 63, R, 0, "not an address: bits 63 to 39 differ from bit 38 (Sv39)\n");
}

/* Other causes than an access say nothing. */
static void no_access(void **state) {
    said[0] = '\0';
    explain_user_fault(&as, 8, (struct failed_access){0});
    explain_kernel_fault(as.user.root, 8, (struct failed_access){0});
    assert_string_equal(said, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(no_region),      T(against_the_region), T(not_the_users),
        T(broken_entries), T(the_kernels_own),    T(no_access),
    };
    host_ram_map(MIB(16));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
