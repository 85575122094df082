/* benchharts [KEY...]: what operations cost when several harts take part, for tools/bench_harts.py.
 *
 * How much all harts have executed together is nothing that a program can read. So the machine
 * counts, between one call of uptime and the next (./sim --marks sys_uptime): twice for each
 * operation, without a repetition and with some. The line "KEY COUNT" says how many operations the
 * second had more than the first.
 *
 * What changes the space of a process does so while all other harts run threads of it, which count
 * in a loop. */
#include "benchgang.h"
#include "benchturns.h"

#define MEMBERS 8 /* of a gang, on however many harts */
#define MEMORY_ENDS 2
#define COUNTING_SIZE 64 /* of a cache line */

static unsigned harts;

static void mark(void) { uptime(); }

/* ---- threads, and what they wait for ---- */

static void make_threads(int n) {
    pthread_t thread;
    for (int i = 0; i < n; i++) {
        start_thread(&thread, end_at_once, NULL);
        join_thread(thread);
    }
}

static void member_makes_threads(int member, int n) {
    (void)member;
    make_threads(n);
}

static void begin_makers(int n) { gang_begin(MEMBERS, member_makes_threads, n); }
static void go_gang(int n) {
    (void)n;
    gang_go();
}
static void end_gang(int n) {
    (void)n;
    gang_end();
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int locked; /* times, under the mutex */

static void member_locks(int member, int n) {
    (void)member;
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&mutex);
        locked = locked + 1;
        pthread_mutex_unlock(&mutex);
    }
}

static void begin_lockers(int n) {
    locked = 0;
    gang_begin(MEMBERS, member_locks, n);
}

static void end_lockers(int n) {
    gang_end();
    need(locked == MEMBERS * n, "the mutex");
}

static void begin_turns(int n) {
    (void)n;
    begin_partner();
}

static void take_turns(int n) {
    for (int i = 0; i < n; i++)
        one_turn();
}

static void end_turns(int n) {
    (void)n;
    end_partner();
}

/* ---- page faults of a gang ---- */

static char *memory;
static size_t memory_bytes;

/* Nothing is mapped at its ends, so no large page fits. */
static char *map(int pages) {
    memory_bytes = (size_t)(pages + MEMORY_ENDS) * PAGE;
    memory = mmap(NULL, memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(memory != MAP_FAILED, "mmap");
    return memory;
}

static void unmap(void) { need(munmap(memory, memory_bytes) == 0, "munmap"); }

static void touch_own(int member, int n) {
    for (int i = 0; i < n; i++)
        touch(memory + (size_t)(member * n + i) * PAGE);
}

static void touch_in_turn(int member, int n) {
    for (int i = 0; i < n; i++)
        touch(memory + (size_t)(i * MEMBERS + member) * PAGE);
}

static void touch_same(int member, int n) {
    for (int i = 0; i < n * MEMBERS; i++)
        touch(memory + (size_t)i * PAGE + member);
}

static void begin_storm(void (*work)(int member, int n), int n) {
    map(n * MEMBERS);
    gang_begin(MEMBERS, work, n);
}

static void begin_storm_own(int n) { begin_storm(touch_own, n); }
static void begin_storm_turns(int n) { begin_storm(touch_in_turn, n); }
static void begin_storm_same(int n) { begin_storm(touch_same, n); }

static void end_storm(int n) {
    (void)n;
    gang_end();
    unmap();
}

/* ---- changes of a space that is active on all harts ---- */

static struct counting {
    pthread_t thread;
    volatile uint64_t count;
    char rest[COUNTING_SIZE - sizeof(pthread_t) - sizeof(uint64_t)];
} counting[GANG_MAX];
static uint64_t counted[GANG_MAX];
static volatile bool enough;

static void *count(void *arg) {
    struct counting *c = arg;
    while (!enough)
        c->count++;
    return NULL;
}

/* All of them have gone on in user mode since counted was set. */
static bool all_go_on(void) {
    for (unsigned i = 1; i < harts; i++)
        if (counting[i].count == counted[i])
            return false;
    return true;
}

static void note_counts(void) {
    for (unsigned i = 1; i < harts; i++)
        counted[i] = counting[i].count;
}

static void begin_active(int n) {
    enough = false;
    note_counts();
    for (unsigned i = 1; i < harts; i++)
        start_thread(&counting[i].thread, count, &counting[i]);
    while (!all_go_on())
        continue;
    map(2 * n + 1);
    for (int i = 0; i <= 2 * n; i++)
        touch(memory + (size_t)i * PAGE);
    note_counts();
}

static void end_active(int n) {
    need(n == 0 || all_go_on(), "a hart did not run its thread: what is measured");
    enough = true;
    for (unsigned i = 1; i < harts; i++)
        join_thread(counting[i].thread);
    unmap();
}

/* Each second page, out of the mapping. */
static void unmap_pages(int n) {
    for (int i = 1; i < 2 * n; i += 2)
        need(munmap(memory + (size_t)i * PAGE, PAGE) == 0, "munmap");
}

static void protect_page(int n) {
    for (int i = 0; i < n; i++) {
        need(mprotect(memory, PAGE, PROT_READ) == 0, "mprotect");
        need(mprotect(memory, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
    }
}

static void map_pages(int n) {
    for (int i = 0; i < n; i++) {
        char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        need(p != MAP_FAILED, "mmap");
        touch(p);
        need(munmap(p, PAGE) == 0, "munmap");
    }
}

/* ---- all together ---- */

static const struct operation {
    const char *key;
    int repeat, each; /* each repetition is so many operations */
    void (*begin)(int n), (*go)(int n), (*end)(int n);
} operations[] = {
    {"thread", 50, 1, NULL, make_threads, NULL},
    {"thread_all", 20, MEMBERS, begin_makers, go_gang, end_gang},
    {"mutex_all", 500, MEMBERS, begin_lockers, go_gang, end_lockers},
    {"futex", 200, 1, begin_turns, take_turns, end_turns},
    {"storm_own", 32, MEMBERS, begin_storm_own, go_gang, end_storm},
    {"storm_turns", 32, MEMBERS, begin_storm_turns, go_gang, end_storm},
    {"storm_same", 32, MEMBERS, begin_storm_same, go_gang, end_storm},
    {"unmap", 100, 1, begin_active, unmap_pages, end_active},
    {"protect", 100, 1, begin_active, protect_page, end_active},
    {"map", 100, 1, begin_active, map_pages, end_active},
};

static void nothing(void) {}

static void run(const struct operation *op, int n, void (*at_ends)(void)) {
    if (op->begin)
        op->begin(n);
    at_ends();
    op->go(n);
    at_ends();
    if (op->end)
        op->end(n);
}

static bool wanted(const char *key, int argc, char *argv[]) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], key) == 0)
            return true;
    return argc < 2;
}

int main(int argc, char *argv[]) {
    struct abi_sysinfo info;
    need(sysinfo(&info) == 0, "sysinfo");
    harts = (unsigned)info.harts;
    need(harts <= GANG_MAX, "so many harts: it");
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        const struct operation *op = &operations[i];
        if (!wanted(op->key, argc, argv))
            continue;
        run(op, op->repeat, nothing); /* warms up */
        run(op, 0, mark);
        run(op, op->repeat, mark);
        printf("%s %d\n", op->key, op->repeat * op->each);
    }
    printf("benchharts: done\n");
    return 0;
}
