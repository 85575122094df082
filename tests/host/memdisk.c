/* A disk in memory: see memdisk.h. */
#include "memdisk.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH UINT64_MAX

struct event {
    uint64_t sector; /* or FLUSH */
    uint8_t *data;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *now, *then; /* the contents now, and when recording began */
static uint64_t size;
static uint64_t requests;
static struct list queue = LIST_INIT(queue);
static uint32_t queued;

static bool recording;
static struct event *events;
static uint64_t nevents, events_room;

static uint32_t service_us;
static uint32_t fail_ops;
static uint64_t fail_after, failed;
static bool fail_forever;

static void forget_events(void) {
    for (uint64_t i = 0; i < nevents; i++)
        free(events[i].data);
    free(events);
    events = NULL;
    nevents = events_room = 0;
}

void memdisk_load(const uint8_t *image, uint64_t bytes) {
    forget_events();
    if (size != bytes) {
        free(now);
        free(then);
        now = malloc(bytes);
        then = malloc(bytes);
        size = bytes;
    }
    memmove(now, image, bytes); /* it may be the disk itself */
    requests = failed = 0;
    recording = false;
    list_init(&queue);
    queued = 0;
    memdisk_fail(0, 0, false);
    service_us = 0;
}

uint8_t *memdisk_image(void) { return now; }
uint64_t memdisk_bytes(void) { return size; }
uint64_t memdisk_requests(void) { return requests; }
uint64_t memdisk_failed(void) { return failed; }

/* ---- recording ---- */

void memdisk_record(void) {
    forget_events();
    memcpy(then, now, size);
    recording = true;
}

uint64_t memdisk_events(void) {
    pthread_mutex_lock(&mutex);
    uint64_t n = nevents;
    pthread_mutex_unlock(&mutex);
    return n;
}

uint64_t memdisk_in_flight(void) {
    pthread_mutex_lock(&mutex);
    uint64_t n = queued;
    pthread_mutex_unlock(&mutex);
    return n;
}

bool memdisk_is_flush(uint64_t event) { return events[event].sector == FLUSH; }

static void record(uint64_t sector, const uint8_t *data) {
    if (!recording)
        return;
    if (nevents == events_room) {
        events_room = events_room ? 2 * events_room : 1024;
        events = realloc(events, events_room * sizeof *events);
    }
    struct event *e = &events[nevents++];
    *e = (struct event){.sector = sector};
    if (data) {
        e->data = malloc(SECTOR_SIZE);
        memcpy(e->data, data, SECTOR_SIZE);
    }
}

void memdisk_power_cut(uint64_t at, bool (*drop)(uint64_t event), uint8_t *image,
                       uint32_t *varied) {
    uint64_t safe = at; /* the events before this one are on the disk */
    while (safe > 0 && !(events[safe - 1].sector == FLUSH && !(drop && drop(safe - 1))))
        safe--;
    memcpy(image, then, size);
    for (uint64_t i = 0; i < safe; i++)
        if (events[i].sector != FLUSH)
            memcpy(image + events[i].sector * SECTOR_SIZE, events[i].data, SECTOR_SIZE);
    uint32_t n = 0;
    /* Mostly a coin for each sector; sometimes nearly all or nearly none arrive. */
    uint64_t keep = (uint64_t[]){50, 50, 90, 10}[host_random_below(4)];
    for (uint64_t i = safe; i < at; i++)
        if (events[i].sector != FLUSH) {
            n++;
            if (host_random_below(100) < keep)
                memcpy(image + events[i].sector * SECTOR_SIZE, events[i].data, SECTOR_SIZE);
        }
    if (varied)
        *varied = n;
}

/* ---- requests ---- */

void memdisk_fail(uint32_t ops, uint64_t n, bool forever) {
    fail_ops = ops;
    fail_after = n;
    fail_forever = forever;
}

static bool must_fail(const struct blk_request *rq) {
    if (fail_after == 0 || !(fail_ops & MEMDISK_OP(rq->op)))
        return false;
    if (fail_after > 1) {
        fail_after--;
        return false;
    }
    if (!fail_forever)
        fail_after = 0;
    failed++;
    return true;
}

static void write_sectors(const struct blk_request *rq, bool fails) {
    for (uint32_t at = 0; at < rq->bytes; at += SECTOR_SIZE) {
        const uint8_t *data = (const uint8_t *)rq->data + at;
        if (fails && host_random_below(2))
            continue;
        memcpy(now + rq->sector * SECTOR_SIZE + at, data, SECTOR_SIZE);
        record(rq->sector + at / SECTOR_SIZE, data);
    }
}

static void do_request(struct blk_request *rq) {
    bool fails = must_fail(rq);
    requests++;
    if (rq->op == BLK_FLUSH) {
        if (!fails)
            record(FLUSH, NULL);
    } else {
        ASSERT(rq->bytes > 0 && rq->bytes % SECTOR_SIZE == 0);
        ASSERT(rq->sector * SECTOR_SIZE + rq->bytes <= size);
        if (rq->op == BLK_WRITE)
            write_sectors(rq, fails);
        else if (fails)
            memset(rq->data, 0xbd, rq->bytes);
        else
            memcpy(rq->data, now + rq->sector * SECTOR_SIZE, rq->bytes);
    }
    rq->status = fails ? -K_EIO : 0;
    rq->done = true;
}

/* Does one of the requests in flight, whichever. */
static void do_any(void) {
    uint64_t skip = host_random_below(queued);
    struct list *link = queue.next;
    while (skip-- > 0)
        link = link->next;
    list_remove(link);
    queued--;
    do_request(LIST_ENTRY(link, struct blk_request, link));
}

bool blk_present(void) { return now != NULL; }
uint64_t blk_sectors(void) { return size / SECTOR_SIZE; }
bool blk_read_only(void) { return false; }

void blk_submit(struct blk_request *rq) {
    pthread_mutex_lock(&mutex);
    rq->done = false;
    list_push_back(&queue, &rq->link);
    queued++;
    pthread_mutex_unlock(&mutex);
}

void memdisk_service_time(uint32_t us) { service_us = us; }

int blk_wait(struct blk_request *rq) {
    if (service_us > 0)
        usleep(service_us);
    pthread_mutex_lock(&mutex);
    while (!rq->done)
        do_any();
    pthread_mutex_unlock(&mutex);
    return rq->status;
}

int blk_do(struct blk_request *rq) {
    blk_submit(rq);
    return blk_wait(rq);
}
