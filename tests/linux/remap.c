/* mremap: memory that gets another size or another place; by glibc's realloc too, and among
 * threads. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define MOVES 300

static char *map(size_t n, int flags) {
    char *p = mmap(NULL, n, RW, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void check_sizes(void) {
    char *p = map(4 * PAGE, MAP_PRIVATE), *wall, *q;
    memset(p, 1, 4 * PAGE);
    CHECK(munmap(p + 2 * PAGE, 2 * PAGE) == 0);
    CHECK(mremap(p, 2 * PAGE, 4 * PAGE, 0) == p && p[3 * PAGE] == 0 && p[2 * PAGE - 1] == 1);
    CHECK(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
    wall = mmap(p + 2 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(wall == p + 2 * PAGE);
    CHECK(mremap(p, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    q = mremap(p, 2 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q[0] == 1 && q[2 * PAGE - 1] == 1);
    CHECK(mremap(q, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(q + 5, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(munmap(q, 9 * PAGE) == 0);
    CHECK(mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
}

/* To the second page of all memory, which is beside no leaf that was moved before. */
static void check_lowest(void) {
    char *p = map(PAGE, MAP_PRIVATE), *low = (char *)PAGE;
    p[0] = 7;
    CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, low) == low);
    CHECK(low[0] == 7 && munmap(low, PAGE) == 0);
}

static void check_file(void) {
    int fd = open("/tmp/remap", O_RDWR | O_CREAT, 0600);
    char *p, c;
    CHECK(ftruncate(fd, 3 * PAGE) == 0 && pwrite(fd, "z", 1, 2 * PAGE) == 1);
    p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    p[0] = 'a';
    p = mremap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    CHECK(p != MAP_FAILED && p[0] == 'a' && p[2 * PAGE] == 'z');
    p[2 * PAGE + 1] = 'y';
    CHECK(pread(fd, &c, 1, 2 * PAGE + 1) == 1 && c == 'y');
    CHECK(munmap(p, 3 * PAGE) == 0 && close(fd) == 0 && unlink("/tmp/remap") == 0);
}

static void check_realloc(void) {
    char *p = malloc(200 << 10);
    size_t n;
    CHECK(p != NULL);
    memset(p, 7, 200 << 10);
    for (n = 400 << 10; n < 8 << 20; n *= 2) {
        p = realloc(p, n);
        CHECK(p != NULL && p[0] == 7 && p[(200 << 10) - 1] == 7);
        p[n - 1] = 8;
    }
    free(p);
}

/* What is at the end of a move is there, too, while another thread stores beside it and reads a
 * page that comes and goes with the move's range. */
static char *beside;
static int done; /* atomic */
static void *store(void *arg) {
    long n = 0;
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        CHECK(*(long *)beside == n);
        *(long *)beside = ++n;
        madvise(beside + PAGE, PAGE, MADV_DONTNEED);
        CHECK(beside[PAGE] == 0);
        beside[PAGE] = 1;
    }
    return NULL;
}

static void check_threads(void) {
    char *room = map(64 * PAGE, MAP_PRIVATE), *p = room, *to;
    pthread_t t;
    int i;
    beside = room + 30 * PAGE;
    memset(p, 5, 8 * PAGE);
    CHECK(pthread_create(&t, NULL, store, NULL) == 0);
    for (i = 0; i < MOVES; i++) {
        to = p == room ? room + 50 * PAGE : room;
        CHECK(mremap(p, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
        CHECK(to[0] == 5 && to[8 * PAGE - 1] == 5);
        p = to;
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    CHECK(pthread_join(t, NULL) == 0);
}

int main(void) {
    check_sizes();
    check_lowest();
    check_file();
    check_realloc();
    check_threads();
    return tell_end();
}
