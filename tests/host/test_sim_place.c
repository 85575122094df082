/* The text of an address: of a line, of a function, of neither; and of which image. */
/* sources: machine/image/elf.c machine/image/symbols.c machine/image/sort.c */
/* sources: machine/image/lineunit.c machine/image/lines.c machine/image/place.c */
/* sources: tests/host/linebuild.c */
#include "linebuild.h"
#include "machine/image/place.h"

static void expect_text(const struct place_image *images, size_t count, uint64_t address,
                        const char *text) {
    char buffer[100];
    place_text(images, count, address, buffer, sizeof(buffer));
    assert_string_equal(buffer, text);
}

static void test_texts(void **state) {
    static struct elfbuild kernel;
    struct place_image images[2];
    start();
    begin_unit(4, false);
    PUT_STRING("kernel");
    put(1, 0);
    PUT_STRING("mm/vm.c");
    PUT("\1\0\0");
    put(1, 0);
    begin_program();
    put_address(HIGH + TEXT);
    PUT("\3\323\1\1"); /* line 212 */
    put_end(0x20);
    finish_plain();
    elfb_section(&b, ".text", 1, HIGH + TEXT, ELFB_TEXT_AT, 0x100, 0);
    elfb_symbol(&b, "uvmunmap", 0x12, 4, HIGH + TEXT, 0x10);
    elfb_symbol(&b, "kvmmap", 0x12, 4, HIGH + TEXT + 0x40, 0x40);
    kernel = b;
    struct elf elf = open_elf(&kernel);
    assert_true(place_image_read(&images[0], &elf));

    begin_plain();
    some_program();
    finish_plain();
    elf = open_elf(&b);
    assert_true(place_image_read(&images[1], &elf));

    expect_text(images, 2, HIGH + TEXT, "vm.c:212 (uvmunmap)");
    expect_text(images, 2, HIGH + TEXT + 0xf, "vm.c:212 (uvmunmap)");
    expect_text(images, 2, HIGH + TEXT + 0x10, "vm.c:212");
    expect_text(images, 2, HIGH + TEXT + 0x20, "0xffffffc080001020");
    expect_text(images, 2, HIGH + TEXT + 0x40, "kvmmap");
    expect_text(images, 2, HIGH + TEXT + 0x5c, "kvmmap+0x1c");
    expect_text(images, 2, TEXT, "vm.c:9"); /* the second one's virtual address */
    expect_text(images, 1, TEXT, "vm.c:212 (uvmunmap)");
    expect_text(images, 1, TEXT + 0x1000, "0x80002000");
    expect_text(images, 0, 0x12, "0x12");
    char small[8] = "1234567";
    place_text(images, 2, HIGH + TEXT, small, 7);
    assert_memory_equal(small, "vm.c:2\0", 8);

    place_image_free(&images[0]);
    place_image_free(&images[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
