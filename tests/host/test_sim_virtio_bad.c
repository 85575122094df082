/* The emulator's disk device and drivers that break the rules, one by one and all at once. */
/* sources: machine/dev/virtio_blk.c machine/dev/virtio_queue.c machine/dev/virtio_request.c */
/* sources: machine/dev/disk.c machine/dev/blocks.c tests/host/simenv.c tests/host/simdriver.c */
#include "simdriver.h"

/* The device wants a reset, says so, does nothing until then, and works after it. */
static void assert_broken(void) {
    assert_int_equal(get(R_STATUS) & NEEDS_RESET, NEEDS_RESET);
    assert_int_equal(dev.waiting, 0);
    if (get(R_STATUS) & 4) {
        assert_true(world.wire[SOURCE]);
        assert_int_equal(get(R_INTERRUPT) & 2, 2);
    }
    set(R_STATUS, 15);
    assert_int_equal(get(R_STATUS), 15 | NEEDS_RESET);
    set(0x44, 1); /* anew, if it could */
    made = 0;
    request(0, IN, 0, DATA, 512);
    offer(0);
    run();
    assert_int_equal(peek(STATUSES, 1), UNSET);
    start(F_FLUSH);
    assert_int_equal(does(IN, 0, 512), OK);
}

/* A request for which one descriptor is another one. */
static void assert_breaks(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next) {
    request(0, IN, 0, DATA, 512);
    describe(i, addr, len, flags, next);
    offer(0);
    assert_int_equal(dev.waiting, 1);
    run();
    assert_int_equal(peek(STATUSES, 1), UNSET);
    assert_broken();
}

static void bad_chains(void **state) {
    start(F_FLUSH);
    assert_breaks(0, HEADERS, 16, F_NEXT, 0); /* itself */
    assert_breaks(1, DATA, 512, F_NEXT | F_WRITE, 1);
    assert_breaks(2, STATUSES, 1, F_NEXT | F_WRITE, 2);
    assert_breaks(2, STATUSES, 1, F_NEXT | F_WRITE, NUM); /* not in the table */
    assert_breaks(0, HEADERS, 16, F_NEXT, 0xffff);
    describe(NUM + 4, STATUSES, 1, F_WRITE, 0); /* would do, if it were in the table */
    assert_breaks(1, DATA, 512, F_NEXT | F_WRITE, NUM + 4);
    assert_breaks(0, HEADERS, 15, F_NEXT, 1); /* no whole header */
    assert_breaks(0, HEADERS, 16, 0, 1);      /* nothing else */
    assert_breaks(0, HEADERS, 16, F_WRITE, 1);
    assert_breaks(0, HEADERS, 0, F_NEXT, 1);
    assert_breaks(2, STATUSES, 0, F_WRITE, 0);
    assert_breaks(2, STATUSES, 1, 0, 0); /* read after written */
    assert_breaks(1, DATA, 512, F_NEXT | F_WRITE | F_INDIRECT, 2);
    assert_breaks(0, RAM_START - 1, 16, F_NEXT, 1); /* no RAM */
    assert_breaks(0, RAM_END - 15, 16, F_NEXT, 1);
    assert_breaks(1, RAM_END - 511, 512, F_NEXT | F_WRITE, 2);
    assert_breaks(1, DATA, UINT32_MAX, F_NEXT | F_WRITE, 2);
    assert_breaks(1, UINT64_MAX, 512, F_NEXT | F_WRITE, 2);
    assert_breaks(2, 0, 1, F_WRITE, 0);
}

/* In the longest queue a chain has a header, 254 pieces of data and a status, not more. */
static void long_chains(void **state) {
    uint64_t desc = DATA, avail = desc + 16 * 1024, used = avail + 4096, data = used + 16384;
    for (unsigned pieces = 254; pieces <= 255; pieces++) {
        negotiate(F_FLUSH);
        start_queue(1024, desc, avail, used);
        header(0, IN, 1);
        memset(at(desc), 0, data - desc);
        for (unsigned i = 0; i < pieces + 2; i++) {
            uint64_t d = desc + 16 * (1023 - i);
            poke(d, 8, i == 0 ? HEADERS : i <= pieces ? data : STATUSES);
            poke(d + 8, 4, i == 0 ? 16 : i <= pieces ? 512 : 1);
            poke(d + 12, 2, (i ? F_WRITE : 0) | (i <= pieces ? F_NEXT : 0));
            poke(d + 14, 2, 1022 - i);
        }
        poke(avail + 4, 2, 1023);
        poke(avail + 2, 2, 1);
        set(R_NOTIFY, 0);
        run();
        assert_int_equal(peek(STATUSES, 1), pieces == 254 ? OK : UNSET);
        assert_int_equal(peek(used + 4, 4), pieces == 254 ? 1023 : 0);
    }
    assert_broken();
}

static void bad_indices(void **state) {
    start(F_FLUSH);
    request(0, IN, 0, DATA, 512);
    offer(NUM); /* no such head */
    assert_broken();
    poke(AVAIL + 2, 2, made + NUM + 1); /* more than there are */
    set(R_NOTIFY, 0);
    assert_broken();
    request(0, IN, 0, DATA, 512);
    offer(0);
    offer(0); /* is not answered yet */
    assert_broken();
    for (unsigned i = 0; i < NUM; i++) { /* as many as there are */
        request(i, 11, 0, 0, 0);
        describe(i, HEADERS, 16, F_NEXT, NUM - 1);
        offer(i);
    }
    assert_int_equal(dev.waiting, NUM);
    describe(NUM - 1, STATUSES, 1, F_WRITE, 0);
    run();
    assert_broken(); /* the last one has no header */
}

static void bad_queues(void **state) {
    static const struct {
        uint32_t num;
        uint64_t desc, avail, used;
    } bad[] = {
        {0, DESC, AVAIL, USED},
        {NUM - 1, DESC, AVAIL, USED},
        {2048, DESC, AVAIL, USED},
        {1u << 31, DESC, AVAIL, USED},
        {NUM, DESC + 8, AVAIL, USED},
        {NUM, DESC, AVAIL + 1, USED},
        {NUM, DESC, AVAIL, USED + 2},
        {NUM, RAM_END - 16, AVAIL, USED},
        {NUM, DESC, RAM_END - 16, USED},
        {NUM, DESC, AVAIL, RAM_END},
        {NUM, UINT64_MAX - 15, AVAIL, USED},
        {NUM, DESC, UINT64_MAX - 1, USED},
        {NUM, DESC, AVAIL, UINT64_MAX - 3},
        {NUM, DESC, 0, USED},
        {NUM, DESC, AVAIL, RAM_START - 4},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        negotiate(F_FLUSH);
        start_queue(bad[i].num, bad[i].desc, bad[i].avail, bad[i].used);
        request(0, IN, 0, DATA, 512);
        offer(0);
        run();
        assert_broken();
    }
    start(F_FLUSH);
    set_address(0x80, 0); /* it is in use: no matter */
    set(0x38, 1);
    assert_int_equal(does(IN, 0, 512), OK);
}

static void bad_legacy_queues(void **state) {
    static const uint32_t bad[][3] = {{0, 4096, 4},          {4096, 3, 4},
                                      {4095, 4096, 4},       {4096, 1, 4},
                                      {4096, 0, 4},          {1u << 31, 4096, UINT32_MAX},
                                      {12288, 4096, 174763}, {4096, 12288, 0x80000}};
    power_on(1, true);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        negotiate(0);
        set(0x28, bad[i][0]);
        set(0x3c, bad[i][1]);
        set(0x40, bad[i][2]);
        assert_int_equal(get(0x40), bad[i][2]);
        set(R_STATUS, 7);
        set(R_NOTIFY, 0);
        assert_int_equal(get(R_STATUS), 7 | NEEDS_RESET);
    }
    start(0);
    assert_int_equal(does(IN, 0, 512), OK);
    set(0x40, 0);
    offer(0);
    assert_int_equal(dev.waiting, 0);
}

/* ---- any driver -------------------------------------------------------------------------- */

static uint64_t any_address(void) {
    static const uint64_t special[] = {0, RAM_START - 8, RAM_END - 8, RAM_END, UINT64_MAX - 7};
    uint64_t r = random64();
    return r % 32 ? RAM_START + (r >> 8) % RAM_BYTES : special[(r >> 8) % 5];
}

static void any_request(unsigned head) {
    static const uint32_t types[] = {IN, OUT, FLUSH, GET_ID, 11};
    static const uint32_t sizes[] = {1, 16, 20, 512, 4096, 100000};
    uint64_t r = random64();
    uint32_t size = sizes[r & 1 ? 3 : (r >> 16) % 6];
    request(head, types[(r >> 1) % 5], (r >> 8) % (SECTORS + 9), any_address(), size);
    if (r >> 32 & 7)
        return;
    uint16_t flags = (r >> 48) % 16 ? (r >> 48 & 3) : (uint16_t)(r >> 48);
    describe((unsigned)(r >> 40) % NUM, any_address(), sizes[(r >> 35) % 6], flags,
             (uint16_t)(r >> 56) % (NUM + 1));
}

static void another_machine(uint64_t r) {
    power_on(1 + (r & 1), r & 2);
    dev.read_only = (r & 28) == 0;
    dev.seed = r;
}

static void any_driver(void **state) {
    unsigned broken = 0, done = 0;
    for (int i = 0; i < 200000; i++) {
        uint64_t r = random64();
        if (i % 1000 == 0) {
            done += (unsigned)(disk.requests - disk.failed);
            another_machine(r >> 32);
        }
        if (i % 50 == 0 || ((get(R_STATUS) & NEEDS_RESET) && r % 4 == 0)) {
            broken += get(R_STATUS) >> 6 & 1;
            start(r >> 20 & 1 ? F_FLUSH : 0);
        }
        struct access a = any_access(0x120);
        if (!a.write)
            virtio_blk_read(&env, &dev, a.offset, a.size);
        else if ((r >> 30) % 16 == 0)
            virtio_blk_write(&env, &dev, a.offset, a.size, a.value);
        unsigned head = (unsigned)(r >> 40) % 5 * 3;
        any_request(head);
        offer((r >> 50) % 32 ? head : (unsigned)(r >> 44) % (NUM + 2));
        world.now += random64() % 100000;
        run();
        if ((r >> 55) % 256 == 0) {
            assert_true(virtio_blk_cut(&env, &dev, &disk, r));
            assert_int_equal(dev.waiting, 0);
        }
        assert_between(dev.waiting, 0, VIRTIO_QUEUE_MAX);
        assert_int_equal(virtio_blk_next_ns(&dev) == UINT64_MAX, dev.waiting == 0);
    }
    assert_true(broken > 1000 && done > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_DISK(bad_chains), WITH_DISK(long_chains),       WITH_DISK(bad_indices),
        WITH_DISK(bad_queues), WITH_DISK(bad_legacy_queues), WITH_DISK(any_driver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
