/* The frame allocator in use: at random against a model, and by threads as harts. */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
#include "frametest.h"
#include <pthread.h>

/* ---- random use against a model ------------------------------------------ */

static struct {
    uint32_t refs[ARENA_FRAMES]; /* of single frames and heads of large ones */
    bool large[ARENA_FRAMES];
    uint32_t used[ARENA_FRAMES]; /* indices with refs, in any order */
    uint32_t place[ARENA_FRAMES];
    uint32_t count;
    uint64_t frames;
} model;

static uint64_t stamp(uint32_t index) { return 0x5eed000000000000 | index; }

static void model_add(uint32_t index, bool large) {
    uint32_t n = large ? LARGE_FRAMES : 1;
    for (uint32_t i = index; i < index + n; i++) {
        assert_int_equal(model.refs[i], 0);
        uint64_t *word = pa_ptr(pa_of(i));
        word[0] = word[511] = stamp(i);
    }
    model.refs[index] = 1;
    model.large[index] = large;
    model.place[index] = model.count;
    model.used[model.count++] = index;
    model.frames += n;
}

static void model_stamped(uint32_t index) {
    const uint64_t *word = pa_ptr(pa_of(index));
    assert_int_equal(word[0], stamp(index));
    assert_int_equal(word[511], stamp(index));
}

static void model_remove(uint32_t index) {
    uint32_t last = model.used[--model.count];
    model.used[model.place[index]] = last;
    model.place[last] = model.place[index];
    model.frames -= model.large[index] ? LARGE_FRAMES : 1;
    model.large[index] = false;
}

static struct frame_ref ref_of(uint32_t index) {
    return model.large[index] ? large_ref(pa_of(index)) : frame_single(pa_of(index));
}

static void random_put(uint32_t index) {
    bool large = model.large[index];
    for (uint32_t i = 0; i < (large ? LARGE_FRAMES : 1); i++)
        model_stamped(index + i);
    assert_int_equal(frame_refs(pa_of(index)), model.refs[index]);
    bool last = --model.refs[index] == 0;
    assert_int_equal(frame_put(ref_of(index)), last);
    if (last)
        model_remove(index);
}

static void random_split(uint32_t index) {
    frame_split_large(pa_of(index));
    uint32_t refs = model.refs[index];
    model.refs[index] = 0;
    model_remove(index);
    for (uint32_t i = index; i < index + LARGE_FRAMES; i++) {
        model_add(i, false);
        model.refs[i] = refs;
    }
}

static void random_step(uint64_t n, bool growing) {
    host_hart_be(host_random_below(NHART));
    uint32_t index = model.count ? model.used[host_random_below(model.count)] : 0;
    uint64_t dice = host_random_below(100);
    paddr_t pa;
    if (dice < 1) {
        if (frame_take_large(&pa) == 0)
            model_add(index_of(pa), true);
    } else if (dice < (growing ? 60 : 35)) {
        if (model.frames < n)
            model_add(index_of(frame_take()), false);
    } else if (model.count && dice < 90) {
        random_put(index);
    } else if (model.count && dice < 99) {
        model.refs[index]++;
        frame_get(ref_of(index));
    } else if (model.count && model.large[index]) {
        random_split(index);
    }
}

static void test_random_use(void **state) {
    fresh();
    memset(&model, 0, sizeof model);
    uint64_t n = free_now();
    for (unsigned step = 0; step < 200000; step++) {
        random_step(n, step / 20000 % 2 == 0);
        if (step % 512 == 0) {
            assert_int_equal(free_now(), n - model.frames);
            frame_check();
        }
    }
    while (model.count)
        random_put(model.used[host_random_below(model.count)]);
    assert_int_equal(free_now(), n);
    frame_check();
    paddr_t large[ARENA_MIB / 2 + 1];
    assert_int_equal(take_all_large(large), LARGE_MOST);
}

/* ---- threads as harts ---------------------------------------------------- */

#define THREADS 4
#define THREAD_STEPS 60000
#define OWN_MAX 200

static pthread_mutex_t page_cache_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t reclaim_shared(uint64_t n) {
    pthread_mutex_lock(&page_cache_lock);
    uint64_t given = reclaim_pages(n);
    pthread_mutex_unlock(&page_cache_lock);
    return given;
}

/* Half of the frames become cache, so that promises have to be called in. */
static void thread_caches(paddr_t pa) {
    pthread_mutex_lock(&page_cache_lock);
    page_cache[page_cache_count++] = pa;
    reclaim_begin(&pages, 1);
    frame_uncommit(1);
    pthread_mutex_unlock(&page_cache_lock);
}

/* A frame that others may have too: whoever drops it last ends its promise. */
static uint64_t mailbox[16];
static void thread_exchanges(uint64_t mine) {
    uint64_t other = __atomic_exchange_n(&mailbox[mine / PAGE_SIZE % 16], mine, __ATOMIC_ACQ_REL);
    if (other && frame_put(frame_single(PA(other))))
        frame_uncommit(1);
}

static void *thread_main(void *arg) {
    uint32_t self = (uint32_t)(uintptr_t)arg;
    host_hart_be(self);
    unsigned random = self + 1;
    paddr_t own[OWN_MAX];
    unsigned count = 0;
    for (unsigned step = 0; step < THREAD_STEPS; step++) {
        unsigned dice = (unsigned)rand_r(&random) % 100;
        if (dice < 52 && count < OWN_MAX && frame_commit(1) == 0) {
            paddr_t pa = frame_take();
            *(uint64_t *)pa_ptr(pa) = pa.v ^ self;
            if (dice < 20)
                thread_caches(pa);
            else
                own[count++] = pa;
        } else if (dice < 60 && count) {
            frame_get(frame_single(own[count - 1]));
            thread_exchanges(own[count - 1].v);
        } else if (count) {
            paddr_t pa = own[--count];
            if (*(uint64_t *)pa_ptr(pa) != (pa.v ^ self))
                abort(); /* somebody else wrote to this thread's frame */
            if (frame_put(frame_single(pa)))
                frame_uncommit(1);
        } else if (dice == 99 && frame_commit(LARGE_FRAMES) == 0) {
            paddr_t pa;
            if (frame_take_large(&pa) == 0)
                frame_put(large_ref(pa));
            frame_uncommit(LARGE_FRAMES);
        }
    }
    while (count)
        if (frame_put(frame_single(own[--count])))
            frame_uncommit(1);
    return NULL;
}

/* As a hart that is short of memory all the time. */
static bool stop_draining;
static void *drain_main(void *arg) {
    host_hart_be(THREADS + 1);
    while (!__atomic_load_n(&stop_draining, __ATOMIC_RELAXED))
        frame_cache_drain();
    return NULL;
}

static void test_harts_at_once(void **state) {
    fresh_arena(MIB(ARENA_MIB));
    frame_add_range(PA(HOST_RAM_START), PA(HOST_RAM_START + MIB(4)));
    frame_init();
    uint64_t n = free_now();
    use_page_cache(reclaim_shared);
    while (frame_commit(1) == 0 && free_now() > THREADS * OWN_MAX / 2) /* make it scarce */
        frame_take();
    struct frame_stats st;
    frame_stats(&st);
    uint64_t kept = n - st.free;
    frame_uncommit(st.committed - kept);

    pthread_t thread[THREADS], drainer;
    stop_draining = false;
    assert_int_equal(pthread_create(&drainer, NULL, drain_main, NULL), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, thread_main, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    __atomic_store_n(&stop_draining, true, __ATOMIC_RELAXED);
    pthread_join(drainer, NULL);
    for (unsigned i = 0; i < 16; i++)
        if (mailbox[i] && frame_put(frame_single(PA(mailbox[i]))))
            frame_uncommit(1);
    assert_true(reclaim_asked > 0);
    frame_check();
    frame_stats(&st);
    assert_int_equal(st.cached, page_cache_count);
    assert_int_equal(st.committed, kept);
    assert_int_equal(st.free + st.cached + kept, n);
    while (reclaim_pages(32) > 0) {
    }
    assert_int_equal(free_now(), n - kept);
}

int main(void) {
    host_random_seed(20240607);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_harts_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
