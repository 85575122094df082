/* A disk in memory behind dev/blk.h, as nasty as disks may be: requests in flight
 * are done in any order, finished writes stay in a volatile cache until a flush,
 * and a power cut keeps any of the sectors that were not flushed, each in any of
 * its versions. Requests can be made to fail. */
#pragma once
#include "dev/blk.h"
#include "lib/types.h"

/* A disk with a copy of these contents; nothing recorded, nothing failing. */
void memdisk_load(const uint8_t *image, uint64_t bytes);
uint8_t *memdisk_image(void); /* as the kernel reads it */
uint64_t memdisk_bytes(void);
uint64_t memdisk_requests(void); /* since memdisk_load */
uint64_t memdisk_in_flight(void);

/* How long a request takes at least, in microseconds; other processes run meanwhile.
 * 0 after memdisk_load. */
void memdisk_service_time(uint32_t us);

/* ---- power cuts */

/* From now on every finished write and flush is an event; a write of n sectors is n. */
void memdisk_record(void);
uint64_t memdisk_events(void);
bool memdisk_is_flush(uint64_t event);

/* What a power cut before event number at leaves: all sectors as the last flush
 * before it found them, and of those written since a random choice. drop: a flush
 * for which it is true protects nothing; NULL: all protect. *varied (if not NULL):
 * how many sectors there was a choice about. */
void memdisk_power_cut(uint64_t at, bool (*drop)(uint64_t event), uint8_t *image, uint32_t *varied);

/* ---- errors */

/* The n-th request from now on (1 is the next) whose op is in the set fails, and
 * with forever all that follow; 0: none. A write that fails has changed any of its
 * sectors. */
#define MEMDISK_OP(op) (1u << (op))
#define MEMDISK_ANY (MEMDISK_OP(BLK_READ) | MEMDISK_OP(BLK_WRITE) | MEMDISK_OP(BLK_FLUSH))
void memdisk_fail(uint32_t ops, uint64_t n, bool forever);
uint64_t memdisk_failed(void); /* requests that have failed so far */
