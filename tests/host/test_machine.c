/* What the device tree says of a machine: what its harts can do, a disk in memory, a clock. */
/* sources: kernel/dev/fdt.c kernel/dev/isa.c kernel/dev/ramdisk.c kernel/dev/bootargs.c */
/* sources: kernel/dev/rtc.c */
/* sources: kernel/lib/string.c kernel/lib/printf.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "dev/blk_driver.h"
#include "dev/isa.h"
#include "dev/ramdisk.h"
#include "dev/rtc.h"
#include "devstub.h"
#include "fdtbuild.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void begin(const char *node) {
    stub_reset();
    fdtb_begin_machine(2);
    fdtb_begin(node);
}

static void end(void) {
    fdtb_end();
    fdtb_end_machine();
}

/* ---- harts ------------------------------------------------------------------------- */

static bool string_says(const char *isa, const char *extension) {
    begin("cpu");
    fdtb_string("riscv,isa", isa);
    end();
    return isa_has(fdt_path("/cpu"), extension);
}

static void reads_the_string(void **state) {
    static const struct {
        const char *isa, *extension;
        bool has;
    } cases[] = {
        {"rv64imafdc", "d", true},
        {"rv64imac", "d", false},
        {"rv64imac", "f", false},
        {"rv64gc", "d", true},
        {"rv64gc", "zicsr", true},
        {"rv64gc", "h", false},
        {"RV64GC", "d", true},
        {"rv64imac_zicsr_zifencei_zihintpause", "d", false}, /* nor any d of a long name */
        {"rv64imac_zicsr_zdinx", "d", false},
        {"rv64imac_zicntr_sstc", "zicntr", true},
        {"rv64imac_zicntr2p0_sstc", "zicntr", true},
        {"rv64imac_zicntrx_sstc", "zicntr", false},
        {"rv64imacsu", "sstc", false},
        {"rv64imaczicntr", "d", false},
        {"rv64", "i", false},
        {"", "d", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (string_says(cases[i].isa, cases[i].extension) != cases[i].has)
            fail_msg("%s: %s", cases[i].isa, cases[i].extension);
}

static void reads_the_list(void **state) {
    static const char list[] = "i\0m\0a\0zicntr\0zfh";
    begin("cpu");
    fdtb_string("riscv,isa", "rv64gc"); /* the list counts */
    fdtb_prop("riscv,isa-extensions", list, sizeof list);
    end();
    fdt_node cpu = fdt_path("/cpu");
    assert_true(isa_has(cpu, "i") && isa_has(cpu, "zicntr") && isa_has(cpu, "zfh"));
    assert_false(isa_has(cpu, "d") || isa_has(cpu, "f") || isa_has(cpu, "zf"));
    begin("cpu");
    end();
    assert_true(isa_has(fdt_path("/cpu"), "d")); /* it says nothing */
    assert_false(isa_has(fdt_path("/cpu"), "zicntr"));
}

/* ---- the disk in memory -------------------------------------------------------------- */

#define SECTORS 4
static uint8_t memory[SECTORS * SECTOR_SIZE + 100];

static void disk_at(uint64_t start, uint64_t bytes, uint64_t ram, uint64_t ram_bytes) {
    begin("memory");
    fdtb_string("device_type", "memory");
    fdtb_cells("reg", 4, (uint32_t)(ram >> 32), (uint32_t)ram, (uint32_t)(ram_bytes >> 32),
               (uint32_t)ram_bytes);
    fdtb_end();
    fdtb_begin("chosen");
    fdtb_cells("linux,initrd-start", 2, (uint32_t)(start >> 32), (uint32_t)start);
    fdtb_cells("linux,initrd-end", 2, (uint32_t)((start + bytes) >> 32), (uint32_t)(start + bytes));
    end();
}

static void finds_the_disk(void **state) {
    struct fdt_reg where;
    disk_at(0x123456789000, 0x1000, 0, UINT64_MAX);
    assert_int_equal(ramdisk_where(&where), 0);
    assert_true(where.start == 0x123456789000 && where.size == 0x1000);
    disk_at(0x1000, 0, 0, UINT64_MAX);
    assert_int_equal(ramdisk_where(&where), -K_ENOENT);
    assert_false(ramdisk.start());
    disk_at(0x1000, -0x800UL, 0, UINT64_MAX); /* it ends before it begins */
    assert_int_equal(ramdisk_where(&where), -K_ENOENT);
    begin("chosen");
    fdtb_cells("linux,initrd-start", 1, 0x88000000u);
    fdtb_cells("linux,initrd-end", 1, 0x88001000u);
    end();
    assert_int_equal(ramdisk_where(&where), 0);
    assert_true(where.start == 0x88000000 && where.size == 0x1000);
    begin("chosen");
    end();
    assert_int_equal(ramdisk_where(&where), -K_ENOENT);
}

static int ask(enum blk_op op, uint64_t sector, void *data, uint32_t bytes) {
    struct blk_request rq = {.op = op, .sector = sector, .data = data, .bytes = bytes};
    ramdisk.submit(&rq);
    assert_true(rq.done);
    return ramdisk.wait(&rq);
}

static void keeps_what_is_written(void **state) {
    uint8_t data[2 * SECTOR_SIZE], got[2 * SECTOR_SIZE];
    memset(data, 'x', sizeof data);
    memset(memory, 0, sizeof memory);
    uint64_t at = (uint64_t)(uintptr_t)memory; /* the stub maps it where it is */
    disk_at(at, sizeof memory, at, sizeof memory - 1);
    assert_false(ramdisk.start());
    assert_non_null(strstr(stub_log, "not in RAM"));
    disk_at(at, sizeof memory, at + 1, sizeof memory);
    assert_false(ramdisk.start());
    disk_at(at, sizeof memory, at, sizeof memory);
    assert_true(ramdisk.start());
    assert_non_null(strstr(stub_log, "not kept"));
    assert_int_equal(ramdisk.sectors(0), SECTORS); /* whole ones */
    assert_int_equal(ask(BLK_WRITE, 1, data, sizeof data), 0);
    assert_int_equal(ask(BLK_FLUSH, 0, NULL, 0), 0);
    assert_int_equal(ask(BLK_READ, 1, got, sizeof got), 0);
    assert_memory_equal(got, data, sizeof data);
    assert_true(memory[SECTOR_SIZE - 1] == 0 && memory[3 * SECTOR_SIZE] == 0);
    assert_int_equal(ask(BLK_WRITE, SECTORS - 1, data, sizeof data), -K_EIO);
    assert_int_equal(ask(BLK_READ, UINT64_MAX, data, SECTOR_SIZE), -K_EIO);
    assert_int_equal(memory[SECTORS * SECTOR_SIZE - 1], 0);
}

/* ---- the clock ---------------------------------------------------------------------- */

static uint64_t date, rtc_time; /* what the kernel was told; what the device counts */
static uint32_t rtc_high;

void clock_set_date(uint64_t nanoseconds) { date = nanoseconds; }

/* Each read takes some time, so the halves belong together only as the device says. */
static uint32_t rtc_read(uint64_t offset, unsigned bytes) {
    assert_int_equal(bytes, 4);
    uint64_t now = rtc_time;
    rtc_time += 100;
    if (offset == 4)
        return rtc_high;
    assert_int_equal(offset, 0);
    rtc_high = (uint32_t)(now >> 32);
    return (uint32_t)now;
}

static void rtc_write(uint64_t offset, uint32_t value, unsigned bytes) { fail(); }

static void boot_with_clock(const char *compatible, uint32_t registers) {
    begin("rtc@101000");
    fdtb_string("compatible", compatible);
    fdtb_cells("reg", 4, 0u, 0x101000u, 0u, registers);
    end();
    stub_add_device(&(struct stub_device){0x101000, 8, rtc_read, rtc_write});
    date = 1;
    rtc_init();
}

static void takes_the_date(void **state) {
    rtc_time = 0x12345678fffffff0;
    boot_with_clock("google,goldfish-rtc", 0x1000);
    assert_int_equal(date, 0x12345678fffffff0);
}

static void other_clocks_are_left_alone(void **state) {
    boot_with_clock("dallas,ds1307", 0x1000);
    assert_int_equal(date, 1);
    boot_with_clock("google,goldfish-rtc", 4);
    assert_int_equal(date, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_string), cmocka_unit_test(reads_the_list),
        cmocka_unit_test(finds_the_disk),   cmocka_unit_test(keeps_what_is_written),
        cmocka_unit_test(takes_the_date),   cmocka_unit_test(other_clocks_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
