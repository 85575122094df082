/* The device tree: a tree that was built, one as QEMU gives it, and thousands of
 * damaged ones, which may give any answer but must not lead out of the blob (an
 * allocation of exactly its size, watched by the address sanitizer). */
/* sources: kernel/dev/fdt.c kernel/lib/string.c tests/host/fdtbuild.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#include "dev/fdt.h"
#include "fdtbuild.h"
#include "hostarch.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint8_t *blob;
static uint32_t blob_size;

static void build(void) {
    fdtb_start();
    fdtb_reserve(0x80000000, 0x40000);
    fdtb_reserve(0x123456789a, 1);
    fdtb_begin("");
    fdtb_cells("#address-cells", 1, 2u);
    fdtb_nop();
    fdtb_cells("#size-cells", 1, 2u);
    fdtb_nop();
    fdtb_begin("chosen");
    fdtb_string("bootargs", "panic=exit");
    fdtb_prop("unterminated", "abc", 3);
    fdtb_prop("empty", "", 0);
    fdtb_end();
    fdtb_begin("memory@80000000");
    fdtb_string("device_type", "memory");
    fdtb_cells("reg", 8, 0u, 0x80000000u, 0u, 0x8000000u, 1u, 2u, 3u, 4u);
    fdtb_end();
    fdtb_begin("cpus");
    fdtb_cells("#address-cells", 1, 1u);
    fdtb_cells("#size-cells", 1, 0u);
    fdtb_begin("cpu@0");
    fdtb_cells("reg", 1, 0u);
    fdtb_begin("interrupt-controller");
    fdtb_cells("phandle", 1, 4u);
    fdtb_end();
    fdtb_end();
    fdtb_nop();
    fdtb_begin("cpu@5");
    fdtb_cells("reg", 1, 5u);
    fdtb_end();
    fdtb_end();
    fdtb_begin("soc");
    fdtb_begin("uart@0"); /* no cell counts above: the defaults 2 and 1 */
    fdtb_prop("compatible", "vendor,x\0ns16550a", 18);
    fdtb_cells("reg", 3, 0u, 0x1000u, 0x100u);
    fdtb_string("status", "disabled");
    fdtb_end();
    fdtb_begin("uart@1");
    fdtb_prop("compatible", "ns16550", 8);
    fdtb_end();
    fdtb_begin("uart@2");
    fdtb_prop("compatible", "ns16550a\0vendor,y", 18);
    fdtb_cells("reg", 3, 1u, 0x2000u, 0x100u);
    fdtb_string("status", "okay");
    fdtb_begin("below");
    fdtb_prop("compatible", "ns16550a", 9);
    fdtb_end();
    fdtb_end();
    fdtb_end();
    fdtb_end();
    blob = fdtb_finish(&blob_size);
}

static int setup(void **state) {
    build();
    return fdt_init(blob, blob_size);
}

static int teardown(void **state) {
    free(blob);
    return 0;
}

/* A node is an offset in the structure block, where a token of four bytes stands before the name
 * (5.4.1). */
static const char *name_of(fdt_node node) {
    assert_true(node >= 0);
    const uint8_t *at = blob + 8;
    uint32_t structure = (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    return (const char *)blob + structure + node + 4;
}

static void walks(void **state) {
    assert_int_equal(fdt_size(), blob_size);
    const char *const names[] = {"chosen", "memory@80000000", "cpus", "soc"};
    size_t n = 0;
    for (fdt_node node = fdt_child(0); node != FDT_NONE; node = fdt_sibling(node))
        assert_string_equal(name_of(node), names[n++]);
    assert_int_equal(n, 4);
    assert_int_equal(fdt_sibling(0), FDT_NONE);
    assert_int_equal(fdt_child(fdt_path("/chosen")), FDT_NONE);
    assert_int_equal(fdt_child(FDT_NONE), FDT_NONE);
    assert_int_equal(fdt_sibling(FDT_NONE), FDT_NONE);
}

static void finds_paths(void **state) {
    assert_int_equal(fdt_path("/"), 0);
    assert_string_equal(name_of(fdt_path("/memory")), "memory@80000000");
    assert_string_equal(name_of(fdt_path("/memory@80000000")), "memory@80000000");
    assert_int_equal(fdt_path("/memory@8000000"), FDT_NONE);
    assert_int_equal(fdt_path("/memor"), FDT_NONE);
    assert_string_equal(name_of(fdt_path("/cpus/cpu@5")), "cpu@5");
    assert_string_equal(name_of(fdt_path("/cpus/cpu@0/interrupt-controller/")),
                        "interrupt-controller");
    assert_int_equal(fdt_path("/cpus/cpu@1"), FDT_NONE);
    assert_int_equal(fdt_path("/cpus/cpu@5/interrupt-controller"), FDT_NONE);
    assert_int_equal(fdt_path("cpus"), FDT_NONE);
    assert_int_equal(fdt_path(""), FDT_NONE);
}

static void reads_properties(void **state) {
    fdt_node chosen = fdt_path("/chosen");
    uint32_t len = 99, cell;
    assert_string_equal(fdt_string(chosen, "bootargs"), "panic=exit");
    assert_null(fdt_string(chosen, "unterminated"));
    assert_null(fdt_string(chosen, "empty"));
    assert_null(fdt_string(chosen, "missing"));
    assert_non_null(fdt_prop(chosen, "empty", &len));
    assert_int_equal(len, 0);
    assert_non_null(fdt_prop(chosen, "unterminated", &len));
    assert_int_equal(len, 3);
    assert_null(fdt_prop(FDT_NONE, "bootargs", &len));
    assert_null(fdt_prop(0, "bootargs", &len)); /* a child's, not its own */
    assert_int_equal(fdt_cell(fdt_path("/cpus/cpu@5"), "reg", 0, &cell), 0);
    assert_int_equal(cell, 5);
    assert_int_equal(fdt_cell(fdt_path("/cpus/cpu@5"), "reg", 1, &cell), -K_ENOENT);
    assert_int_equal(fdt_cell(chosen, "unterminated", 0, &cell), -K_ENOENT);
    assert_int_equal(fdt_cell(chosen, "bootargs", 1u << 30, &cell), -K_ENOENT);
}

static void reads_regs(void **state) {
    struct fdt_reg r;
    fdt_node memory = fdt_path("/memory");
    assert_int_equal(fdt_reg(memory, 0, &r), 0);
    assert_true(r.start == 0x80000000 && r.size == 0x8000000);
    assert_int_equal(fdt_reg(memory, 1, &r), 0);
    assert_true(r.start == 0x100000002 && r.size == 0x300000004);
    assert_int_equal(fdt_reg(memory, 2, &r), -K_ENOENT);
    assert_int_equal(fdt_reg(memory, UINT32_MAX, &r), -K_ENOENT);
    assert_int_equal(fdt_reg(fdt_path("/cpus/cpu@5"), 0, &r), 0);
    assert_true(r.start == 5 && r.size == 0);
    assert_int_equal(fdt_reg(fdt_path("/soc/uart@2"), 0, &r), 0);
    assert_true(r.start == 0x100002000 && r.size == 0x100);
    assert_int_equal(fdt_reg(fdt_path("/chosen"), 0, &r), -K_ENOENT);
    assert_int_equal(fdt_reg(FDT_NONE, 0, &r), -K_ENOENT);
}

static void finds_compatible_devices(void **state) {
    fdt_node n = fdt_next_compatible(FDT_NONE, "ns16550a");
    assert_string_equal(name_of(n), "uart@2"); /* uart@0 is disabled, uart@1 something else */
    n = fdt_next_compatible(n, "ns16550a");
    assert_string_equal(name_of(n), "below");
    assert_int_equal(fdt_next_compatible(n, "ns16550a"), FDT_NONE);
    assert_string_equal(name_of(fdt_next_compatible(FDT_NONE, "vendor,y")), "uart@2");
    assert_int_equal(fdt_next_compatible(FDT_NONE, "vendor"), FDT_NONE);
}

static void reads_reservations(void **state) {
    struct fdt_reg r;
    assert_int_equal(fdt_reservation(0, &r), 0);
    assert_true(r.start == 0x80000000 && r.size == 0x40000);
    assert_int_equal(fdt_reservation(1, &r), 0);
    assert_true(r.start == 0x123456789a && r.size == 1);
    assert_int_equal(fdt_reservation(2, &r), -K_ENOENT);
}

static void refuses_what_is_no_tree(void **state) {
    assert_int_equal(fdt_init(NULL, 1000), -K_EINVAL);
    assert_int_equal(fdt_init(blob, 39), -K_EINVAL);
    assert_int_equal(fdt_init(blob, blob_size - 1), -K_EINVAL);
    static const struct {
        uint32_t offset;
        uint8_t value;
    } damage[] = {
        {0, 0},  {3, 0xee}, {4, 0x80}, {8, 0x7f}, {12, 1},
        {16, 1}, {23, 16},  {27, 18},  {32, 1},   {36, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(damage); i++) {
        uint8_t was = blob[damage[i].offset];
        blob[damage[i].offset] = damage[i].value;
        assert_int_equal(fdt_init(blob, blob_size), -K_EINVAL);
        blob[damage[i].offset] = was;
    }
    assert_int_equal(fdt_init(blob, blob_size + 100), 0);
}

/* Asks everything that can be asked, of every node that can be reached. */
static void ask_all(void) {
    static const char *const names[] = {"reg",     "compatible", "status",
                                        "phandle", "bootargs",   "#size-cells"};
    static const char *const paths[] = {"/", "/chosen", "/memory", "/cpus/cpu@5",
                                        "/soc/uart/below"};
    fdt_node nodes[64];
    size_t count = 0;
    nodes[count++] = 0;
    for (size_t i = 0; i < count; i++) {
        struct fdt_reg r;
        uint32_t len, cell;
        volatile size_t used = 0;
        for (size_t k = 0; k < ARRAY_LEN(names); k++) {
            const uint8_t *p = fdt_prop(nodes[i], names[k], &len);
            for (uint32_t b = 0; p && b < len; b++)
                used += p[b];
            const char *s = fdt_string(nodes[i], names[k]);
            if (s)
                used += strlen(s);
            used += (size_t)fdt_cell(nodes[i], names[k], 0, &cell);
        }
        for (uint32_t k = 0; k < 4; k++)
            used += (size_t)fdt_reg(nodes[i], k, &r);
        for (fdt_node n = fdt_child(nodes[i]); n != FDT_NONE && count < 64; n = fdt_sibling(n))
            nodes[count++] = n;
    }
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        fdt_path(paths[i]);
    for (fdt_node n = FDT_NONE; (n = fdt_next_compatible(n, "ns16550a")) != FDT_NONE;) {
    }
    struct fdt_reg r;
    for (uint32_t i = 0; i < 100 && fdt_reservation(i, &r) == 0; i++) {
    }
}

static void survives_damage(void **state) {
    uint32_t accepted = 0;
    for (int round = 0; round < 6000; round++) {
        uint32_t size = blob_size;
        if (host_random_below(4) == 0)
            size = (uint32_t)host_random_below(blob_size + 1);
        uint8_t *copy = malloc(size);
        memcpy(copy, blob, size);
        uint32_t hits = 1 + (uint32_t)host_random_below(6);
        for (uint32_t i = 0; i < hits && size > 0; i++) {
            uint32_t at = (uint32_t)host_random_below(size);
            /* Whole words are often lengths and offsets: make them extreme. */
            static const uint8_t extremes[] = {0, 1, 0x7f, 0x80, 0xff, 0xfc};
            if (host_random_below(2) && at + 4 <= size)
                memset(copy + (at & ~3u), extremes[host_random_below(6)], 4);
            else
                copy[at] = (uint8_t)host_random();
        }
        /* Half the time with a header that passes, so that the rest is reached. */
        if (host_random_below(2) && size >= 40) {
            memcpy(copy, blob, 40);
            copy[4] = (uint8_t)(size >> 24), copy[5] = (uint8_t)(size >> 16);
            copy[6] = (uint8_t)(size >> 8), copy[7] = (uint8_t)size;
        }
        if (fdt_init(copy, size) == 0) {
            accepted++;
            ask_all();
        }
        free(copy);
    }
    assert_true(accepted > 1000);
}

/* A tree deeper than parents are followed has answers too. */
static void survives_depth(void **state) {
    fdtb_start();
    fdtb_begin("");
    for (int i = 0; i < 100; i++)
        fdtb_begin("d");
    fdtb_cells("reg", 3, 0u, 1u, 2u);
    for (int i = 0; i < 101; i++)
        fdtb_end();
    uint32_t size;
    uint8_t *deep = fdtb_finish(&size);
    assert_int_equal(fdt_init(deep, size), 0);
    ask_all();
    free(deep);
}

int main(void) {
    host_random_seed(1);
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(walks),
        T(finds_paths),
        T(reads_properties),
        T(reads_regs),
        T(finds_compatible_devices),
        T(reads_reservations),
        T(refuses_what_is_no_tree),
        T(survives_damage),
        T(survives_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
