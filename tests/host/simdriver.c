/* The driver of simdriver.h. */
#include "simdriver.h"
#include "machine/dev/bytes.h"
#include <stdlib.h>

struct virtio_blk dev;
struct disk disk;
uint16_t made, seen;

uint32_t get(uint64_t reg) { return (uint32_t)virtio_blk_read(&env, &dev, reg, 4); }
void set(uint64_t reg, uint32_t v) { virtio_blk_write(&env, &dev, reg, 4, v); }

uint8_t *at(uint64_t pa) { return world.ram + (pa - RAM_START); }
void poke(uint64_t pa, unsigned bytes, uint64_t v) { bytes_put(at(pa), bytes, v); }
uint64_t peek(uint64_t pa, unsigned bytes) { return bytes_get(at(pa), bytes); }

void set_address(uint64_t reg, uint64_t pa) {
    set(reg, (uint32_t)pa);
    set(reg + 4, (uint32_t)(pa >> 32));
}

void negotiate(uint32_t features) {
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

void start_queue(uint32_t num, uint64_t desc, uint64_t avail, uint64_t used) {
    set(0x38, num);
    set_address(0x80, desc);
    set_address(0x90, avail);
    set_address(0xa0, used);
    set(0x44, 1);
    set(R_STATUS, 15);
}

void start(uint32_t features) {
    negotiate(features);
    if (dev.version == 2) {
        start_queue(NUM, DESC, AVAIL, USED);
    } else {
        set(0x28, 4096);
        set(0x3c, 4096);
        set(0x40, RAM_START / 4096);
        set(R_STATUS, 7);
    }
    assert_int_equal(get(R_STATUS), dev.version == 2 ? 15 : 7);
}

void power_on(uint32_t version, bool prompt) {
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

int disk_setup(void **state) {
    world = (struct world){.ram = calloc(1, RAM_BYTES)};
    power_on(2, true);
    return 0;
}

int disk_teardown(void **state) {
    disk_close(&disk);
    free(world.ram);
    return 0;
}

void describe(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next) {
    poke(DESC + 16 * i, 8, addr);
    poke(DESC + 16 * i + 8, 4, len);
    poke(DESC + 16 * i + 12, 2, flags);
    poke(DESC + 16 * i + 14, 2, next);
}

void header(unsigned head, uint32_t type, uint64_t sector) {
    poke(HEADERS + 16 * head, 4, type);
    poke(HEADERS + 16 * head + 8, 8, sector);
    poke(STATUSES + head, 1, UNSET);
}

void request(unsigned head, uint32_t type, uint64_t sector, uint64_t data, uint32_t bytes) {
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

void offer(unsigned head) {
    poke(AVAIL + 4 + 2 * (made % NUM), 2, head);
    poke(AVAIL + 2, 2, ++made);
    set(R_NOTIFY, 0);
}

void run(void) { virtio_blk_run(&env, &dev, &disk); }

int answered(uint32_t *bytes) {
    if (seen == peek(USED + 2, 2))
        return -1;
    uint64_t entry = USED + 4 + 8 * (seen++ % NUM);
    *bytes = (uint32_t)peek(entry + 4, 4);
    return (int)peek(entry, 4);
}

uint8_t result(unsigned head, uint32_t *bytes) {
    offer(head);
    world.now += 200000;
    run();
    assert_int_equal(answered(bytes), head);
    assert_int_equal(answered(bytes), -1);
    assert_int_equal(dev.waiting, 0);
    assert_int_equal(virtio_blk_next_ns(&dev), UINT64_MAX);
    return (uint8_t)peek(STATUSES + head, 1);
}

uint8_t does(uint32_t type, uint64_t sector, uint32_t bytes) {
    uint32_t stored;
    request(0, type, sector, DATA, bytes);
    return result(0, &stored);
}
