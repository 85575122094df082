/* The emulator's disk device: when requests are done, in which order, and what a loss of power
 * takes away. */
/* sources: machine/dev/virtio_blk.c machine/dev/virtio_queue.c machine/dev/virtio_request.c */
/* sources: machine/dev/disk.c machine/dev/blocks.c tests/host/simenv.c tests/host/simdriver.c */
#include "simdriver.h"

/* Submits five reads at once; the order in which they are answered, as a number. */
static unsigned order_of_five(void) {
    unsigned order = 0;
    uint64_t begin = world.now;
    uint32_t bytes;
    for (unsigned i = 0; i < 5; i++) {
        request(3 * i, IN, i, DATA + 512 * i, 512);
        offer(3 * i);
    }
    for (unsigned i = 0; i < 5; i++) {
        uint64_t next = virtio_blk_next_ns(&dev);
        assert_between(next - begin, 20000, 200000);
        world.now = next - 1;
        run();
        assert_int_equal(answered(&bytes), -1);
        world.now = next;
        run();
        int head = answered(&bytes);
        assert_true(head >= 0 && head % 3 == 0);
        order = order * 5 + (unsigned)head / 3;
    }
    assert_int_equal(virtio_blk_next_ns(&dev), UINT64_MAX);
    return order;
}

static void requests_overtake(void **state) {
    unsigned in_order = ((1 * 5 + 2) * 5 + 3) * 5 + 4, first[100], overtaken = 0, differ = 0;
    for (int pass = 0; pass < 3; pass++) {
        power_on(2, false);
        dev.seed = pass < 2 ? 77 : 78;
        start(F_FLUSH);
        for (unsigned i = 0; i < 100; i++) {
            unsigned order = order_of_five();
            if (pass == 0)
                first[i] = order;
            else if (pass == 1)
                assert_int_equal(order, first[i]); /* the seed says it all */
            overtaken += order != in_order;
            differ += order != first[i];
        }
    }
    assert_true(overtaken > 200 && differ > 50);
    power_on(2, true);
    start(F_FLUSH);
    for (unsigned i = 0; i < 5; i++) {
        request(3 * i, IN, i, DATA, 512);
        offer(3 * i);
    }
    run();
    uint32_t bytes;
    for (int i = 0; i < 5; i++)
        assert_int_equal(answered(&bytes), 3 * i);
}

/* How often a sector of the disk is lost, of 100 losses of power. */
static unsigned times_lost(uint64_t sector) {
    struct disk copy = {0};
    static struct virtio_blk other;
    uint8_t bytes[DISK_SECTOR];
    unsigned lost = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        assert_true(disk_copy(&copy, &disk));
        other = dev;
        assert_true(virtio_blk_cut(&env, &other, &copy, seed));
        assert_int_equal(other.waiting, 0);
        disk_get(&copy, sector, bytes);
        lost += bytes[0] == 0;
    }
    disk_close(&copy);
    return lost;
}

static void a_flush_is_of_what_was_done(void **state) {
    power_on(2, false);
    start(F_FLUSH);
    memset(at(DATA), 1, 512);
    assert_int_equal(does(OUT, 7, 512), OK);
    assert_between(times_lost(7), 20, 80);
    for (int tries = 0; tries < 50; tries++) { /* until the write has overtaken the flush */
        uint32_t bytes;
        request(0, FLUSH, 0, 0, 0);
        request(4, OUT, 8, DATA, 512);
        offer(0);
        offer(4);
        world.now = virtio_blk_next_ns(&dev);
        run();
        bool overtaken = answered(&bytes) == 4;
        world.now += 200000;
        run();
        assert_true(answered(&bytes) >= 0);
        assert_int_equal(times_lost(7), 0);
        if (overtaken) {
            assert_between(times_lost(8), 20, 80);
            assert_int_equal(does(FLUSH, 0, 0), OK);
            assert_int_equal(times_lost(8), 0);
            return;
        }
        assert_int_equal(does(FLUSH, 0, 0), OK);
        memset(at(DATA), 0, 512); /* once more, with nothing there */
        assert_int_equal(does(OUT, 8, 512), OK);
        assert_int_equal(does(FLUSH, 0, 0), OK);
        memset(at(DATA), 1, 512);
    }
    fail_msg("a write never overtakes a flush");
}

static void without_the_feature_writes_are_durable(void **state) {
    for (uint32_t version = 1; version <= 2; version++) {
        power_on(version, false);
        start(0);
        memset(at(DATA), 1, 512);
        assert_int_equal(does(OUT, 7, 512), OK);
        assert_int_equal(times_lost(7), 0);
        assert_int_equal(does(FLUSH, 0, 0), UNSUPP);
        request(0, OUT, 8, DATA, 512); /* is asked for when the power fails */
        offer(0);
        assert_between(times_lost(8), 20, 80);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_DISK(requests_overtake),
        WITH_DISK(a_flush_is_of_what_was_done),
        WITH_DISK(without_the_feature_writes_are_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
