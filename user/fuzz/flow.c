/* A round: threads that make random calls, and what is looked at after each. */
#include "fuzz.h"

#define CALLS_EACH 300 /* at most, of a thread */
#define CHILD_CALLS 60
#define CHECK_EVERY 64
#define LARGEST_ERROR 133 /* of Linux's numbers */
#define ERRORS 4095
#define WAITS_AT_END 300

struct flow flows[FLOWS];
static bool is_child; /* its parent goes on with the same flow */

uint64_t random64(void) {
    struct flow *f = me();
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return f->random * 2685821657736338717;
}

void on_signal(int signal) {}

/* ---- what is found ---- */

void excuse(void) { __atomic_or_fetch(&shared->excused, EXCUSED_FAULT, __ATOMIC_RELAXED); }

void excuse_memory(void) { shared->excused = EXCUSED_FAULT | EXCUSED_MEMORY; }

bool wild;

void fail(const char *what, uint64_t a, uint64_t b) {
    if (shared->excused || wild)
        do_exit(0); /* it may have jumped here, or its own memory is what is wrong */
    if (!__atomic_exchange_n(&shared->failed, 1, __ATOMIC_RELAXED)) {
        struct text t = {shared->what, shared->what + sizeof(shared->what) - 1};
        const struct record *r = me()->record;
        put_text(&t, what);
        put_number(&t, a, 16);
        put_text(&t, " ");
        put_number(&t, b, 16);
        put_text(&t, "; its call is ");
        put_number(&t, r ? r->number : 0, 10);
    }
    do_exit(END_FAILED);
}

/* ---- one call ---- */

static void check_registers(const struct record *r, const uint64_t after[6]) {
    for (unsigned i = 1; i < 6; i++)
        if (after[i - 1] != r->a[i])
            fail("a call has changed a register: ", after[i - 1], r->a[i]);
    if (after[5] != r->number)
        fail("a call has changed a7: ", after[5], r->number);
}

static void count(const struct record *r, uint64_t number) {
    bool failed = r->result < 0 && r->result >= -ERRORS;
    if (r->result < -ERRORS || (failed && r->result < -LARGEST_ERROR))
        fail("a result is no error's number: ", (uint64_t)r->result, number);
    if (number >= MOST_CALLS)
        return;
    __atomic_add_fetch(&shared->tried[number], 1, __ATOMIC_RELAXED);
    if (!failed)
        __atomic_add_fetch(&shared->succeeded[number], 1, __ATOMIC_RELAXED);
}

static void plain(struct record *r, uint64_t number) {
    uint64_t after[6];
    r->number = number;
    r->done = 0;
    r->result = raw_call(number, r->a, after);
    r->done = 1;
    check_registers(r, after);
    count(r, number);
    if (r->result >= 0)
        remember(number, r->result);
}

static void unknown_call(struct record *r) {
    uint64_t number = unknown_number();
    for (unsigned i = 0; i < 6; i++)
        r->a[i] = random64();
    plain(r, number);
}

static void one_call(void) {
    const struct call *c = &calls[below(call_count)];
    struct record *r = me()->record;
    if (!chosen(c))
        return;
    __atomic_add_fetch(&shared->progress, 1, __ATOMIC_RELAXED);
    if (one_in(200)) {
        unknown_call(r);
        return;
    }
    unsigned known = strlen(c->arguments);
    for (unsigned i = 0; i < 6; i++)
        r->a[i] = argument(i < known ? c->arguments[i] : '0');
    refine(c, r->a);
    r->number = c->number;
    if (!special(c, r->a))
        plain(r, wanted_number(c));
}

static void run(struct flow *f) {
    for (; f->calls > 0; f->calls--) {
        one_call();
        if (f->calls % CHECK_EVERY == 0 && !f->is_process)
            memory_check();
    }
}

/* ---- threads and processes ---- */

static struct record *take_record(void) {
    uint64_t i = __atomic_fetch_add(&shared->next_record, 1, __ATOMIC_RELAXED);
    return i < RECORDS ? &shared->record[i] : NULL;
}

static void begin_flow(struct flow *f, struct record *r) {
    f->record = r;
    r->pid = (int32_t)do_getpid();
}

struct flow *flow_take(unsigned most_calls, bool is_process) {
    for (unsigned i = 1; i < FLOWS; i++) {
        struct flow *f = &flows[i];
        if (__atomic_exchange_n(&f->taken, 1, __ATOMIC_ACQUIRE))
            continue;
        f->random = random64() | 1;
        f->calls = (unsigned)below(most_calls) + 1;
        f->is_process = is_process;
        return f;
    }
    return NULL;
}

void flow_entry(struct flow *f) {
    struct record *r = take_record();
    if (r) {
        begin_flow(f, r);
        run(f);
    }
    if (f->is_process)
        do_exit(0);
    do_thread_exit(); /* its flow stays taken: it runs on that stack to the last */
}

/* Of its process nobody else is there. */
void child_goes_on(void) {
    struct flow *f = me();
    struct record *r = take_record();
    if (!r)
        do_exit(0);
    for (unsigned i = 0; i < FLOWS; i++)
        flows[i].taken = &flows[i] == f;
    is_child = true;
    f->random = (f->random ^ 0x9e3779b97f4a7c15) | 1;
    f->calls = (unsigned)below(CHILD_CALLS) + 2;
    begin_flow(f, r);
}

/* ---- the round ---- */

static void arrange_files(void) {
    int fds[2] = {-1, -1};
    static const char some[100];
    for (int fd = 0; fd < 16; fd++)
        (void)do_close(fd);
    (void)do_open("f0", O_CREATES);
    (void)do_open("f1", O_CREATES);
    (void)do_open(".", false);
    (void)do_pipe(fds, false);
    if (!do_pipe(fds, true))
        (void)do_write(fds[1], some, sizeof(some));
    (void)do_open("f2", O_CREATES);
    (void)do_open("/dev/zero", false);
    if (one_in(8))
        (void)do_open("/console", false);
    open_more();
}

static bool handle_signals(void) {
    static const uint8_t handled[] = {1, 2, 3, 6, 13, 15, SIGUSR1_, SIGUSR2_, SIGALRM_, 34, 64};
    bool well = true;
    for (unsigned i = 0; i < sizeof(handled); i++)
        well = well && do_handler(handled[i], on_signal);
    return well;
}

void round_run(uint64_t seed, uint64_t number) {
    struct flow *f = &flows[0];
    struct record *r = take_record();
    f->taken = true;
    f->random = (seed * 0x9e3779b97f4a7c15 ^ (number + 1) * 0xbf58476d1ce4e5b9) | 1;
    f->calls = CALLS_EACH;
    begin_flow(f, r);
    (void)do_own_group();
    arrange_files();
    int file = (int)do_open("m", O_CREATES);
    if (file < 0 || do_write(file, "mapped", 6) != 6 || !memory_arrange(file) || !handle_signals())
        do_exit(END_NO_MEMORY);
    for (uint64_t n = below(3); n > 0; n--) {
        struct flow *other = flow_take(CALLS_EACH, false);
        if (other && do_thread(other) < 0)
            other->taken = false;
    }
    if (one_in(4) && do_fork() == 0)
        child_goes_on();
    run(f);
    for (unsigned i = 0; !is_child && i < WAITS_AT_END && below(WAITS_AT_END); i++)
        (void)do_yield();
    memory_check();
    do_exit(0);
}
