/* Each sentence about a failed access, on tables and regions made for it. What programs
 * and a whole kernel can bring about, tests/system/test_explain.py sees besides. */
/* sources: kernel/mm/explain.c kernel/mm/mapping.c kernel/mm/slab.c kernel/mm/pt.c */
/* sources: kernel/lib/printf.c kernel/lib/string.c tests/host/pttables.c tests/host/hostarch.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/mm/pieces.c tests/host/walker.c */
/* sources: kernel/mm/turn.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "mm/explain.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "levels.h"
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

void rmap_add(struct mapping *m, struct mappings *all) {}
void rmap_remove(struct mapping *m) {}

/* The one for the records of mappings. */
int frame_alloc(paddr_t *pa) {
    *pa = PA(HOST_RAM_START + MIB(8));
    memset(pa_ptr(*pa), 0, P);
    return 0;
}
void frame_free(paddr_t pa) {}

/* No frame is ever given to explain.c. */
struct frame_sections frame_sections;
void frame_misused(paddr_t pa) {
    fail();
    abort();
}
void frame_release(struct frame *f, paddr_t pa) { fail(); }

static int fault_err; /* what aspace_fault has said */

static const char *of_program(const struct object *o, uint64_t perm) {
    return perm & X ? "text" : perm & W ? "data" : "read-only data";
}
static const struct object_ops ops, program_ops = {.name = of_program};
static struct object program = {.ops = &program_ops}, bss = {.ops = &ops, .name = "bss"},
                     heap = {.ops = &ops, .name = "heap"},
                     stack = {.ops = &ops, .name = "stack", .guarded = true};

static void grant(uint64_t start, uint64_t end, struct object *object, uint8_t perm) {
    struct mapping *m = mapping_new(
        &(struct mapping){.start = start, .end = end, .object = object, .perm = perm});
    assert_non_null(m);
    mapping_put(&as.mappings, m);
}

static void map(uint64_t va, uint64_t flags, uint64_t bytes) {
    assert_int_equal(pt_map(&as.user, VA(va), PA(HOST_RAM_START + MIB(4)), bytes, flags, 1), 0);
}

static pte_t *entry(uint64_t va) {
    unsigned level;
    return pt_walk(&as.user, VA(va), &level);
}

static int setup(void **state) {
    said_size = 0;
    pttables_reset();
    mapping_free_all(&as.mappings);
    as = (struct aspace){.lock = SPINLOCK_INIT(RANK_SPACE), .brk = BRK};
    grant(P, 3 * P, &program, R | X);
    grant(5 * P, 6 * P, &program, R | W);
    grant(6 * P, 7 * P, &bss, R | W);
    grant(8 * P, 9 * P, &stack, R | W);
    grant(MIB(2) - P, MIB(4) + P, &heap, R | W);
    assert_int_equal(pt_init(&as.user, paging.levels, &pttables), 0);
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
    explain_user_fault(&as, va, (struct failed_access){.wanted = access}, fault_err);
    expect(levels, sentence);
}

static void kernel(uint64_t va, uint64_t access, int levels, const char *sentence) {
    explain_kernel_fault(as.user.root, va, (struct failed_access){.wanted = access});
    expect(levels, sentence);
}

static void no_mapping(void **state) {
    user(8, R, 3, "a null pointer, or near one: the program has nothing there\n");
    user(3 * P, R, 3,
         "between the text, which ends at 0x3000, and the data, which begins at 0x5000\n");
    user(5 * P - 1, W, 3,
         "between the text, which ends at 0x3000, and the data, which begins at 0x5000\n");
    user(8 * P - 8, W, 3,
         "guard page below the stack, which is 0x8000 to 0x9000, 4 KiB: an overflow\n");
    user(7 * P, W, 3,
         "guard page below the stack, which is 0x8000 to 0x9000, 4 KiB: an overflow\n");
    user(9 * P, R, 3,
         "between the stack, which ends at 0x9000, and the heap, which begins at 0x1ff000\n");
    mapping_take(&as.mappings, mapping_at(&as.mappings, 6 * P));
    user(7 * P - 1, W, 3, /* a frame larger than the guard page */
         "between the data, which ends at 0x6000, and the stack, which is 0x8000 to 0x9000, 4 "
         "KiB\n");
    grant(9 * P, 20 * P, &stack, R | W); /* the limit is that of all its parts */
    user(8 * P - 1, W, 3,
         "guard page below the stack, which is 0x8000 to 0x14000, 48 KiB: an overflow\n");
    user(MIB(4) + P, R, 2, "beyond all that the program was granted: the break is 0x400008\n");
    user(USER_MAX - 1, R, 1, "beyond all that the program was granted: the break is 0x400008\n");
    mapping_free_all(&as.mappings);
    grant(3 * P, 4 * P, &program, R);
    user(2 * P, R, 3, "below the read-only data, which begins at 0x3000\n");
    mapping_free_all(&as.mappings);
    grant(16 * P, 18 * P, &stack, R | W);
    grant(18 * P, 20 * P, &stack, R | W);
    user(3 * P, W, 3, "below the stack, which is 0x10000 to 0x14000, 16 KiB\n");
}

static void what_the_object_has_not(void **state) {
    static struct object file = {.ops = &ops, .name = "file 7"};
    grant(12 * P, 16 * P, &file, R);
    mapping_at(&as.mappings, 12 * P)->first = 1;
    fault_err = -K_ENXIO;
    user(14 * P, R, 3, "file 7 has no such page: it ends before it\n");
    fault_err = -K_EIO;
    user(14 * P, R, 3, "the page of file 7 cannot be read\n");
    fault_err = 0;
    user(14 * P, W, 3, "no leaf would have W: the file 7 may not be written\n");
}

/* A shared page that is there, and only has to be asked for before it is written. */
static void what_the_object_does_not_let_be_written(void **state) {
    static const struct {
        int err;
        const char *sentence;
    } why[] = {{-K_ENOSPC, "file 7 has no block there, and the disk is full\n"},
               {-K_EROFS, "the disk takes no more changes, of file 7 neither\n"}};
    static struct object file = {.ops = &ops, .name = "file 7", .tracks_writes = true};
    grant(12 * P, 16 * P, &file, R | W);
    struct mapping *m = mapping_at(&as.mappings, 12 * P);
    m->first = 1;
    m->shared = true;
    map(14 * P, R | PTE_U, P);
    for (unsigned i = 0; i < ARRAY_LEN(why); i++) {
        fault_err = why[i].err;
        user(14 * P, W, 3, why[i].sentence);
    }
    fault_err = 0;
}

static void against_the_mapping(void **state) {
    user(P, W, 3, "the leaf has no W: the text may not be written\n");
    user(2 * P, W, 3, "no leaf would have W: the text may not be written\n");
    user(5 * P, X, 3, "the leaf has no X: the data may not be executed\n");
    user(6 * P, X, 3, "no leaf would have X: the bss may not be executed\n");
    user(8 * P, X, 3, "the leaf has no X: the stack may not be executed\n");
    user(MIB(3), X, 2, "the leaf has no X: the heap may not be executed\n");
    mapping_at(&as.mappings, P)->perm = R;
    *entry(P) &= ~(pte_t)PTE_X;
    user(P + 4, X, 3, "the leaf has no X: the read-only data may not be executed\n");
}

static void not_the_users(void **state) {
    user(1ULL << 38, R, 0, "not an address: bits 63 to 39 differ from bit 38 (Sv39)\n");
    user(KERNEL_HALF, R, 1, "the kernel's half of the address space: not for user mode\n");
    user(TRAMPOLINE, R, 3, "the trampoline: not for user mode, the leaf has no U\n");
    user(TRAPFRAME + 8, R, 3, "the trapframe: not for user mode, the leaf has no U\n");
    user(KSTACK(0), R, 3, "a kernel stack: not for user mode\n");
    user(KSTACK(0) - 8, R, 3, "a guard page below a kernel stack: not for user mode\n");
    user(USER_MAX, R, 2, "the kernel's end of the low half: not for user mode\n");
}

/* What a program cannot do: these say that the kernel has gone wrong, but for a lazy page. */
static void broken_entries(void **state) {
    *entry(8 * P) &= ~(pte_t)PTE_A;
    user(8 * P, R, 3,
         "the mapping permits it and memory for it is promised: a mistake of the "
         "kernel\n");
    *entry(8 * P) = 0;
    user(8 * P, W, 3,
         "the mapping permits it and memory for it is promised: a mistake of the "
         "kernel\n");
    mapping_at(&as.mappings, 8 * P)->lazy = true;
    user(8 * P, W, 3,
         "no memory is left for it: the stack was granted lazily, without a promise\n");
    explain_user_fault(&as, MIB(2) + 24, (struct failed_access){R, .refused = true}, 0);
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

static void more_levels(void **state) {
    use_levels(4);
    setup(NULL);
    user(8, R, 4, "a null pointer, or near one: the program has nothing there\n");
    user(1ULL << 38, R, 2, "beyond all that the program was granted: the break is 0x400008\n");
    user(1ULL << 47, R, 0, "not an address: bits 63 to 48 differ from bit 47 (Sv48)\n");
    user(0 - (1ULL << 47), R, 1, "the kernel's half of the address space: not for user mode\n");
    user(TRAPFRAME, R, 4, "the trapframe: not for user mode, the leaf has no U\n");
    kernel(KERNEL_HALF - 8, R, 1,
           "the kernel's half, below physical address 0: nothing is mapped there\n");
    use_levels(3);
}

/* Other causes than an access say nothing. */
static void no_access(void **state) {
    said[0] = '\0';
    explain_user_fault(&as, 8, (struct failed_access){0}, 0);
    explain_kernel_fault(as.user.root, 8, (struct failed_access){0});
    assert_string_equal(said, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(no_mapping),    T(against_the_mapping), T(what_the_object_has_not),
        T(no_mapping),    T(against_the_mapping), T(what_the_object_does_not_let_be_written),
        T(not_the_users), T(broken_entries),      T(the_kernels_own),
        T(no_access),     T(more_levels),
    };
    host_ram_map(MIB(16));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
