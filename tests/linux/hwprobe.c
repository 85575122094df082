/* riscv_hwprobe: what is told of the harts, one by one and together, and which of them fit; by the
 * call, and by the vDSO. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

#define CALL 258
#define WHICH 1

enum {
    VENDOR,
    ARCH,
    IMPLEMENTATION,
    BASE,
    EXTENSIONS,
    PERFORMANCE,
    ZERO_BLOCK,
    HIGHEST,
    HZ,
    MISALIGNED,
    VECTORS,
    LAST = VECTORS
};
enum { SLOW_UNKNOWN = 0, EMULATED = 1, FAST = 3 };

struct pair {
    int64_t key;
    uint64_t value;
};

static long probe(struct pair *p, size_t n, size_t bytes, void *cpus, unsigned flags) {
    return syscall(CALL, p, n, bytes, cpus, flags);
}

static uint64_t value_of(int64_t key) {
    struct pair p = {key, 77};
    CHECK(probe(&p, 1, 0, NULL, 0) == 0 && p.key == key);
    return p.value;
}

static void check_answers(void) {
    struct pair all[LAST + 3];
    uint64_t before;
    int i;
    for (i = 0; i <= LAST + 2; i++)
        all[i] = (struct pair){i == LAST + 2 ? -5 : i == LAST + 1 ? 5000 : i, 1234567};
    CHECK(probe(all, LAST + 3, 0, NULL, 0) == 0);
    for (i = 0; i <= LAST; i++)
        CHECK(all[i].key == i && all[i].value == value_of(i));
    for (; i <= LAST + 2; i++)
        CHECK(all[i].key == -1 && all[i].value == 0);
    CHECK(all[BASE].value == 1);
    CHECK((all[EXTENSIONS].value & 3) == 3); /* FD and C, of which this program is */
    CHECK(all[PERFORMANCE].value == all[MISALIGNED].value);
    CHECK(all[ZERO_BLOCK].value == 0 && all[VECTORS].value == 4);
    CHECK(all[HIGHEST].value % 4096 == 4095 && all[HIGHEST].value > (uint64_t)all);
    before = all[HZ].value;
    CHECK(before >= 100000 && before <= 10000000000);
    CHECK(probe(NULL, 0, 0, NULL, 0) == 0);
}

/* What says so of misaligned accesses has seen some. */
static void check_misaligned(void) {
    static char bytes[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint64_t speed = value_of(MISALIGNED), word;
    CHECK(speed == SLOW_UNKNOWN || speed == EMULATED || speed == FAST);
    printf("hwprobe: misaligned accesses %lu\n", (unsigned long)speed);
    if (speed) {
        __asm__ volatile("ld %0, 1(%1)" : "=r"(word) : "r"(bytes), "m"(bytes));
        CHECK(word == 0x0908070605040302);
    }
}

static void check_sets(void) {
    struct pair p[2] = {{BASE, 0}, {HZ, 0}};
    unsigned long harts = sysconf(_SC_NPROCESSORS_ONLN), all = (2UL << (harts - 1)) - 1;
    unsigned long set[3] = {1, 0, 0};
    CHECK(probe(p, 1, sizeof(set), set, 0) == 0 && p[0].value == 1);
    set[0] = all + 1; /* one that there is not */
    CHECK(probe(p, 1, 8, set, 0) == -1 && errno == EINVAL);
    set[0] |= 1;
    CHECK(probe(p, 1, 8, set, 0) == 0 && set[0] == (all + 2));
    CHECK(probe(p, 1, 8, NULL, 0) == -1 && errno == EFAULT);
    CHECK(probe(p, 1, 0, set, 0) == -1 && errno == EINVAL);

    set[0] = 0;                                                       /* any */
    CHECK(probe(p, 2, sizeof(set), set, WHICH) == -1 || set[0] == 0); /* 0 Hz: none */
    p[1].value = value_of(HZ);
    set[0] = 0;
    CHECK(probe(p, 2, sizeof(set), set, WHICH) == 0 && set[0] == all);
    set[0] = 1 | 1UL << 40;
    CHECK(probe(p, 2, sizeof(set), set, WHICH) == 0 && set[0] == 1);
    p[0].value = 1; /* a set of bits, which has to have these */
    p[1] = (struct pair){EXTENSIONS, value_of(EXTENSIONS)};
    set[0] = 0;
    CHECK(probe(p, 2, 8, set, WHICH) == 0 && set[0] == all);
    p[1].value |= 1UL << 63;
    CHECK(probe(p, 2, 8, set, WHICH) == 0 && set[0] == 0);
    p[1] = (struct pair){99, 3};
    set[0] = all;
    CHECK(probe(p, 2, 8, set, WHICH) == 0 && set[0] == 0 && p[1].key == -1 && p[1].value == 0);
    CHECK(probe(p, 1, 0, set, WHICH) == -1 && errno == EINVAL);
    CHECK(probe(p, 1, 8, NULL, WHICH) == -1 && errno == EINVAL);
}

static void check_errors(void) {
    struct pair p = {BASE, 0};
    char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct pair *last = (struct pair *)(edge + 4096) - 1;
    CHECK(munmap(edge + 4096, 4096) == 0);
    CHECK(probe(&p, 1, 0, NULL, 2) == -1 && errno == EINVAL);
    CHECK(probe(&p, 1, 0, NULL, -1) == -1 && errno == EINVAL);
    CHECK(probe(NULL, 1, 0, NULL, 0) == -1 && errno == EFAULT);
    *last = (struct pair){BASE, 0};
    CHECK(probe(last, 2, 0, NULL, 0) == -1 && errno == EFAULT);
    CHECK(last->value == 1); /* the first has its answer */
    CHECK(mprotect(edge, 4096, PROT_READ) == 0);
    CHECK(probe(last, 1, 0, NULL, 0) == -1 && errno == EFAULT);
}

int main(void) {
    check_answers();
    check_misaligned();
    check_sets();
    check_errors();
    return tell_end();
}
