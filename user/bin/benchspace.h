/* bench's operations on the memory of a process with several threads, on one hart. */
#pragma once
#include "benchgang.h"
#include "benchuse.h"

#define STORM_THREADS 4
#define STORM_PAGES 32 /* of each thread */

static char *area;

static char *map_area(int pages) {
    area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(area != MAP_FAILED, "mmap");
    return area;
}

static void unmap_area(int pages) { need(munmap(area, pages * PAGE) == 0, "munmap"); }

/* ---- page faults of some threads ---- */

static void storm_own(int member, int n) {
    for (int i = 0; i < n; i++)
        touch(area + (member * n + i) * PAGE);
}

static void storm_same(int member, int n) {
    for (int i = 0; i < n * STORM_THREADS; i++)
        touch(area + i * PAGE + member);
}

static void storm(void (*work)(int member, int n)) {
    pause_count();
    map_area(STORM_THREADS * STORM_PAGES);
    gang_begin(STORM_THREADS, work, STORM_PAGES);
    resume_count();
    gang_go();
    pause_count();
    gang_end();
    unmap_area(STORM_THREADS * STORM_PAGES);
    resume_count();
}

static void one_storm_own(void) { storm(storm_own); }
static void one_storm_same(void) { storm(storm_same); }

/* ---- changes, while another thread sleeps ---- */

static pthread_t sleeper;
static uint32_t wakes;

static void *sleep_long(void *arg) {
    while (!__atomic_load_n(&wakes, __ATOMIC_ACQUIRE))
        sys_futex_wait(&wakes, 0, UINT64_MAX);
    return arg;
}

/* Each second page of the area is unmapped out of it. */
#define AREA_PAGES (2 * FAULT_PAGES + 1)

static void map_touched(void) {
    map_area(AREA_PAGES);
    for (int i = 0; i < AREA_PAGES; i++)
        touch(area + i * PAGE);
}

static void begin_change(void) {
    wakes = 0;
    need(pthread_create(&sleeper, NULL, sleep_long, NULL) == 0, "pthread_create");
    map_touched();
}

static void end_change(void) {
    __atomic_store_n(&wakes, 1, __ATOMIC_RELEASE);
    futex_wake(&wakes, 1);
    need(pthread_join(sleeper, NULL) == 0, "pthread_join");
    unmap_area(AREA_PAGES);
}

static void one_unmap(void) {
    for (int i = 1; i < AREA_PAGES; i += 2)
        need(munmap(area + i * PAGE, PAGE) == 0, "munmap");
    pause_count();
    unmap_area(AREA_PAGES);
    map_touched();
    resume_count();
}

static void one_map_page(void) {
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(p != MAP_FAILED, "mmap");
    touch(p);
    need(munmap(p, PAGE) == 0, "munmap");
}

static void one_protect(void) {
    need(mprotect(area, PAGE, PROT_READ) == 0, "mprotect");
    need(mprotect(area, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
}
