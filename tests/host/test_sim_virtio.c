/* The emulator's disk device, both interfaces: what it is, requests and interrupts. (Time:
 * test_sim_virtio_time.c; drivers that break the rules: test_sim_virtio_bad.c.) */
/* sources: machine/dev/virtio_blk.c machine/dev/virtio_queue.c machine/dev/virtio_request.c */
/* sources: machine/dev/disk.c machine/dev/blocks.c tests/host/simenv.c tests/host/simdriver.c */
#include "simdriver.h"

/* ---- identity and negotiation ---------------------------------------------------- */

static void says_what_it_is(void **state) {
    for (uint32_t version = 1; version <= 2; version++) {
        power_on(version, true);
        assert_int_equal(get(0), 0x74726976);
        assert_int_equal(get(4), version);
        assert_int_equal(get(8), 2);
        assert_int_equal(get(0x34), 1024);
        set(0x30, 1);
        assert_int_equal(get(0x34), 0); /* there is no queue 1 */
        assert_int_equal(get(0x10), 1 << 2 | 1 << 9);
        set(0x14, 1);
        assert_int_equal(get(0x10), version == 2);
        set(0x14, 2);
        assert_int_equal(get(0x10), 0);
        assert_int_equal(get(0xb0), version == 2 ? UINT32_MAX : 0);
        dev.read_only = true;
        set(0x14, 0);
        assert_int_equal(get(0x10), 1 << 2 | 1 << 5 | 1 << 9);
    }
    dev.present = false;
    virtio_blk_reset(&dev);
    assert_int_equal(get(0), 0x74726976);
    assert_int_equal(get(8), 0);
    set(R_STATUS, 1);
    assert_int_equal(get(R_STATUS), 0);
}

static void configuration(void **state) {
    dev.sectors = 0x123456789abcdef0;
    assert_int_equal(virtio_blk_read(&env, &dev, 0x100, 8), dev.sectors);
    assert_int_equal(virtio_blk_read(&env, &dev, 0x104, 4), 0x12345678);
    assert_int_equal(virtio_blk_read(&env, &dev, 0x101, 2), 0xbcde);
    assert_int_equal(virtio_blk_read(&env, &dev, 0x107, 1), 0x12);
    assert_int_equal(get(0x10c), 254);
    assert_int_equal(virtio_blk_read(&env, &dev, 0x10c, 8), 254);
    assert_int_equal(virtio_blk_read(&env, &dev, 0x110, 8), 0);
    set(0x100, 5);
    assert_int_equal(virtio_blk_read(&env, &dev, 0x100, 8), dev.sectors);
}

static void features_are_checked(void **state) {
    static const uint32_t wrong[][2] = {{0, 0}, {F_FLUSH, 0}, {1, 1}, {0, 3}, {1 << 28, 1}};
    for (unsigned i = 0; i < 5; i++) {
        set(R_STATUS, 0);
        set(R_STATUS, 3);
        for (uint32_t half = 0; half < 2; half++) {
            set(0x24, half);
            set(0x20, wrong[i][half]);
        }
        set(R_STATUS, 11);
        assert_int_equal(get(R_STATUS), 3);
    }
    start(F_FLUSH);
    set(0x24, 0);
    set(0x20, 0); /* too late */
    assert_int_equal(does(FLUSH, 0, 0), OK);
    power_on(1, true);
    start(F_FLUSH | 1 << 28);
    assert_int_equal(dev.driver_features, F_FLUSH);
    assert_int_equal(does(FLUSH, 0, 0), OK);
}

/* ---- requests ---------------------------------------------------------------------- */

static void data_goes_and_comes(void **state) {
    for (uint32_t version = 1; version <= 2; version++) {
        power_on(version, version == 1);
        start(F_FLUSH);
        static uint8_t model[8192];
        for (unsigned i = 0; i < sizeof model; i++)
            model[i] = *at(DATA + i) = (uint8_t)random64();
        uint32_t stored;
        request(3, OUT, 100, DATA, 8192);
        assert_int_equal(result(3, &stored), OK);
        assert_int_equal(stored, 1);
        assert_int_equal(does(FLUSH, 0, 0), OK);
        memset(at(DATA), 0, sizeof model);
        request(5, IN, 108, DATA, 4096);
        assert_int_equal(result(5, &stored), OK);
        assert_int_equal(stored, 4097);
        assert_memory_equal(at(DATA), model + 4096, 4096);
        assert_int_equal(*at(DATA + 4096), 0);
        assert_int_equal(disk.reads, 1);
        assert_int_equal(disk.writes, 1);
        assert_int_equal(disk.flushes, 1);
        for (unsigned i = 0; i < 70000; i += 7) /* the indices run over */
            assert_int_equal(does(i % 2 ? OUT : IN, i % SECTORS, 512), OK);
    }
}

static void pieces_of_any_size(void **state) {
    static uint8_t model[2048];
    start(F_FLUSH);
    for (unsigned round = 0; round < 2000; round++) {
        bool in = round & 1;
        uint8_t text[16 + 2048]; /* header and data, or data and status */
        if (!in)
            for (unsigned i = 0; i < sizeof model; i++)
                model[i] = (uint8_t)random64();
        header(0, in ? IN : OUT, 40);
        memcpy(text, at(HEADERS), 16);
        memcpy(text + 16, model, sizeof model);
        uint32_t pieces = 0, total = in ? 2049 : 2064;
        uint64_t where = DATA;
        if (in)
            describe(pieces++, HEADERS, 16, F_NEXT, 1);
        for (uint32_t done = 0, n; done < total; done += n, where += n + 3) {
            n = pieces == NUM - 2 ? total - done : (uint32_t)(random64() % (total - done)) + 1;
            if (!in)
                memcpy(at(where), text + done, n);
            bool last = in && done + n == total;
            describe(pieces, where, n, (in ? F_WRITE : 0) | (last ? 0 : F_NEXT),
                     (uint16_t)(pieces + 1));
            pieces++;
        }
        if (!in)
            describe(pieces, STATUSES, 1, F_WRITE, 0);
        memset(text, UNSET, sizeof text);
        uint32_t stored, got = 0;
        result(0, &stored);
        assert_int_equal(stored, in ? 2049 : 1);
        if (!in)
            assert_int_equal(peek(STATUSES, 1), OK);
        for (uint32_t i = 1; in && i < pieces; i++) {
            uint32_t n = (uint32_t)peek(DESC + 16 * i + 8, 4);
            memcpy(text + got, at(peek(DESC + 16 * i, 8)), n);
            got += n;
        }
        if (in) {
            assert_memory_equal(text, model, sizeof model);
            assert_int_equal(text[sizeof model], OK);
        }
    }
}

static void identity_string(void **state) {
    uint32_t stored;
    start(0);
    request(0, GET_ID, 0, DATA, 20);
    assert_int_equal(result(0, &stored), OK);
    assert_int_equal(stored, 21);
    assert_string_equal((char *)at(DATA), "trellis-disk");
    assert_int_equal(does(GET_ID, 0, 19), IOERR);
}

static void wrong_requests_fail_alone(void **state) {
    start(F_FLUSH);
    assert_int_equal(does(IN, SECTORS - 1, 512), OK);
    assert_int_equal(does(IN, SECTORS, 512), IOERR);
    assert_int_equal(does(OUT, SECTORS - 1, 1024), IOERR);
    assert_int_equal(does(IN, UINT64_MAX, 512), IOERR);
    assert_int_equal(does(IN, 0, 100), IOERR);
    assert_int_equal(does(IN, 0, 0), IOERR);
    assert_int_equal(does(OUT, 0, 513), IOERR);
    assert_int_equal(does(FLUSH, 0, 512), IOERR);
    assert_int_equal(does(11, 0, 0), UNSUPP);
    assert_int_equal(does(UINT32_MAX, 0, 512), UNSUPP);
    uint32_t stored;
    request(0, OUT, 0, DATA, 512);
    describe(1, DATA, 512, F_NEXT | F_WRITE, 2); /* a write of what is to be written */
    assert_int_equal(result(0, &stored), IOERR);
    assert_int_equal(stored, 0);
    request(0, IN, 0, DATA, 512);
    describe(1, DATA, 512, F_NEXT, 2);
    assert_int_equal(result(0, &stored), IOERR);
    request(0, OUT, 0, DATA, 512);
    describe(2, DATA, 512, F_NEXT | F_WRITE, 3); /* both ways */
    describe(3, STATUSES, 1, F_WRITE, 0);
    assert_int_equal(result(0, &stored), IOERR);
    disk.fail_request = disk.requests + 1;
    assert_int_equal(does(FLUSH, 0, 0), IOERR);
    assert_int_equal(does(FLUSH, 0, 0), OK);
    dev.read_only = true;
    assert_int_equal(does(OUT, 0, 512), IOERR);
    assert_int_equal(does(IN, 0, 512), OK);
    assert_int_equal(get(R_STATUS), 15);
}

/* ---- interrupts ---------------------------------------------------------------------- */

static void interrupts(void **state) {
    uint32_t bytes;
    start(F_FLUSH);
    request(0, IN, 0, DATA, 512);
    offer(0);
    assert_int_equal(virtio_blk_next_ns(&dev), world.now);
    assert_false(world.wire[SOURCE]);
    run();
    assert_true(world.wire[SOURCE]);
    assert_int_equal(get(R_INTERRUPT), 1);
    set(R_ACK, 2);
    assert_true(world.wire[SOURCE]);
    set(R_ACK, 1);
    assert_false(world.wire[SOURCE]);
    assert_int_equal(answered(&bytes), 0);
    poke(AVAIL, 2, 1); /* no interrupt, please */
    assert_int_equal(does(IN, 0, 512), OK);
    assert_false(world.wire[SOURCE]);
    poke(AVAIL, 2, 0);
    assert_int_equal(does(IN, 0, 512), OK);
    assert_true(world.wire[SOURCE]);
    set(R_STATUS, 0);
    assert_false(world.wire[SOURCE]);
    assert_int_equal(get(R_INTERRUPT), 0);
}

static void serves_when_it_may(void **state) {
    start(F_FLUSH);
    request(0, IN, 0, DATA, 512);
    set(R_STATUS, 11); /* not DRIVER_OK */
    offer(0);
    run();
    assert_int_equal(peek(STATUSES, 1), UNSET);
    set(R_STATUS, 15);
    set(R_NOTIFY, 1); /* another queue */
    run();
    assert_int_equal(peek(STATUSES, 1), UNSET);
    set(R_NOTIFY, 0);
    run();
    assert_int_equal(peek(STATUSES, 1), OK);
    seen = 1;
    set(0x44, 1); /* as it is */
    set(0x30, 1);
    set(0x44, 0); /* of another queue */
    assert_int_equal(get(0x44), 0);
    set(0x30, 0);
    assert_int_equal(get(0x44), 1);
    assert_int_equal(does(IN, 0, 512), OK);
    request(0, IN, 0, DATA, 512);
    offer(0);
    set(0x44, 0); /* the queue is taken away */
    assert_int_equal(get(0x44), 0);
    run();
    assert_int_equal(peek(STATUSES, 1), UNSET);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_DISK(says_what_it_is),           WITH_DISK(configuration),
        WITH_DISK(features_are_checked),      WITH_DISK(data_goes_and_comes),
        WITH_DISK(pieces_of_any_size),        WITH_DISK(identity_string),
        WITH_DISK(wrong_requests_fail_alone), WITH_DISK(interrupts),
        WITH_DISK(serves_when_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
