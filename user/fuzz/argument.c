/* Arguments that mostly fit: a letter says what each of a call is.
 *
 *     f descriptor     d directory's descriptor    p path         a address
 *     s size           o offset                    i small number g flags
 *     t time           S set of signals            A action       I timer's value
 *     K other stack    v vectors                   P entries to poll
 *     F set of files   m place to map at           l length there
 *     k signal         q process                   h thread       x arrays of strings
 *     j family         y kind of socket            n name's size  G flags of a message
 *     M message        W messages                  u socket       e event set
 *     w timer          N queue of notes            D process's descriptor
 *     c what ioctl is for                          B what fcntl is for
 *     0 nothing */
#include "fuzz.h"

uint64_t any_fd(void) {
    static const uint64_t odd[] = {(uint64_t)-1, 1023,        1024,          0x7fffffff,
                                   0x80000000,   0x100000003, (uint64_t)-100};
    return one_in(12) ? CHOICE(odd) : below(14);
}

#define KEPT 6
static int32_t kept[KEPT_KINDS][KEPT]; /* of the process; at first its standard input */

/* The first one takes all places. */
void keep_fd(enum kept kind, long fd) {
    for (unsigned i = 0; i < KEPT; i++)
        kept[kind][i] = kept[kind][i] ? kept[kind][i] : (int32_t)fd;
    kept[kind][below(KEPT)] = (int32_t)fd;
}

static uint64_t any_kept(enum kept kind) {
    return one_in(6) ? any_fd() : (uint64_t)(int64_t)CHOICE(kept[kind]);
}

static uint64_t any_kept_at_all(void) { return any_kept((enum kept)below(KEPT_KINDS)); }

uint64_t any_size(void) {
    static const uint64_t huge[] = {0x7ffff000, 0x7fffffff,         0x80000000,  0xffffffff,
                                    1UL << 32,  0x8000000000000000, 1UL << 38,   (uint64_t)-1,
                                    1UL << 62,  (uint64_t)-4096,    (uint64_t)-8};
    static const uint64_t usual[] = {0,    1,    2,    3,     4,   8,    16,   24,
                                     32,   100,  128,  511,   512, 513,  1000, 4095,
                                     4096, 4097, 8192, 20000, 64,  1024, 2048, 8};
    return one_in(10) ? CHOICE(huge) : one_in(40) ? random64() >> below(64) : CHOICE(usual);
}

static uint64_t any_offset(void) {
    static const uint64_t odd[] = {(uint64_t)-1, 1UL << 31, 1UL << 32, 0x7fffffffffffffff,
                                   274432,       274431,    1UL << 40, 0x8000000000000000};
    return one_in(5) ? CHOICE(odd) : below(3) * PAGE + (one_in(2) ? below(PAGE) : 0);
}

uint64_t any_flags(void) {
    switch (below(8)) {
    case 0: return 0;
    case 1: return 1UL << below(32);
    case 2: return 1UL << below(32) | 1UL << below(12);
    case 3: return random64() >> below(64);
    case 4: return (uint64_t)-1;
    default: return below(8);
    }
}

uint64_t any_signal(void) {
    static const uint64_t usual[] = {SIGUSR1_, SIGUSR2_, SIGALRM_, SIGCHLD_, 13, 18, 28, 34, 64};
    static const uint64_t odd[] = {0, 65, 32, 33, (uint64_t)-1, 1, 2, 15, 19, 20, 21, 22};
    return one_in(20) ? CHOICE(odd) : CHOICE(usual);
}

/* Never the parent's, nor all there are. */
uint64_t any_pid(void) {
    switch (below(8)) {
    case 0: return 0;
    case 1: return 0x7fffffff;
    case 2: return 0x80000000;
    case 3: return 0x3ffffff0 + below(16);
    case 4:
    case 5: {
        uint64_t pid = (uint64_t)shared->record[below(RECORDS)].pid;
        return one_in(4) ? -pid : pid;
    }
    default: return (uint64_t)do_getpid();
    }
}

/* ---- paths ---- */

static const char *const paths[] = {
    "f0",
    "f1",
    "f2",
    "d0",
    "d0/f3",
    "d0/d1",
    "d0/d1/f4",
    "link",
    "loop",
    ".",
    "..",
    "d0/..",
    "./d0/./f3",
    "f0/x",
    "missing",
    "d0/none/x",
    "",
    "/",
    "script",
    "broken",
    "d0/",
    "f1/",
    "/proc/self/maps",
    "/proc/self/stat",
    "/proc/meminfo",
    "/proc",
    "/proc/self/exe",
    "/tests/fuzzlinux",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/urandom",
    "/dev/ptmx",
    "/dev/pts/0",
    "/dev",
    "/xv6",
    "/xv6/fuzz0",
    "/bin/true",
    "/init",
    "walk",
    "mirror",
    "averylongname-that-is-longer-than-a-directory-entry-has-room-for"};

static uint64_t long_path(void) {
    uint64_t n = one_in(2) ? 100 + below(200) : 300 + below(4000), at = scratch(5000);
    memset((void *)at, one_in(2) ? 'x' : '/', n);
    if (one_in(2))
        ((char *)at)[n] = 0;
    return at;
}

/* At the end of what is mapped, with its terminator or without. */
static uint64_t path_at_end(void) {
    const char *path = CHOICE(paths);
    size_t n = strlen(path) + one_in(2);
    return (uint64_t)memcpy((void *)(SCRATCH + SCRATCH_PAGES * PAGE - n), path, n);
}

uint64_t any_path(void) {
    switch (below(16)) {
    case 0: return any_address();
    case 1: return long_path();
    case 2: return path_at_end();
    default: return (uint64_t)CHOICE(paths);
    }
}

/* Of file systems. */
static uint64_t any_type(void) {
    static const char *const types[] = {"tmpfs",  "ramfs", "devtmpfs", "proc",
                                        "devpts", "ext2",  "xv6"};
    return one_in(8) ? any_path() : (uint64_t)CHOICE(types);
}

/* ---- structures ---- */

uint64_t put_words(const uint64_t *words, unsigned n) {
    uint64_t at = one_in(12) ? SCRATCH + SCRATCH_PAGES * PAGE - below(n) * 8 : scratch(n * 8);
    if (one_in(10))
        return any_address();
    for (unsigned i = 0; i < n && at + i * 8 < SCRATCH + SCRATCH_PAGES * PAGE; i++)
        ((uint64_t *)at)[i] = words[i];
    return at;
}

/* Mostly short: what waits for long is interrupted, which takes its time. */
static uint64_t any_time(void) {
    static const uint64_t odd[] = {(uint64_t)-1,       1000000000,         999999999,
                                   0x7fffffffffffffff, 0x8000000000000000, 1};
    uint64_t time[2] = {0, below(2000000)};
    if (one_in(12))
        return 0;
    if (one_in(12))
        time[below(2)] = CHOICE(odd);
    return put_words(time, 2);
}

static uint64_t any_set(void) {
    uint64_t set = one_in(3) ? random64() : one_in(2) ? 0 : 1UL << below(64);
    return one_in(8) ? 0 : put_words(&set, 1);
}

/* What others may change while it is used would be anything: what is to be well is kept apart. */
static uint64_t put_apart(const uint64_t *words, unsigned n) {
    if (one_in(200)) {
        excuse();
        return one_in(2) ? any_address() : put_words(words, n);
    }
    return one_in(6) ? 0 : (uint64_t)memcpy(me()->apart, words, n * sizeof(*words));
}

static uint64_t any_action(void) {
    static const uint64_t bits[] = {0x08000000, 0x10000000, 0x40000000, 0x80000000};
    uint64_t flags = (any_flags() & 7) | (one_in(2) ? CHOICE(bits) : 0);
    uint64_t handler = one_in(6) ? below(2) : (uint64_t)on_signal;
    const uint64_t words[3] = {handler, flags, one_in(3) ? random64() : 0};
    return put_apart(words, 3);
}

static uint64_t any_timer(void) {
    uint64_t words[4] = {0, one_in(3) ? below(5000) : 0, 0, below(5000)};
    if (one_in(10))
        words[below(4)] = random64();
    return put_words(words, 4);
}

static uint64_t any_other_stack(void) {
    uint64_t at = OTHER_STACKS + (uint64_t)(me() - flows) * OTHER_STACK_SIZE;
    const uint64_t words[3] = {at, one_in(6) ? 2 : 0, OTHER_STACK_SIZE};
    return put_apart(words, 3);
}

static uint64_t any_vectors(void) {
    uint64_t words[16];
    bool well = one_in(2);
    for (unsigned i = 0; i < 16; i += 2) {
        words[i] = well ? scratch(1000) : any_address();
        words[i + 1] = well ? below(1000) : any_size();
    }
    return put_words(words, 16);
}

static uint64_t any_entries(void) {
    uint64_t words[16];
    for (unsigned i = 0; i < 16; i++)
        words[i] = (uint32_t)any_fd() | (random64() & 0x1ff) << 32;
    return put_words(words, 16);
}

static uint64_t any_files(void) {
    uint64_t words[16] = {random64() & 0x1fff};
    if (one_in(10))
        words[below(16)] = random64();
    return one_in(4) ? 0 : put_words(words, 16);
}

/* ---- mapping ---- */

static uint64_t any_place(void) {
    if (one_in(16))
        return any_address();
    return one_in(4) ? 0 : play_address() + (one_in(16) ? below(PAGE) : 0);
}

static uint64_t any_length(void) {
    return one_in(12) ? any_size() : (1 + below(8)) * PAGE - (one_in(8) ? below(PAGE) : 0);
}

static uint64_t any_strings(void) {
    uint64_t words[4] = {(uint64_t) "fuzzed", (uint64_t)CHOICE(paths), 0, 0};
    if (one_in(6))
        words[below(3)] = any_address();
    if (one_in(8))
        words[2] = words[3] = (uint64_t) "one more";
    return one_in(8) ? 0 : put_words(words, 4);
}

uint64_t argument(char letter) {
    switch (letter) {
    case 'f': return one_in(6) ? any_kept_at_all() : any_fd();
    case 'd': return one_in(3) ? any_fd() : (uint64_t)-100;
    case 'p': return any_path();
    case 'Y': return any_type();
    case 'a': return any_address();
    case 's': return any_size();
    case 'o': return any_offset();
    case 'i': return one_in(10) ? random64() >> below(64) : below(12);
    case 'g': return any_flags();
    case 't': return any_time();
    case 'S': return any_set();
    case 'A': return any_action();
    case 'I': return any_timer();
    case 'K': return any_other_stack();
    case 'v': return any_vectors();
    case 'P': return any_entries();
    case 'F': return any_files();
    case 'm': return any_place();
    case 'l': return any_length();
    case 'k': return any_signal();
    case 'q': return any_pid();
    case 'h': return one_in(3) ? any_pid() : (uint64_t)do_tid();
    case 'x': return any_strings();
    case 'u': return any_kept(KEPT_SOCKETS);
    case 'e': return any_kept(KEPT_SETS);
    case 'w': return any_kept(KEPT_TIMERS);
    case 'N': return any_kept(KEPT_QUEUES);
    case 'D': return any_kept(KEPT_PROCESSES);
    case 'c': return one_in(4) ? any_kept_at_all() : any_kept(KEPT_TERMINALS);
    case 'B': return one_in(2) ? any_fd() : any_kept(KEPT_SEALED);
    case 'j': return any_family();
    case 'y': return any_kind();
    case 'n': return any_name_size();
    case 'G': return any_message_flags();
    case 'M': return any_message();
    case 'W': return any_messages();
    default: return one_in(20) ? random64() : 0;
    }
}
