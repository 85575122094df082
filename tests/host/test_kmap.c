/* The kernel's half at boot: devices, and disks in memory that firmware has put across the
 * border of what it reserves. */
/* sources: kernel/mm/pt.c kernel/lib/string.c tests/host/walker.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#include "hostarch.h"
#include "mm/frame.h"
#include "mm/tlb.h"
#undef DIRECT_BASE
#define DIRECT_BASE KERNEL_HALF /* for the tables; where the host has RAM is no such address */
#include "mm/kmap.c"            /* itself, since the image and the stacks need a machine */

#include "walker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define RAM_END (HOST_RAM_START + MIB(16))
#define HOLE (HOST_RAM_START + MIB(4)) /* reserved: 2 MiB */
#define HOLE_END (HOLE + MIB(2))

char kernel_start[1], kernel_text_end[1], kernel_rodata_end[1], kernel_end[1], hart_stacks[1];
char trampoline_page[1];

static uint64_t top;
static unsigned taken, fail_at;

/* Memory for tables. */
void *frame_boot_alloc(size_t bytes, size_t align) {
    if (++taken == fail_at)
        return NULL;
    top += bytes;
    assert_true(top <= HOLE && bytes == PAGE_SIZE && align == PAGE_SIZE);
    return pa_ptr(PA(top - bytes));
}

/* There are no frames before frame_init. */
struct frame_sections frame_sections;
void frame_misused(paddr_t pa) { panic("%#lx is not a frame", (unsigned long)pa.v); }
void frame_release(struct frame *f, paddr_t pa) { frame_misused(pa); }
paddr_t frame_take_zeroed(void) { frame_misused(PA(0)); }
void frame_put_zeroed(paddr_t pa) { frame_misused(pa); }
void frame_zero(paddr_t pa, unsigned order) { frame_misused(pa); }
void tlb_fence_kernel(void) {}
void kstack_init(void) {}

/* A table with all RAM but the hole. */
static int boot(void **state) {
    host_ram_map(RAM_END - HOST_RAM_START);
    top = HOST_RAM_START;
    spare = PA(0);
    fail_at = 0;
    assert_int_equal(pt_init(&kernel_pt, paging.levels, &pt_frames), 0);
    map(HOST_RAM_START, HOLE, PTE_R | PTE_W);
    map(HOLE_END, RAM_END, PTE_R | PTE_W);
    taken = 0;
    return 0;
}

static bool reaches(uint64_t physical) {
    uint64_t pa;
    return walker_access(kernel_pt.root.v, DIRECT_BASE + physical, WALKER_STORE, WALKER_SUPERVISOR,
                         &pa) &&
           pa == physical;
}

static uint64_t tables(void) {
    struct walker_survey s = walker_survey(kernel_pt.root.v, 0, PT_ENTRIES, NULL, NULL);
    assert_null(s.fault);
    assert_int_equal(s.tables, kernel_pt.tables);
    assert_int_equal(s.empty, 0);
    return s.tables;
}

static void expect_reached(uint64_t start, uint64_t end) {
    for (uint64_t at = start; at < end; at += PAGE_SIZE)
        if (!reaches(at))
            fail_msg("%#lx is not mapped", (unsigned long)at);
}

static void maps_what_is_missing_at_either_end(void **state) {
    uint64_t before = tables();
    assert_ptr_equal(kmap_device(HOLE_END - 3 * PAGE_SIZE, 5 * PAGE_SIZE),
                     pa_ptr(PA(HOLE_END - 3 * PAGE_SIZE)));
    expect_reached(HOLE_END - 3 * PAGE_SIZE, HOLE_END + 2 * PAGE_SIZE);
    assert_false(reaches(HOLE_END - 4 * PAGE_SIZE));
    assert_ptr_equal(kmap_device(HOLE - PAGE_SIZE, 2 * PAGE_SIZE), pa_ptr(PA(HOLE - PAGE_SIZE)));
    expect_reached(HOLE - PAGE_SIZE, HOLE + PAGE_SIZE);
    assert_false(reaches(HOLE + PAGE_SIZE));
    assert_int_equal(tables(), before + 1); /* the hole's */
    assert_int_equal(taken, 1);             /* given back when the whole could not be mapped */
}

static void two_devices_on_a_page(void **state) {
    assert_non_null(kmap_device(0x10000000, 0x100));
    assert_ptr_equal(kmap_device(0x10000100, PAGE_SIZE), pa_ptr(PA(0x10000100)));
    expect_reached(0x10000000, 0x10000000 + 2 * PAGE_SIZE);
    assert_false(reaches(0x10000000 + 2 * PAGE_SIZE));
}

/* Two tables of the lowest level and one above them: memory ends at each. */
static void without_memory_for_a_table(void **state) {
    uint64_t start = GIB(4) + MIB(2) - PAGE_SIZE;
    unsigned n = 1;
    for (;; n++) {
        boot(NULL);
        uint64_t before = tables();
        fail_at = n;
        if (kmap_device(start, 2 * PAGE_SIZE))
            break;
        assert_int_equal(tables(), before);
        assert_ptr_equal(kmap_device(start, 2 * PAGE_SIZE), pa_ptr(PA(start)));
        expect_reached(start, start + 2 * PAGE_SIZE);
        assert_int_equal(tables(), before + 3);
        assert_int_equal(taken, 3 + 1); /* one was not there */
    }
    assert_int_equal(n, 3 + 1);
}

/* The pages before the failure stay, and another call takes them as they are. */
static void without_memory_half_way(void **state) {
    uint64_t start = GIB(4), end = start + MIB(4), half = start + MIB(2);
    assert_non_null(kmap_device(half - PAGE_SIZE, PAGE_SIZE)); /* not at one go, thereby */
    fail_at = taken + 1;
    assert_null(kmap_device(start, end - start));
    expect_reached(start, half);
    assert_false(reaches(half));
    tables();
    assert_non_null(kmap_device(start, end - start));
    expect_reached(start, end);
    tables();
}

static void beyond_the_direct_map(void **state) {
    uint64_t before = tables();
    assert_null(kmap_device(DIRECT_SIZE - PAGE_SIZE, 2 * PAGE_SIZE));
    assert_null(kmap_device(UINT64_MAX - PAGE_SIZE, 2 * PAGE_SIZE));
    assert_int_equal(tables(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(maps_what_is_missing_at_either_end, boot),
        cmocka_unit_test_setup(two_devices_on_a_page, boot),
        cmocka_unit_test_setup(without_memory_for_a_table, boot),
        cmocka_unit_test_setup(without_memory_half_way, boot),
        cmocka_unit_test_setup(beyond_the_direct_map, boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
