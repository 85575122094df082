/* riscv_hwprobe: what the harts are and can do, in pairs of a question's number and its answer; and
 * which harts can do what. A C library asks for its fastest memcpy. */
#include "arch/hart.h"
#include "arch/layout.h"
#include "arch/made.h"
#include "dev/isa.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/proc.h"

struct pair {
    int64_t key; /* -1: there is no such question */
    uint64_t value;
};

enum {
    VENDOR,
    ARCHITECTURE,
    IMPLEMENTATION,
    BASE,
    EXTENSIONS,
    MISALIGNED_AND_MORE, /* as it was asked for before there was one of its own */
    ZERO_BLOCK,
    HIGHEST_ADDRESS,
    TIME_HZ,
    MISALIGNED,
    MISALIGNED_VECTORS,
    KEYS
};

#define PIECE_PAIR 8 /* a piece (mm/pieces.h) is so many of a pair */
#define BASE_IMA 1u
#define SPEED_UNKNOWN 0
#define VECTORS_UNSUPPORTED 4
#define NO_COMMON_VALUE UINT64_MAX
#define WHICH_HARTS 1u /* a flag */

/* ---- extensions ---- */

#define BIT_FD 0

/* Those that need nothing of the kernel, each with its bit. So there are none here of vectors,
 * whose registers are not saved, nor Zicboz, which is not switched on for user mode, nor Zawrs,
 * whose wait the firmware may make illegal. */
static const struct {
    const char *name;
    uint8_t bit;
} extensions[] = {
    {"c", 1},       {"zba", 3},          {"zbb", 4},    {"zbs", 5},   {"zbc", 7},
    {"zbkb", 8},    {"zbkc", 9},         {"zbkx", 10},  {"zknd", 11}, {"zkne", 12},
    {"zknh", 13},   {"zksed", 14},       {"zksh", 15},  {"zkt", 16},  {"zfh", 27},
    {"zfhmin", 28}, {"zihintntl", 29},   {"zfa", 32},   {"ztso", 33}, {"zacas", 34},
    {"zicond", 35}, {"zihintpause", 36}, {"zimop", 42}, {"zca", 43},  {"zcb", 44},
    {"zcd", 45},    {"zcmop", 47},
};

static uint64_t extensions_of[NHART]; /* constant after boot */

static uint64_t read_extensions(fdt_node cpu) {
    uint64_t bits = thread_fpu_present ? 1UL << BIT_FD : 0;
    for (unsigned i = 0; i < ARRAY_LEN(extensions); i++)
        if (isa_has(cpu, extensions[i].name))
            bits |= 1UL << extensions[i].bit;
    return bits;
}

void linux_hwprobe_init(void) {
    for (fdt_node n = fdt_child(fdt_path("/cpus")); n != FDT_NONE; n = fdt_sibling(n)) {
        uint32_t id;
        if (fdt_cell(n, "reg", 0, &id))
            continue;
        for (uint32_t i = 0; i < hart_count; i++)
            if (harts[i].hartid == id)
                extensions_of[i] = read_extensions(n);
    }
}

/* ---- answers ---- */

/* With Linux's numbers. */
static uint64_t misaligned_speed(enum misaligned m) {
    switch (m) {
    case MISALIGNED_FIRMWARE: return 1;
    case MISALIGNED_HART: return 3;
    case MISALIGNED_TRAPS: return 4;
    default: return SPEED_UNKNOWN;
    }
}

static uint64_t value_of_one(uint32_t hart, int64_t key) {
    const struct hart_made *m = &hart_made[hart];
    switch (key) {
    case VENDOR: return m->maker.vendor;
    case ARCHITECTURE: return m->maker.architecture;
    case IMPLEMENTATION: return m->maker.implementation;
    case BASE: return BASE_IMA;
    case EXTENSIONS: return extensions_of[hart];
    case MISALIGNED_AND_MORE:
    case MISALIGNED: return misaligned_speed(m->misaligned);
    case HIGHEST_ADDRESS: return USER_MAX - 1;
    case TIME_HZ: return clock_span(1000000); /* of a second */
    case MISALIGNED_VECTORS: return VECTORS_UNSUPPORTED;
    default: return 0; /* ZERO_BLOCK: user mode has none */
    }
}

static bool is_known(int64_t key) { return key >= 0 && key < KEYS; }

/* Of values that differ. */
static uint64_t common(int64_t key, uint64_t a, uint64_t b) {
    if (key == EXTENSIONS)
        return a & b;
    return a == b ? a : key <= IMPLEMENTATION ? NO_COMMON_VALUE : SPEED_UNKNOWN;
}

/* Of all these harts, of which there is one at least. */
static struct pair answer(uint64_t harts_asked, int64_t key) {
    struct pair p = {is_known(key) ? key : -1, 0};
    bool first = true;
    for (uint32_t i = 0; is_known(key) && i < hart_count; i++) {
        if (!(harts_asked >> i & 1))
            continue;
        uint64_t value = value_of_one(i, key);
        p.value = first ? value : common(key, p.value, value);
        first = false;
    }
    return p;
}

/* Whether a hart does what p says: of what is a set of bits, at least. */
static bool fits(uint32_t hart, const struct pair *p) {
    uint64_t value = value_of_one(hart, p->key);
    bool is_set = p->key == BASE || p->key == EXTENSIONS || p->key == MISALIGNED_AND_MORE;
    return is_set ? (value & p->value) == p->value : value == p->value;
}

/* ---- the call ---- */

/* The harts of a set in user memory that there are. */
static int read_harts(uint64_t address, uint64_t bytes, uint64_t *asked) {
    uint64_t mask = 0;
    int err = copyin(&mask, UA(address), MIN(bytes, sizeof(mask)));
    *asked = mask & linux_harts();
    return err;
}

/* The next pair of a call, which may have any number of them. */
static int read_pair(uint64_t at, struct pair *p) {
    piece_done(PIECE_PAIR);
    return proc_killed() ? -K_EINTR : copyin(p, UA(at), sizeof(*p));
}

/* The n pairs at `at`, each with its answer. */
static int answer_all(uint64_t at, uint64_t n, uint64_t asked) {
    struct pair p;
    int err = 0;
    for (; !err && n > 0; n--, at += sizeof(p)) {
        err = read_pair(at, &p);
        if (err)
            break;
        p = answer(asked, p.key);
        err = copyout(UA(at), &p, sizeof(p));
    }
    return err;
}

/* Takes those harts out of the set that do not do what all n pairs say. A question that there is
 * not takes all of them. */
static int narrow(uint64_t at, uint64_t n, uint64_t *left) {
    struct pair p;
    for (; n > 0; n--, at += sizeof(p)) {
        int err = read_pair(at, &p);
        if (err)
            return err;
        for (uint32_t i = 0; is_known(p.key) && i < hart_count; i++)
            if (!fits(i, &p))
                *left &= ~(1UL << i);
        if (is_known(p.key))
            continue;
        *left = 0;
        p = answer(0, p.key);
        err = copyout(UA(at), &p, sizeof(p));
        if (err)
            return err;
    }
    return 0;
}

static int which_harts(const uint64_t arg[6]) {
    uint64_t left;
    if (!arg[2] || !arg[3])
        return -K_EINVAL;
    int err = read_harts(arg[3], arg[2], &left);
    if (err)
        return err;
    if (!left)
        left = linux_harts();
    err = narrow(arg[0], arg[1], &left);
    return err ? err : copyout(UA(arg[3]), &left, MIN(arg[2], sizeof(left)));
}

int linux_riscv_hwprobe(const uint64_t arg[6], uint64_t *result) {
    uint64_t asked = linux_harts();
    uint32_t flags = (uint32_t)arg[4];
    if (flags & ~WHICH_HARTS)
        return -K_EINVAL;
    if (flags)
        return which_harts(arg);
    int err = arg[2] || arg[3] ? read_harts(arg[3], arg[2], &asked) : 0;
    if (err || !asked)
        return err ? err : -K_EINVAL;
    return answer_all(arg[0], arg[1], asked);
}
