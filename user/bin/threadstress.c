/* threadstress [SEED [ROUNDS [THREADS]]]: threads of one process change its memory at random.
 *
 * Each slot of addresses has a lock, and a sum for each page that is mapped there: whoever has the
 * lock maps, fills, protects, unmaps, copies through a pipe, or forks, and finds what the last one
 * left. So changes of one space go on side by side, and a page that is lost, doubled, or seen by
 * somebody after it was given back, has a wrong sum.
 * One more region has no lock: all threads touch its pages for the first time, at once, and each
 * has a word of its own in each page, which must stay. The same seed makes the same choices of each
 * thread; their order is the scheduler's. */
#include "lib/abi.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

#define PAGE 4096
#define WORDS (PAGE / sizeof(uint64_t))
#define SLOTS 8
#define SLOT_PAGES 6
#define COMMON_PAGES 64
#define THREADS_MAX 16
#define STACK (4 * PAGE)

static struct slot {
    uint32_t lock;              /* 0 free, 1 taken, 2 somebody waits */
    uint64_t *page[SLOT_PAGES]; /* NULL: not mapped */
    uint64_t stamp[SLOT_PAGES]; /* what it is filled by; 0: zeros */
    bool shared[SLOT_PAGES];
} slots[SLOTS];

static struct worker {
    uint32_t here; /* 1 until the thread has left its stack */
    uint32_t random, rounds;
    uint64_t stamp; /* the last one */
    int number, pipe[2];
    uint64_t touched[COMMON_PAGES]; /* its words of the common region */
    char *stack;
} workers[THREADS_MAX];

static uint64_t *common;
static uint32_t start;

static void die(const struct worker *w, const char *what) {
    printf("threadstress: thread %d: %s\n", w->number, what);
    fflush(stdout);
    _exit(1);
}

static void expect(const struct worker *w, bool ok, const char *what) {
    if (!ok)
        die(w, what);
}

static uint32_t rnd(struct worker *w, uint32_t below) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 17;
    w->random ^= w->random << 5;
    return w->random % below;
}

/* ---- locks ---- */

static void lock(uint32_t *word) {
    uint32_t seen = 0;
    if (__atomic_compare_exchange_n(word, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
        futex_wait(word, 2, UINT64_MAX);
}

static void unlock(uint32_t *word) {
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
        futex_wake(word, 1);
}

/* ---- pages ---- */

static void fill(uint64_t *page, uint64_t stamp) {
    for (unsigned i = 0; i < WORDS; i++)
        page[i] = stamp * (i + 1);
}

static bool filled(const volatile uint64_t *page, uint64_t stamp) {
    for (unsigned i = 0; i < WORDS; i++)
        if (page[i] != stamp * (i + 1))
            return false;
    return true;
}

static void check(const struct worker *w, const struct slot *s) {
    for (unsigned i = 0; i < SLOT_PAGES; i++)
        if (s->page[i])
            expect(w, filled(s->page[i], s->stamp[i]), "a page has a wrong sum");
}

/* ---- what is done to a slot, whose lock is held ---- */

/* Memory may be short: then nothing is mapped. */
static void map(struct worker *w, struct slot *s) {
    bool shared = rnd(w, 2);
    int how = MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE);
    unsigned first = rnd(w, SLOT_PAGES), n = 1 + rnd(w, SLOT_PAGES - first);
    for (unsigned i = first; i < first + n; i++)
        if (s->page[i])
            return;
    char *at = mmap(NULL, (size_t)n * PAGE, PROT_READ | PROT_WRITE, how, -1, 0);
    for (unsigned i = 0; at != MAP_FAILED && i < n; i++) {
        s->page[first + i] = (uint64_t *)(at + (size_t)i * PAGE);
        s->stamp[first + i] = 0;
        s->shared[first + i] = shared;
    }
}

static void write_page(struct worker *w, struct slot *s, unsigned i) {
    s->stamp[i] = w->stamp += 2 * THREADS_MAX;
    fill(s->page[i], s->stamp[i]);
}

static void unmap(struct worker *w, struct slot *s, unsigned i) {
    expect(w, munmap(s->page[i], PAGE) == 0, "munmap");
    s->page[i] = NULL;
}

static void protect(struct worker *w, struct slot *s, unsigned i) {
    expect(w, mprotect(s->page[i], PAGE, PROT_READ) == 0, "mprotect");
    expect(w, filled(s->page[i], s->stamp[i]), "a protected page has a wrong sum");
    errno = 0;
    expect(w, read(w->pipe[0], s->page[i], 0) == 0, "read of nothing");
    expect(w, mprotect(s->page[i], PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect back");
}

/* The kernel reads one page and writes another. */
static void through_pipe(struct worker *w, struct slot *s, unsigned i) {
    unsigned to = rnd(w, SLOT_PAGES), n = 256; /* bytes: a pipe's capacity is small */
    if (!s->page[to] || to == i)
        return;
    for (unsigned at = 0; at < PAGE; at += n) {
        expect(w, write(w->pipe[1], (char *)s->page[i] + at, n) == (ssize_t)n, "write");
        expect(w, read(w->pipe[0], (char *)s->page[to] + at, n) == (ssize_t)n, "read");
    }
    s->stamp[to] = s->stamp[i];
}

static void drop(struct worker *w, struct slot *s, unsigned i) {
    expect(w, madvise(s->page[i], PAGE, MADV_DONTNEED) == 0, "madvise");
    if (!s->shared[i])
        s->stamp[i] = 0;
}

/* The child has what was there, whatever the parent's threads do meanwhile; but for shared pages.
 * It may be another one's that is waited for: each fork has its wait. */
static void fork_and_check(struct worker *w, struct slot *s) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        for (unsigned i = 0; i < SLOT_PAGES; i++)
            expect(w, !s->page[i] || s->shared[i] || filled(s->page[i], s->stamp[i]),
                   "a page of a child has a wrong sum");
        _exit(0);
    }
    check(w, s);
    if (pid > 0) /* else memory is short */
        expect(w, wait(&status) > 0 && status == 0, "a child has found something wrong");
}

static void change_slot(struct worker *w, struct slot *s) {
    unsigned i = rnd(w, SLOT_PAGES), what = rnd(w, 16);
    lock(&s->lock);
    check(w, s);
    if (!s->page[i] || what < 2)
        map(w, s);
    else if (what < 7)
        write_page(w, s, i);
    else if (what < 10)
        unmap(w, s, i);
    else if (what < 12)
        protect(w, s, i);
    else if (what < 14)
        through_pipe(w, s, i);
    else if (what < 15)
        drop(w, s, i);
    else
        fork_and_check(w, s);
    check(w, s);
    unlock(&s->lock);
}

/* ---- what has no lock --------------------------------------------------------- */

static void touch_common(struct worker *w) {
    unsigned i = rnd(w, COMMON_PAGES);
    volatile uint64_t *word = common + i * WORDS + (unsigned)w->number;
    expect(w, *word == w->touched[i], "a word of the common pages is lost");
    *word = w->touched[i] = ++w->stamp;
}

static void work(void *arg) {
    struct worker *w = arg;
    while (__atomic_load_n(&start, __ATOMIC_ACQUIRE) == 0)
        futex_wait(&start, 0, UINT64_MAX);
    for (uint32_t i = 0; i < w->rounds; i++) {
        touch_common(w);
        change_slot(w, &slots[rnd(w, SLOTS)]);
    }
    thread_exit(&w->here);
}

static void begin(struct worker *w, int number, uint32_t seed, uint32_t rounds) {
    w->number = number;
    w->random = seed * 2654435761u + (uint32_t)number * 40503u + 1;
    w->random += w->random == 0;
    w->rounds = rounds;
    w->stamp = (uint64_t)number + 1;
    w->here = 1;
    w->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(w, w->stack != MAP_FAILED && pipe(w->pipe) == 0, "no memory to begin");
    expect(w, thread_create(work, w, w->stack + STACK, NULL) > 0, "no thread");
}

static void finish(struct worker *w) {
    while (__atomic_load_n(&w->here, __ATOMIC_ACQUIRE))
        futex_wait(&w->here, 1, UINT64_MAX);
    for (unsigned i = 0; i < COMMON_PAGES; i++)
        expect(w, common[i * WORDS + (unsigned)w->number] == w->touched[i], "a word was lost");
}

static unsigned long number(int argc, char *argv[], int i, unsigned long usual) {
    return i < argc ? strtoul(argv[i], NULL, 10) : usual;
}

int main(int argc, char *argv[]) {
    uint32_t seed = (uint32_t)number(argc, argv, 1, 1),
             rounds = (uint32_t)number(argc, argv, 2, 100);
    unsigned n = (unsigned)number(argc, argv, 3, 4);
    if (n == 0 || n > THREADS_MAX || argc > 4) {
        fprintf(stderr, "usage: threadstress [SEED [ROUNDS [THREADS]]], at most %d threads\n",
                THREADS_MAX);
        return 2;
    }
    common = mmap(NULL, COMMON_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
    if (common == MAP_FAILED) {
        perror("threadstress");
        return 1;
    }
    for (unsigned i = 0; i < n; i++)
        begin(&workers[i], (int)i, seed, rounds);
    __atomic_store_n(&start, 1, __ATOMIC_RELEASE);
    futex_wake(&start, UINT32_MAX);
    for (unsigned i = 0; i < n; i++)
        finish(&workers[i]);
    for (unsigned i = 0; i < SLOTS; i++)
        check(&workers[0], &slots[i]);
    printf("threadstress: %u threads, %u rounds each: OK\n", n, rounds);
    return 0;
}
