/* The emulator's disk device in its world, and a driver for it, which keeps the rules as long as
 * the test does not write into its rings and requests itself. */
#pragma once
#include "machine/dev/virtio_blk.h"
#include "simenv.h"

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

extern struct virtio_blk dev;
extern struct disk disk;
extern uint16_t made, seen; /* indices of the rings, as the driver has them */

/* A test with an empty disk of SECTORS behind version 2 of the device, which is prompt. */
#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)
int disk_setup(void **state);
int disk_teardown(void **state);
void power_on(uint32_t version, bool prompt); /* another device, with another empty disk */

/* ---- registers and RAM */
uint32_t get(uint64_t reg);
void set(uint64_t reg, uint32_t v);
void set_address(uint64_t reg, uint64_t pa);
uint8_t *at(uint64_t pa);
void poke(uint64_t pa, unsigned bytes, uint64_t v);
uint64_t peek(uint64_t pa, unsigned bytes);

/* ---- the device's start (3.1.1) */
void negotiate(uint32_t features); /* up to the queue */
void start(uint32_t features);     /* all of it */
/* The rest of it for version 2, with a queue elsewhere. */
void start_queue(uint32_t num, uint64_t desc, uint64_t avail, uint64_t used);

/* ---- requests. A head is the number of the first descriptor, of the header and of the status. */
void describe(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next);
void header(unsigned head, uint32_t type, uint64_t sector);
/* In the descriptors from head on, with its data, if any, in one. */
void request(unsigned head, uint32_t type, uint64_t sector, uint64_t data, uint32_t bytes);
void offer(unsigned head);     /* to the device, which does it in run */
void run(void);                /* what is due */
int answered(uint32_t *bytes); /* the head that is answered next, or -1 */

/* Does what stands at head, and nothing else is left to do; its status. */
uint8_t result(unsigned head, uint32_t *bytes);
/* The same for a request with head 0, and data at DATA. */
uint8_t does(uint32_t type, uint64_t sector, uint32_t bytes);
