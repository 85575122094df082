/* The process that starts one round after the other, and judges how each ends. */
#include "fuzz.h"

#ifdef FUZZ_LINUX
#define NAME "fuzzlinux"
#else
#define NAME "fuzzcalls"
#endif

#define TICK 2000000   /* nanoseconds between looks at a round */
#define IDLE_SIGNAL 3  /* looks without a call, after which it is interrupted */
#define IDLE_KILL 8    /* and ended */
#define CLEAN_EVERY 4  /* rounds */
#define OWN_WORDS 8192 /* of memory that nothing has to change */

struct shared *shared;
static uint64_t own[OWN_WORDS];
static uint64_t faults, killed, no_memory;

/* ---- output ---- */

void put_text(struct text *t, const char *s) {
    while (*s && t->at < t->end)
        *t->at++ = *s++;
}

void put_number(struct text *t, uint64_t n, unsigned base) {
    char digits[24], *at = digits + sizeof(digits) - 1;
    *at = 0;
    do
        *--at = "0123456789abcdef"[n % base];
    while ((n /= base) > 0);
    put_text(t, base == 16 ? "0x" : "");
    put_text(t, at);
}

static char line[2000];
static struct text out = {line, line + sizeof(line) - 1};

static void put(const char *s) { put_text(&out, s); }
static void put_n(uint64_t n) { put_number(&out, n, 10); }

static void end_line(void) {
    put("\n");
    (void)do_write(1, line, (size_t)(out.at - line));
    out.at = line;
}

/* ---- what belongs to this process alone ---- */

static void fill_own(void) {
    for (uint64_t i = 0; i < OWN_WORDS; i++)
        own[i] = i * 0x9e3779b97f4a7c15;
}

static bool own_is_well(void) {
    for (uint64_t i = 0; i < OWN_WORDS; i++)
        if (own[i] != i * 0x9e3779b97f4a7c15)
            return false;
    return true;
}

/* ---- files ---- */

static const char *const names[] = {"f0",      "f1",    "f2", "d0/f3", "d0/d1/f4", "d0/x",
                                    "link",    "loop",  "m",  "x",     "script",   "broken",
                                    "missing", "d0/d1", "d0", "walk",  "mirror",   "/xv6/fuzz0"};

static void clean(void) {
    for (unsigned i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
        const char *name = names[i % (sizeof(names) / sizeof(names[0]))];
        if (do_remove(name, false) < 0)
            (void)do_remove(name, true);
    }
}

static void make_file(const char *name, const char *text, size_t n) {
    int fd = (int)do_open(name, O_CREATES);
    if (fd >= 0) {
        (void)do_write(fd, text, n);
        (void)do_close(fd);
    }
}

/* There need not be room for all. */
static void make_files(void) {
    static const char script[] = "#!/bin/true of\n", broken[] = "\177ELF\2\1\1";
    clean();
    (void)do_mkdir("d0");
    (void)do_mkdir("d0/d1");
    make_file("d0/f3", "three", 5);
    make_file("script", script, sizeof(script) - 1);
    make_file("broken", broken, sizeof(broken));
}

/* ---- a round ---- */

static void tell_failure(uint64_t seed, uint64_t number, const char *what, uint64_t status) {
    put(NAME ": FAILED: ");
    put(what);
    put(", status ");
    put_number(&out, status, 16);
    put(": seed ");
    put_n(seed);
    put(", round ");
    put_n(number);
    end_line();
    for (unsigned i = 0; i < RECORDS && shared->record[i].pid; i++) {
        const struct record *r = &shared->record[i];
        put("    process ");
        put_n((uint64_t)r->pid);
        put(r->done ? ": after call " : ": in call ");
        put_n(r->number);
        for (unsigned k = 0; k < 6; k++) {
            put(k ? ", " : "(");
            put_number(&out, r->a[k], 16);
        }
        put(") = ");
        put_number(&out, (uint64_t)r->result, 16);
        end_line();
    }
}

static bool is_fault(int signal) {
    return signal == 4 || signal == 5 || signal == 7 || signal == 8 || signal == 11;
}

/* All that may still be there, in its group or not. */
static void kill_all(long pid) {
    (void)do_kill(-pid, SIGKILL_);
    for (unsigned i = 0; i < RECORDS; i++)
        if (shared->record[i].pid > 0)
            (void)do_kill(shared->record[i].pid, SIGKILL_);
}

/* One may have been in the middle of its birth when all were killed. */
static void wait_until_gone(void) {
    for (unsigned i = 0; i < RECORDS; i++)
        while (shared->record[i].pid > 0 && do_kill(shared->record[i].pid, SIGKILL_) == 0)
            (void)do_sleep(TICK);
}

/* Until it has ended: what makes no call for long waits for nothing. */
static int watch(long pid) {
    int status = 0;
    uint64_t seen = 0;
    for (unsigned idle = 0; do_wait(pid, &status, NOHANG) != pid; idle++) {
        uint64_t now = __atomic_load_n(&shared->progress, __ATOMIC_RELAXED);
        if (now != seen)
            idle = 0;
        seen = now;
        if (idle == IDLE_SIGNAL)
            (void)do_kill(pid, SIGUSR1_);
        if (idle >= IDLE_KILL) {
            killed += idle == IDLE_KILL;
            kill_all(pid);
        }
        (void)do_sleep(TICK);
    }
    return status;
}

static bool judge(uint64_t seed, uint64_t number, int status) {
    int signal = status & 0x7f;
    bool fault = is_fault(signal);
    faults += fault;
    no_memory += status == END_NO_MEMORY << 8;
    if (shared->failed)
        tell_failure(seed, number, shared->what, (uint64_t)status);
    else if (fault && !shared->excused)
        tell_failure(seed, number, "a fault that nothing has asked for", (uint64_t)status);
    else if (!own_is_well())
        tell_failure(seed, number, "another process's memory has changed", (uint64_t)status);
    else
        return true;
    return false;
}

/* False: it has found something. */
static bool round(uint64_t seed, uint64_t number) {
    memset(shared->record, 0, sizeof(shared->record));
    shared->next_record = shared->excused = shared->failed = 0;
    shared->round = number;
    if (number % CLEAN_EVERY == 0)
        make_files();
    long pid = do_fork();
    if (pid == 0)
        round_run(seed, number);
    if (pid < 0) { /* memory is refused now and then */
        no_memory++;
        return true;
    }
    int status = watch(pid);
    kill_all(pid);
    wait_until_gone();
    return judge(seed, number, status);
}

/* ---- the whole ---- */

#define MANY_TRIES 50
#define SELDOM 25 /* less than once in so many tries */

static bool is_seldom(uint64_t tried, uint64_t succeeded) {
    return tried > MANY_TRIES && succeeded && succeeded * SELDOM < tried;
}

/* The calls that hardly do anything, so that somebody makes their arguments fit better. */
static void tell_seldom(bool never) {
    bool first = true;
    for (unsigned i = 0; i < call_count; i++) {
        uint64_t tried = shared->tried[calls[i].number],
                 succeeded = shared->succeeded[calls[i].number];
        if (never ? succeeded || !tried : !is_seldom(tried, succeeded))
            continue;
        put(!first ? " " : never ? NAME ": never succeeded: " : NAME ": seldom succeeded: ");
        put(calls[i].name);
        first = false;
    }
    if (!first)
        end_line();
}

static bool rounds(uint64_t most, uint64_t seed) {
    uint64_t number = 0;
    bool well = true;
    for (; well && shared->progress < most; number++)
        well = round(seed, number);
    clean();
    tell_seldom(true);
    tell_seldom(false);
    put(NAME ": ");
    put_n(shared->progress);
    put(" calls in ");
    put_n(number);
    put(" rounds; of these ended by a fault ");
    put_n(faults);
    put(", while they waited ");
    put_n(killed);
    put(", without memory at the start ");
    put_n(no_memory);
    end_line();
    return well;
}

static bool number_of(const char *s, uint64_t *n) {
    *n = 0;
    for (; *s >= '0' && *s <= '9'; s++)
        *n = *n * 10 + (uint64_t)(*s - '0');
    return !*s;
}

bool ends_with_name(const char *path) {
    size_t n = strlen(path), own_bytes = sizeof(NAME) - 1;
    return n >= own_bytes && !memcmp(path + n - own_bytes, NAME, own_bytes);
}

/* ---- who looks after it ---- */

#define SAYS_STOPPED 0x7f /* in the low byte of a status */
#define IGNORE ((void (*)(int))1)

static void ignore_signals(void) {
    for (int i = 1; i < 32; i++)
        if (i != SIGKILL_ && i != SIGSTOP_ && i != SIGCHLD_)
            (void)do_handler(i, IGNORE);
}

static void tell_end(const char *what, uint64_t number) {
    put(NAME ": FAILED: the process that judges ");
    put(what);
    put_n(number);
    put(" after ");
    put_n(shared->progress);
    put(" calls, in round ");
    put_n(shared->round);
    end_line();
}

/* It may happen to the process that judges what happens to all others: it is stopped, killed, or
 * loses its descriptors. Then this one says so; it has another group. */
static _Noreturn void look_after(long pid) {
    int status = 0;
    bool well = true;
    long got;
    ignore_signals();
    while ((got = do_wait(pid, &status, STOPPED_TOO)) != pid || (status & 0xff) == SAYS_STOPPED) {
        if (got != pid && got != -EINTR_) {
            tell_end("cannot be waited for: error ", (uint64_t)-got);
            do_exit(1);
        }
        if (got != pid)
            continue;
        well = false;
        tell_end("was stopped by signal ", (uint64_t)status >> 8);
        (void)do_kill(pid, SIGCONT_);
    }
    if (status & 0x7f)
        tell_end("was ended by signal ", (uint64_t)(status & 0x7f));
    else if (!shared->told)
        tell_end("has said nothing, and ended with ", (uint64_t)status >> 8);
    do_exit(!(well && status == 0 && shared->told));
}

static _Noreturn void give_up(const char *what, long err) {
    put(NAME ": FAILED: ");
    put(what);
    put_n((uint64_t)-err);
    end_line();
    do_exit(3);
}

static _Noreturn void usage(void) {
    put("usage: " NAME " [CALLS [SEED [ROUND]]]");
    end_line();
    do_exit(2);
}

static _Noreturn void run(int argc, const uint64_t number[3]) {
    (void)do_own_group();
    fill_own();
    (void)do_handler(SIGCHLD_, on_signal);
    (void)do_mkdir("fuzz.tmp");
    long err = do_chdir("fuzz.tmp");
    if (err < 0)
        give_up("there is no folder fuzz.tmp: error ", err);
    make_files();
    bool well = argc > 3 ? round(number[1], number[2]) : rounds(number[0], number[1]);
    put(well ? NAME ": OK" : NAME ": FAILED");
    end_line();
    shared->told = 1;
    do_exit(!well);
}

/* Started by a round, too, with whatever arguments: it has nothing to do then. */
_Noreturn void begin(int argc, char **argv);
_Noreturn void begin(int argc, char **argv) {
    uint64_t number[3] = {20000, 1, 0};
    flows[0].random = 1;
    if (argc < 1 || !argv || !argv[0] || !ends_with_name(argv[0]))
        do_exit(0);
    for (int i = 1; i < argc; i++)
        if (i > 3 || !number_of(argv[i], &number[i - 1]))
            usage();
    long map = do_mmap(0, sizeof(struct shared), PROT_RW, MAP_SHARED_OWN, -1, 0);
    if (map < 0)
        give_up("no memory for what is shared: error ", map);
    shared = (struct shared *)map;
    put(NAME ": seed ");
    put_n(number[1]);
    end_line();
    long pid = do_fork();
    if (pid < 0)
        give_up("no process that judges: error ", pid);
    if (pid == 0)
        run(argc, number);
    look_after(pid);
}
