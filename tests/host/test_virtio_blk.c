/* The disk driver against a disk in the host's memory: one that finishes
 * requests when and in the order the test likes, that fails, lies, or breaks, and
 * that checks what the driver writes against virtio 1.1. */
/* sources: kernel/dev/blk.c kernel/dev/ramdisk.c kernel/dev/bootargs.c kernel/dev/fdt.c */
/* sources: kernel/lib/string.c kernel/lib/printf.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "dev/virtio_blk.c" /* itself, so that each test starts with a fresh driver */

#include "devstub.h"
#include "fdtbuild.h"
#include "virtiosim.h"

/* ---- the machine ---------------------------------------------------------*/

static uint32_t other_id; /* the device at other addresses */
static uint32_t other_read(uint64_t offset, unsigned bytes) {
    return offset == R_MAGIC ? MAGIC : offset == R_VERSION ? 2 : other_id;
}
static void other_write(uint64_t offset, uint32_t v, unsigned bytes) { fail(); }

static void add_node(const char *name, uint32_t start) {
    fdtb_begin(name);
    fdtb_string("compatible", "virtio,mmio");
    fdtb_cells("reg", 4, 0u, start, 0u, 0x1000u);
    fdtb_cells("interrupts", 1, (uint32_t)(start == SIM ? IRQ : 1));
    fdtb_end();
}

/* A device above the disk (none, or another disk) and one below (none, or a network card). */
static void make_machine(bool ascending, uint32_t below) {
    fdtb_begin_machine(2);
    uint32_t first = SIM - 0x1000;
    for (uint32_t i = 0; i < 3; i++)
        add_node("virtio_mmio", first + 0x1000 * (ascending ? i : 2 - i));
    fdtb_end_machine();
    other_id = below;
}

static bool second; /* the device above is a disk, though one that nobody can use */
static uint32_t above_read(uint64_t offset, unsigned bytes) {
    bool common = offset == R_MAGIC || offset == R_VERSION;
    return second && offset == R_DEVICE_ID ? DEVICE_BLOCK
           : second && !common             ? 0
                                           : other_read(offset, bytes);
}
static void above_write(uint64_t offset, uint32_t v, unsigned bytes) { assert_true(second); }

static int setup(void **state) {
    memset(&sim, 0, sizeof sim);
    sim.version = 2;
    sim.queue_max = 1024;
    sim.features = FEATURE_VERSION_1 | FEATURE_FLUSH | FEATURE(2) | FEATURE(28) | FEATURE(29);
    sim.capacity = SECTORS;
    for (unsigned i = 0; i < BLK_MOST; i++)
        disks[i] = (struct disk){.lock = SPINLOCK_INIT(RANK_DISK)};
    second = false;
    stub_reset();
    stub_idle = sim_step;
    stub_add_device(&(struct stub_device){SIM - 0x1000, 0x1000, other_read, other_write});
    stub_add_device(&(struct stub_device){SIM, 0x1000, sim_read, sim_write});
    stub_add_device(&(struct stub_device){SIM + 0x1000, 0x1000, above_read, above_write});
    make_machine(true, 0);
    host_ram_map(MIB(4));
    return 0;
}

static uint8_t *buffer(size_t i) { return pa_ptr(PA(HOST_RAM_START + i * PAGE_SIZE)); }

static int transfer(enum blk_op op, uint64_t sector, void *data, uint32_t bytes) {
    struct blk_request rq = {.op = op, .sector = sector, .data = data, .bytes = bytes};
    return blk_do(&rq);
}

/* ---- tests ---------------------------------------------------------------*/

static void takes_the_lowest_disk(void **state) {
    for (int ascending = 0; ascending < 2; ascending++)
        for (uint32_t below = 0; below < 2; below++) { /* no device; a network card */
            setup(NULL);
            make_machine(ascending, below);
            second = ascending;
            blk_init();
            assert_true(blk_present());
            assert_int_equal(blk_count(), 1);
            assert_int_equal((uintptr_t)disks[0].base, SIM);
            assert_int_equal(blk_sectors(), SECTORS);
            if (second)
                assert_non_null(strstr(stub_log, "VIRTIO_F_VERSION_1"));
            else
                assert_string_equal(stub_log, "");
        }
}

static void does_without_a_disk(void **state) {
    fdtb_begin_machine(1);
    fdtb_end_machine();
    blk_init();
    assert_false(blk_present());
    assert_int_equal(blk_sectors(), 0);
}

static void refuses_unfit_devices(void **state) {
    sim.version = 1;
    blk_init();
    assert_false(blk_present());
    assert_non_null(strstr(stub_log, "-global virtio-mmio.force-legacy=false"));
    setup(NULL);
    sim.features = FEATURE_FLUSH;
    blk_init();
    assert_false(blk_present());
    assert_non_null(strstr(stub_log, "VIRTIO_F_VERSION_1"));
    assert_int_equal(sim.status, STATUS_FAILED);
    setup(NULL);
    sim.device_status_refused = STATUS_FEATURES_OK;
    blk_init();
    assert_false(blk_present());
    setup(NULL);
    sim.queue_max = 2;
    blk_init();
    assert_false(blk_present());
    setup(NULL);
    sim.queue_max = 0;
    blk_init();
    assert_false(blk_present());
}

static void accepts_only_what_it_knows(void **state) {
    blk_init();
    assert_true(sim.driver_features == (FEATURE_VERSION_1 | FEATURE_FLUSH));
    assert_int_equal(sim.queue_num, QUEUE_MAX);
}

/* Against a model, with random sizes and more requests than the ring holds. */
static void many_at_once(void **state) {
    static const uint32_t queues[] = {4, 8, 64, 1024};
    for (size_t q = 0; q < ARRAY_LEN(queues); q++) {
        setup(NULL);
        sim.queue_max = queues[q];
        blk_init();
        assert_true(blk_present());
        static uint8_t model[SECTORS * SECTOR_SIZE];
        memset(model, 0, sizeof model);
        static struct blk_request rq[100];
        for (int round = 0; round < 60; round++) {
            uint32_t count = 1 + (uint32_t)host_random_below(100);
            for (uint32_t i = 0; i < count; i++) {
                /* Each its own two sectors: the disk may reorder them. */
                enum blk_op op = host_random_below(20) == 0 ? BLK_FLUSH
                                 : host_random_below(2)     ? BLK_READ
                                                            : BLK_WRITE;
                uint32_t bytes = op == BLK_FLUSH ? 0 : SECTOR_SIZE << host_random_below(2);
                rq[i] = (struct blk_request){
                    .op = op, .sector = 2 * i, .data = buffer(i), .bytes = bytes};
                for (uint32_t b = 0; b < bytes; b++)
                    buffer(i)[b] = op == BLK_WRITE ? (uint8_t)host_random() : 0xdd;
                if (op == BLK_WRITE)
                    memcpy(model + 2 * i * SECTOR_SIZE, buffer(i), bytes);
                blk_submit(&rq[i]);
                if (host_random_below(8) == 0)
                    sim_step();
            }
            for (uint32_t i = count; i-- > 0;) {
                assert_int_equal(blk_wait(&rq[i]), 0);
                assert_memory_equal(buffer(i), model + 2 * i * SECTOR_SIZE, rq[i].bytes);
            }
            assert_int_equal(disks[0].free_count, disks[0].queue_size / SLOT_DESCRIPTORS);
        }
        assert_memory_equal(sim.data, model, sizeof model);
    }
}

/* The 16-bit indices of the rings wrap. */
static void goes_on_for_ever(void **state) {
    sim.queue_max = 16;
    blk_init();
    for (uint32_t i = 0; i < 70000; i++) {
        *(uint32_t *)buffer(0) = i;
        assert_int_equal(transfer(BLK_WRITE, i % SECTORS, buffer(0), SECTOR_SIZE), 0);
        assert_memory_equal(sim.data + i % SECTORS * SECTOR_SIZE, &i, 4);
    }
    assert_int_equal(sim.served, 70000);
}

static void errors_are_the_callers(void **state) {
    blk_init();
    static const enum blk_op ops[] = {BLK_READ, BLK_WRITE, BLK_FLUSH};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        uint32_t bytes = ops[i] == BLK_FLUSH ? 0 : SECTOR_SIZE;
        sim.fail_next = true;
        assert_int_equal(transfer(ops[i], 3, buffer(0), bytes), -K_EIO);
        assert_int_equal(transfer(ops[i], 3, buffer(0), bytes), 0);
    }
}

/* A status byte that the device does not write is no success. */
static void silence_is_an_error(void **state) {
    blk_init();
    struct blk_request rq = {.op = BLK_READ, .data = buffer(0), .bytes = SECTOR_SIZE};
    blk_submit(&rq);
    sim_fetch();
    sim_put_used(sim.heads[--sim.pending]);
    sim_raise();
    assert_int_equal(blk_wait(&rq), -K_EIO);
}

static void beyond_the_end(void **state) {
    blk_init();
    assert_int_equal(transfer(BLK_READ, SECTORS - 1, buffer(0), SECTOR_SIZE), 0);
    assert_int_equal(transfer(BLK_READ, SECTORS, buffer(0), SECTOR_SIZE), -K_EIO);
    assert_int_equal(transfer(BLK_WRITE, SECTORS - 1, buffer(0), 2 * SECTOR_SIZE), -K_EIO);
    assert_int_equal(transfer(BLK_READ, UINT64_MAX, buffer(0), 2 * SECTOR_SIZE), -K_EIO);
    assert_int_equal(sim.served, 1);
}

static void flushes(void **state) {
    blk_init();
    assert_int_equal(transfer(BLK_FLUSH, 0, NULL, 0), 0);
    assert_int_equal(sim.flushes, 1);
    setup(NULL);
    sim.features &= ~FEATURE_FLUSH;
    blk_init();
    assert_int_equal(transfer(BLK_FLUSH, 0, NULL, 0), 0);
    assert_int_equal(sim.served, 0);
}

static void read_only_disks(void **state) {
    sim.features |= FEATURE_RO;
    blk_init();
    assert_int_equal(transfer(BLK_READ, 0, buffer(0), SECTOR_SIZE), 0);
    assert_int_equal(transfer(BLK_WRITE, 0, buffer(0), SECTOR_SIZE), -K_EIO);
    assert_int_equal(transfer(BLK_WRITE, 0, buffer(0), SECTOR_SIZE), -K_EIO);
    const char *said = strstr(stub_log, "read-only");
    assert_non_null(said);
    assert_null(strstr(said + 1, "read-only"));
    assert_int_equal(transfer(BLK_FLUSH, 0, NULL, 0), 0);
}

/* Ids that nobody asked for, and the same answer twice. */
static void ignores_lies(void **state) {
    blk_init();
    struct blk_request rq = {.op = BLK_READ, .data = buffer(0), .bytes = SECTOR_SIZE};
    blk_submit(&rq);
    static const uint32_t ids[] = {1, 2, 3, 126, 127, 128, 1000000, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        sim_put_used(ids[i]);
    sim_raise();
    assert_false(rq.done);
    sim_step();
    sim_put_used(rq.slot * SLOT_DESCRIPTORS);
    sim_put_used(rq.slot * SLOT_DESCRIPTORS);
    sim_raise();
    assert_int_equal(blk_wait(&rq), 0);
    assert_int_equal(disks[0].free_count, SLOTS_MAX);
}

/* A completion that comes between the interrupt and its acknowledgement. */
static void loses_no_completion(void **state) {
    blk_init();
    for (int round = 0; round < 50; round++) {
        struct blk_request rq[2];
        for (int i = 0; i < 2; i++) {
            rq[i] = (struct blk_request){.op = BLK_READ, .data = buffer(0), .bytes = SECTOR_SIZE};
            blk_submit(&rq[i]);
        }
        sim_fetch();
        sim_serve(0);
        sim.late_completion = true;
        sim_raise();
        assert_true(rq[0].done && rq[1].done); /* by interrupts alone */
        assert_int_equal(blk_wait(&rq[0]), 0);
        assert_int_equal(blk_wait(&rq[1]), 0);
    }
}

static void respects_no_notify(void **state) {
    blk_init();
    disks[0].used.flags = USED_NO_NOTIFY;
    assert_int_equal(transfer(BLK_READ, 0, buffer(0), SECTOR_SIZE), 0);
    assert_int_equal(sim.notices, 0);
    disks[0].used.flags = 0;
    assert_int_equal(transfer(BLK_READ, 0, buffer(0), SECTOR_SIZE), 0);
    assert_int_equal(sim.notices, 1);
}

static int breaks_after;
static void step_until_broken(void) {
    if (breaks_after-- > 0) {
        sim_step();
        return;
    }
    if (!disks[0].failed) {
        sim.status |= STATUS_NEEDS_RESET;
        sim.interrupt |= INTERRUPT_CONFIG;
        sim_raise();
    }
}

/* Requests in flight and submitters that wait for a slot all get their error. */
static void a_broken_device_hangs_nobody(void **state) {
    for (int round = 0; round < 30; round++) {
        setup(NULL);
        sim.queue_max = 16;
        blk_init();
        stub_idle = step_until_broken;
        breaks_after = (int)host_random_below(12);
        struct blk_request rq[20];
        for (int i = 0; i < 20; i++) {
            rq[i] = (struct blk_request){.op = i % 5 ? BLK_READ : BLK_FLUSH,
                                         .data = buffer(0),
                                         .bytes = i % 5 ? SECTOR_SIZE : 0};
            blk_submit(&rq[i]);
        }
        int errors = 0;
        for (int i = 0; i < 20; i++)
            errors += blk_wait(&rq[i]) == -K_EIO;
        assert_true(errors > 0);
        assert_int_equal(sim.status, 0); /* it writes to nobody's memory any more */
        assert_int_equal(transfer(BLK_FLUSH, 0, NULL, 0), -K_EIO);
        assert_int_equal(transfer(BLK_READ, 0, buffer(0), SECTOR_SIZE), -K_EIO);
    }
}

static void notices_a_new_size(void **state) {
    blk_init();
    sim.capacity = 16;
    sim.interrupt |= INTERRUPT_CONFIG;
    sim_raise();
    assert_int_equal(blk_sectors(), 16);
    assert_int_equal(transfer(BLK_READ, 16, buffer(0), SECTOR_SIZE), -K_EIO);
}

/* A killed process waits for its disk all the same, without spinning. */
static void kill_does_not_end_the_wait(void **state) {
    blk_init();
    stub_killed = true;
    assert_int_equal(transfer(BLK_READ, 0, buffer(0), SECTOR_SIZE), 0);
    assert_true(stub_sleeps < 5);
}

int main(void) {
    host_random_seed(2);
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(takes_the_lowest_disk),
        T(does_without_a_disk),
        T(refuses_unfit_devices),
        T(accepts_only_what_it_knows),
        T(many_at_once),
        T(goes_on_for_ever),
        T(errors_are_the_callers),
        T(silence_is_an_error),
        T(beyond_the_end),
        T(flushes),
        T(read_only_disks),
        T(ignores_lies),
        T(loses_no_completion),
        T(respects_no_notify),
        T(a_broken_device_hangs_nobody),
        T(notices_a_new_size),
        T(kill_does_not_end_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
