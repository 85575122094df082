/* The cache of program images: see image.h. */
#include "mm/image.h"
#include "arch/pte.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "mm/reclaim.h"
#include "sync/spinlock.h"

static struct spinlock image_lock = SPINLOCK_INIT(RANK_IMAGES);
static struct list images = LIST_INIT(images); /* published; least recently used first */

static uint64_t reclaim_images(uint64_t n);
static struct reclaimer reclaimer = {.reclaim = reclaim_images};

void image_init(void) { reclaim_register(&reclaimer); }

static uint64_t frames_of(const struct image *image) { return image->pages + 1; }

static bool same_key(const struct image_key *a, const struct image_key *b) {
    return a->dev == b->dev && a->inum == b->inum && a->version == b->version;
}

static struct image *lookup_locked(const struct image_key *key) {
    ASSERT_LOCKED(&image_lock);
    LIST_EACH(it, &images) {
        struct image *image = LIST_ENTRY(it, struct image, link);
        if (same_key(&image->key, key))
            return image;
    }
    return NULL;
}

int image_find(struct image_key key, struct image **out) {
    int err = 0;
    spin_lock(&image_lock);
    struct image *image = lookup_locked(&key);
    if (image && image->users == 0) {
        err = frame_commit(frames_of(image));
        if (!err)
            reclaim_end(&reclaimer, frames_of(image));
    }
    if (image && !err) {
        image->users++;
        list_remove(&image->link);
        list_push_back(&images, &image->link);
    }
    spin_unlock(&image_lock);
    *out = err ? NULL : image;
    return err;
}

static struct image *image_of(struct object *o) { return CONTAINER_OF(o, struct image, object); }
static void get(struct object *o) { image_get(image_of(o)); }
static void put(struct object *o) { image_put(image_of(o)); }

static paddr_t peek(struct object *o, uint64_t index) {
    const struct image *image = image_of(o);
    if (index >= image->pages)
        return PA(0);
    frame_get(frame_single(image->page[index]));
    return image->page[index];
}

static const char *name(const struct object *o, uint64_t perm) {
    return perm & PTE_X ? "text" : perm & PTE_W ? "data" : "read-only data";
}

static const struct object_ops image_ops = {.get = get, .put = put, .peek = peek, .name = name};

int image_create(uint32_t pages, struct image **out) {
    ASSERT(pages <= IMAGE_PAGES);
    int err = frame_commit(pages + 1);
    if (err)
        return err;
    paddr_t record = frame_take();
    frame_zero(record, 0);
    struct image *image = pa_ptr(record);
    image->object.ops = &image_ops;
    list_init(&image->link);
    image->users = 1;
    for (; image->pages < pages; image->pages++) {
        image->page[image->pages] = frame_take();
        frame_zero(image->page[image->pages], 0);
    }
    *out = image;
    return 0;
}

void image_publish(struct image *image, struct image_key key) {
    image->key = key;
    spin_lock(&image_lock);
    /* Two execs may have read the same file at once: the second stays private. */
    if (!lookup_locked(&key))
        list_push_back(&images, &image->link);
    spin_unlock(&image_lock);
}

void image_get(struct image *image) {
    spin_lock(&image_lock);
    ASSERT(image->users > 0);
    image->users++;
    spin_unlock(&image_lock);
}

static void image_free(struct image *image) {
    for (uint32_t i = 0; i < image->pages; i++)
        frame_put(frame_single(image->page[i]));
    frame_put(frame_single(ptr_pa(image)));
}

void image_put(struct image *image) {
    uint64_t frames = frames_of(image);
    spin_lock(&image_lock);
    ASSERT(image->users > 0);
    bool last = --image->users == 0;
    bool cached = last && !list_empty(&image->link);
    if (cached)
        reclaim_begin(&reclaimer, frames);
    spin_unlock(&image_lock);
    if (last && !cached)
        image_free(image);
    if (last)
        frame_uncommit(frames);
}

static uint64_t reclaim_images(uint64_t n) {
    uint64_t given = 0;
    while (given < n) {
        struct image *victim = NULL;
        spin_lock(&image_lock);
        LIST_EACH(it, &images) {
            struct image *image = LIST_ENTRY(it, struct image, link);
            if (image->users == 0) {
                victim = image;
                break;
            }
        }
        if (victim) {
            list_remove(&victim->link);
            reclaim_end(&reclaimer, frames_of(victim));
        }
        spin_unlock(&image_lock);
        if (!victim)
            break;
        given += frames_of(victim);
        image_free(victim);
    }
    return given;
}
