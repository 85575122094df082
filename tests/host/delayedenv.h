/* What the tests of what is delayed share: a file system that commits when somebody asks, bytes to
 * write, and room to read them back. */
#pragma once
#include "fs/log.h"
#include "fsenv.h"
#include <string.h>

static uint8_t bytes[64 * 1024], back[64 * 1024];

static inline int setup(void **state) {
    log_sync_always = false;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 1024);
    memset(back, 0, sizeof back);
    fsenv_ram = MIB(32);
    fsenv_fresh(1200, 60, 100);
    return 0;
}

/* Requests that have changed the disk, since memdisk_record. */
static inline uint64_t writes(void) { return memdisk_events(); }
