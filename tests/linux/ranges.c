/* Ranges: of vectors at an offset, of descriptors, and of memory that stays; and openat2. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "check.h"

#define PAGE 4096L
#define NOWHERE ((void *)-16L)

static void check_vectors(void) {
    char a[4] = "", b[8] = "";
    struct iovec in[2] = {{"abc", 3}, {"defgh", 5}}, out[2] = {{a, 3}, {b, 5}};
    int ends[2], fd = open("/tmp/ranges", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(pwritev(fd, in, 2, 2) == 8 && lseek(fd, 0, SEEK_CUR) == 0);
    CHECK(preadv(fd, out, 2, 2) == 8 && !strcmp(a, "abc") && !strcmp(b, "defgh"));
    CHECK(preadv(fd, out, 2, 6) == 4 && !strcmp(a, "efg") && b[0] == 'h');
    CHECK(preadv(fd, out, 2, 10) == 0 && preadv(fd, out, 2, -2) == -1 && errno == EINVAL);
    CHECK(preadv2(fd, out, 1, -1, 0) == 3 && lseek(fd, 0, SEEK_CUR) == 3);
    CHECK(preadv2(fd, out, 1, 2, RWF_HIPRI) == 3 && !strcmp(a, "abc"));
    CHECK(preadv2(fd, out, 1, 2, RWF_NOWAIT) == -1 && errno == EOPNOTSUPP);
    CHECK(pwritev2(fd, in, 1, 0, RWF_APPEND | RWF_DSYNC) == 3);
    CHECK(lseek(fd, 0, SEEK_END) == 13 && pread(fd, a, 3, 10) == 3 && !strcmp(a, "abc"));
    CHECK(pwritev2(fd, in, 1, 0, 0x1000) == -1 && errno == EOPNOTSUPP);
    CHECK(pipe(ends) == 0 && pwritev(ends[1], in, 2, 0) == -1 && errno == ESPIPE);
    CHECK(pwritev2(ends[1], in, 2, -1, 0) == 8 && close(ends[0]) == 0 && close(ends[1]) == 0);
    CHECK(close(fd) == 0 && preadv(fd, out, 2, 0) == -1 && errno == EBADF);
}

static void check_closing(void) {
    int fd = open("/tmp/ranges", O_RDONLY);
    CHECK(dup2(fd, 70) == 70 && dup2(fd, 71) == 71 && dup2(fd, 500) == 500);
    CHECK(close_range(70, 71, CLOSE_RANGE_CLOEXEC) == 0);
    CHECK(fcntl(70, F_GETFD) == FD_CLOEXEC && fcntl(71, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(500, F_GETFD) == 0 && close_range(71, 100, CLOSE_RANGE_UNSHARE) == 0);
    CHECK(fcntl(71, F_GETFD) == -1 && errno == EBADF && fcntl(70, F_GETFD) == FD_CLOEXEC);
    CHECK(close_range((unsigned)fd, ~0U, 0) == 0 && fcntl(500, F_GETFD) == -1);
    CHECK(fcntl(fd, F_GETFD) == -1 && fcntl(70, F_GETFD) == -1 && fcntl(1, F_GETFD) == 0);
    CHECK(close_range(9, 8, 0) == -1 && errno == EINVAL);
    CHECK(close_range(8, 9, 1) == -1 && errno == EINVAL);
}

static void *close_all(void *arg) {
    CHECK(close_range(3, ~0U, CLOSE_RANGE_UNSHARE) == -1 && errno == ENOMEM);
    return arg;
}

/* A thread has no table of descriptors of its own, and does not close those of the others. */
static void check_threads(void) {
    pthread_t t;
    int fd = dup(1);
    CHECK(pthread_create(&t, NULL, close_all, NULL) == 0 && pthread_join(t, NULL) == 0);
    CHECK(fcntl(fd, F_GETFD) == 0 && close(fd) == 0);
}

static int open_how(struct open_how how, size_t bytes) {
    return (int)syscall(SYS_openat2, AT_FDCWD, "/tmp/ranges", &how, bytes);
}

static void check_opening(void) {
    size_t all = sizeof(struct open_how);
    union {
        struct open_how how;
        char room[64];
    } longer = {{.flags = O_RDONLY}};
    int fd = open_how((struct open_how){.flags = O_RDWR | O_CLOEXEC}, all);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && write(fd, "x", 1) == 1);
    CHECK(close(fd) == 0);
    fd = (int)syscall(SYS_openat2, AT_FDCWD, "/tmp/ranges", &longer, sizeof(longer));
    CHECK(fd >= 0 && close(fd) == 0);
    longer.room[60] = 1;
    CHECK(syscall(SYS_openat2, AT_FDCWD, "/tmp/ranges", &longer, sizeof(longer)) == -1);
    CHECK_EQ(errno == 0 ? 0 : open_how((struct open_how){.flags = 1UL << 40}, all), -1);
    CHECK(open_how((struct open_how){.mode = 0600}, all) == -1 && errno == EINVAL);
    CHECK(open_how((struct open_how){.flags = O_RDONLY}, all - 1) == -1 && errno == EINVAL);
    CHECK(open_how((struct open_how){.resolve = RESOLVE_BENEATH}, all) == -1 && errno == ENOSYS);
    CHECK(open_how((struct open_how){.resolve = 1UL << 20}, all) == -1 && errno == EINVAL);
}

static int resident(char *at, unsigned pages) {
    unsigned char there[8] = {0};
    if (mincore(at, pages * PAGE, there))
        return -errno;
    int n = 0;
    for (unsigned i = 0; i < pages; i++)
        n += there[i];
    return n;
}

static void check_staying(void) {
    unsigned char there[4];
    char *p = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[PAGE] = 1;
    CHECK_EQ(resident(p, 6), 1);
    CHECK(mlock(p + 2 * PAGE + 5, PAGE) == 0);
    CHECK_EQ(resident(p, 6), 3);
    CHECK(syscall(SYS_mlock2, p, 6 * PAGE, 1) == 0);
    CHECK_EQ(resident(p, 6), 3);
    CHECK(munlock(p, 6 * PAGE) == 0 && mlock(p, 6 * PAGE) == 0);
    CHECK_EQ(resident(p, 6), 6);
    CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
    CHECK_EQ(resident(p, 6), 6);
    CHECK(munmap(p + 3 * PAGE, PAGE) == 0 && mlock(p, 6 * PAGE) == -1 && errno == ENOMEM);
    CHECK(munlock(p, 6 * PAGE) == -1 && errno == ENOMEM && resident(p, 6) == -ENOMEM);
    CHECK_EQ(resident(p + 4 * PAGE, 2), 2);
    CHECK(mincore(p + 1, PAGE, there) == -1 && errno == EINVAL);
    CHECK(mincore(p, PAGE, NOWHERE) == -1 && errno == EFAULT);
    CHECK(mlockall(0) == -1 && errno == EINVAL && mlockall(MCL_FUTURE | MCL_ONFAULT) == 0);
    CHECK(munlockall() == 0 && syscall(SYS_mlock2, p, PAGE, 2) == -1 && errno == EINVAL);
    CHECK(munmap(p, 6 * PAGE) == 0);
    int fd = open("/tmp/ranges", O_RDWR);
    p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK_EQ(resident(p, 1), 1); /* the file has it */
    CHECK(munmap(p, PAGE) == 0 && readahead(fd, 0, 100) == 0);
    CHECK(sync_file_range(fd, 0, 10, SYNC_FILE_RANGE_WRITE) == 0 && syncfs(fd) == 0);
    CHECK(sync_file_range(fd, -1, 10, 0) == -1 && errno == EINVAL);
    CHECK(close(fd) == 0 && unlink("/tmp/ranges") == 0 && syncfs(fd) == -1 && errno == EBADF);
    CHECK(readahead(fd, 0, 1) == -1 && errno == EBADF);
}

int main(void) {
    check_vectors();
    check_closing();
    check_threads();
    check_opening();
    check_staying();
    return tell_end();
}
