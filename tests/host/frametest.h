/* What the tests of the frame allocator share: a fresh one in RAM full of rubbish, and a
 * page cache that gives way. The allocator is part of each such program. */
#pragma once
#include "mm/frame.c"
#include "mm/frame_account.c"
#include "mm/frame_boot.c"
#include "mm/frame_cache.c"
#include "mm/frame_pool.c"
#include "mm/reclaim.c"

#include "freshframes.h"
#include "hostarch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "between.h"

#define ARENA_MIB 72 /* the second section of records is all free RAM */
#define ARENA_FRAMES (MIB(ARENA_MIB) / PAGE_SIZE)

static inline void forget_everything(void) {
    forget_frames();
    host_hart_be(0);
}

/* RAM full of rubbish, as a machine may have it at power-on. */
static inline void fresh_arena(uint64_t bytes) {
    forget_everything();
    host_ram_map(bytes);
    memset(pa_ptr(PA(HOST_RAM_START)), 0xa5, bytes);
}

static inline void fresh(void) {
    fresh_arena(MIB(ARENA_MIB));
    frame_add_range(PA(HOST_RAM_START), PA(HOST_RAM_START + MIB(ARENA_MIB)));
    frame_init();
    frame_check();
}

static inline uint64_t free_now(void) {
    struct frame_stats st;
    frame_stats(&st);
    return st.free;
}

static inline uint32_t index_of(paddr_t pa) {
    assert_true(IS_ALIGNED(pa.v, PAGE_SIZE));
    assert_between(pa.v, HOST_RAM_START, HOST_RAM_START + MIB(ARENA_MIB) - PAGE_SIZE);
    return (pa.v - HOST_RAM_START) / PAGE_SIZE;
}

static inline paddr_t pa_of(uint32_t index) { return PA(HOST_RAM_START + index * PAGE_SIZE); }

/* ---- a page cache ---- */

static struct reclaimer pages;
static paddr_t page_cache[ARENA_FRAMES];
static uint64_t page_cache_count, reclaim_asked;

/* In a fresh arena. */
static inline void use_page_cache(uint64_t (*how)(uint64_t n)) {
    pages = (struct reclaimer){.reclaim = how};
    page_cache_count = reclaim_asked = 0;
    reclaim_register(&pages);
}

static inline uint64_t reclaim_pages(uint64_t n) {
    uint64_t given = 0;
    reclaim_asked++;
    for (; given < n && page_cache_count; given++) {
        reclaim_end(&pages, 1);
        assert_true(frame_put(frame_single(page_cache[--page_cache_count])));
    }
    return given;
}

/* ---- large frames ---- */

#define LARGE_MOST (ARENA_MIB / 2 - 1) /* the records are in the first */

static inline struct frame_ref large_ref(paddr_t pa) {
    return (struct frame_ref){pa, FRAME_LARGE_ORDER};
}

static inline unsigned take_all_large(paddr_t *pa) {
    unsigned n = 0;
    while (frame_take_large(&pa[n]) == 0)
        n++;
    return n;
}
