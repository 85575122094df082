/* The emulator's disk device, both interfaces, with a driver that keeps the rules and drivers that
 * break them. */
/* sources: machine/dev/virtio_blk.c machine/dev/virtio_queue.c machine/dev/virtio_request.c */
/* sources: machine/dev/disk.c machine/dev/blocks.c tests/host/simenv.c */
#include "machine/dev/bytes.h"
#include "machine/dev/virtio_blk.h"
#include "simenv.h"
#include <stdlib.h>

#define SOURCE 8
#define SECTORS 512
#define NUM 16

/* Where the driver has things, as the legacy layout wants them: a page of descriptors and available
 * ring, and the used ring in the next one. */
#define DESC RAM_START
#define AVAIL (DESC + 16 * NUM)
#define USED (RAM_START + 4096)
#define HEADERS (RAM_START + 8192)
#define STATUSES (HEADERS + 16 * NUM)
#define DATA (RAM_START + 16384)
#define RAM_END (RAM_START + RAM_BYTES)
enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };
enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, UNSET = 0xee };
enum { R_STATUS = 0x70, R_NOTIFY = 0x50, R_INTERRUPT = 0x60, R_ACK = 0x64 };
#define NEEDS_RESET 64
#define F_FLUSH (1 << 9)

static struct virtio_blk dev;
static struct disk disk;
static uint16_t made, seen; /* indices of the rings, as the driver has them */

static uint32_t get(uint64_t reg) { return (uint32_t)virtio_blk_read(&env, &dev, reg, 4); }
static void set(uint64_t reg, uint32_t v) { virtio_blk_write(&env, &dev, reg, 4, v); }

static uint8_t *at(uint64_t pa) { return world.ram + (pa - RAM_START); }
static void poke(uint64_t pa, unsigned bytes, uint64_t v) { bytes_put(at(pa), bytes, v); }
static uint64_t peek(uint64_t pa, unsigned bytes) { return bytes_get(at(pa), bytes); }

static void set_address(uint64_t reg, uint64_t pa) {
    set(reg, (uint32_t)pa);
    set(reg + 4, (uint32_t)(pa >> 32));
}

/* 3.1.1, up to the queue. */
static void negotiate(uint32_t features) {
    set(R_STATUS, 0);
    set(R_STATUS, 1);
    set(R_STATUS, 3);
    set(0x24, 0);
    set(0x20, features);
    if (dev.version == 2) {
        set(0x24, 1);
        set(0x20, 1);
        set(0x24, 2);
        set(0x20, 0); /* there are no features that high */
        set(R_STATUS, 11);
        assert_int_equal(get(R_STATUS), 11);
    }
    made = seen = 0;
    memset(world.ram, 0, DATA - RAM_START);
    set(0x30, 0);
    set(0x38, NUM);
}

static void start(uint32_t features) {
    negotiate(features);
    if (dev.version == 2) {
        set_address(0x80, DESC);
        set_address(0x90, AVAIL);
        set_address(0xa0, USED);
        set(0x44, 1);
        set(R_STATUS, 15);
    } else {
        set(0x28, 4096);
        set(0x3c, 4096);
        set(0x40, RAM_START / 4096);
        set(R_STATUS, 7);
    }
    assert_int_equal(get(R_STATUS), dev.version == 2 ? 15 : 7);
}

static void power_on(uint32_t version, bool prompt) {
    memset(&dev, 0xff, sizeof dev);
    dev.source = SOURCE;
    dev.version = version;
    dev.present = true;
    dev.read_only = false;
    dev.prompt = prompt;
    dev.sectors = SECTORS;
    dev.seed = 1;
    virtio_blk_reset(&dev);
    disk_close(&disk);
    assert_true(disk_open(&disk, NULL, 0, SECTORS));
}

static int setup(void **state) {
    memset(&world, 0, sizeof world);
    world.ram = calloc(1, RAM_BYTES);
    power_on(2, true);
    return 0;
}

static int teardown(void **state) {
    disk_close(&disk);
    free(world.ram);
    return 0;
}

/* ---- a driver ------------------------------------------------------------------ */

static void describe(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next) {
    poke(DESC + 16 * i, 8, addr);
    poke(DESC + 16 * i + 8, 4, len);
    poke(DESC + 16 * i + 12, 2, flags);
    poke(DESC + 16 * i + 14, 2, next);
}

static void header(unsigned head, uint32_t type, uint64_t sector) {
    poke(HEADERS + 16 * head, 4, type);
    poke(HEADERS + 16 * head + 8, 8, sector);
    poke(STATUSES + head, 1, UNSET);
}

/* A request in the descriptors from head on, with its data, if any, in one. */
static void request(unsigned head, uint32_t type, uint64_t sector, uint64_t data, uint32_t bytes) {
    unsigned i = head;
    header(head, type, sector);
    describe(i, HEADERS + 16 * head, 16, F_NEXT, (uint16_t)(i + 1));
    i++;
    if (bytes) {
        describe(i, data, bytes, F_NEXT | (type == OUT ? 0 : F_WRITE), (uint16_t)(i + 1));
        i++;
    }
    describe(i, STATUSES + head, 1, F_WRITE, 0);
}

static void offer(unsigned head) {
    poke(AVAIL + 4 + 2 * (made % NUM), 2, head);
    poke(AVAIL + 2, 2, ++made);
    set(R_NOTIFY, 0);
}

static void run(void) { virtio_blk_run(&env, &dev, &disk); }

/* The head that is answered next, or -1. */
static int answered(uint32_t *bytes) {
    if (seen == peek(USED + 2, 2))
        return -1;
    uint64_t entry = USED + 4 + 8 * (seen++ % NUM);
    *bytes = (uint32_t)peek(entry + 4, 4);
    return (int)peek(entry, 4);
}

/* Does what stands at head; its status. */
static uint8_t result(unsigned head, uint32_t *bytes) {
    offer(head);
    world.now += 200000;
    run();
    assert_int_equal(answered(bytes), head);
    assert_int_equal(answered(bytes), -1);
    assert_int_equal(dev.waiting, 0);
    assert_int_equal(virtio_blk_next_ns(&dev), UINT64_MAX);
    return (uint8_t)peek(STATUSES + head, 1);
}

static uint8_t does(uint32_t type, uint64_t sector, uint32_t bytes) {
    uint32_t stored;
    request(0, type, sector, DATA, bytes);
    return result(0, &stored);
}

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

/* ---- time ----------------------------------------------------------------------------- */

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

/* ---- drivers that break the rules ------------------------------------------------------ */

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
        set(0x38, 1024);
        set_address(0x80, desc);
        set_address(0x90, avail);
        set_address(0xa0, used);
        set(0x44, 1);
        set(R_STATUS, 15);
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
        set(0x38, bad[i].num);
        set_address(0x80, bad[i].desc);
        set_address(0x90, bad[i].avail);
        set_address(0xa0, bad[i].used);
        set(0x44, 1);
        set(R_STATUS, 15);
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
        cmocka_unit_test_setup_teardown(says_what_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(features_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(data_goes_and_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(pieces_of_any_size, setup, teardown),
        cmocka_unit_test_setup_teardown(identity_string, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_requests_fail_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(serves_when_it_may, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_overtake, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flush_is_of_what_was_done, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_feature_writes_are_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_chains, setup, teardown),
        cmocka_unit_test_setup_teardown(long_chains, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_indices, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_queues, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_legacy_queues, setup, teardown),
        cmocka_unit_test_setup_teardown(any_driver, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
