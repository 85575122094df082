/* Room in files: fallocate. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

#define PAGE 4096

static off_t size_of(int fd) {
    struct stat st;
    CHECK(fstat(fd, &st) == 0);
    return st.st_size;
}

/* Whether [from, to) of the file is all of one byte. */
static int is_all(int fd, off_t from, off_t to, char wanted) {
    char byte;
    for (; from < to; from++)
        if (pread(fd, &byte, 1, from) != 1 || byte != wanted)
            return 0;
    return 1;
}

static void check_room(int fd) {
    CHECK(fallocate(fd, 0, 100, 5000) == 0 && size_of(fd) == 5100 && is_all(fd, 0, 5100, 0));
    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 5000, 10 * PAGE) == 0 && size_of(fd) == 5100);
    CHECK(ftruncate(fd, 0) == 0);
    static char text[3 * PAGE];
    memset(text, 'x', sizeof(text));
    CHECK(write(fd, text, sizeof(text)) == sizeof(text));
    char *shared = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && own != MAP_FAILED && shared[PAGE] == 'x');
    own[PAGE] = 'o';
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 50, 2 * PAGE) == 0);
    CHECK(size_of(fd) == 3 * PAGE && is_all(fd, 0, 50, 'x') && is_all(fd, 50, 50 + 2 * PAGE, 0));
    CHECK(is_all(fd, 50 + 2 * PAGE, 3 * PAGE, 'x') && shared[49] == 'x' && shared[50] == 0);
    CHECK(own[PAGE] == 'o' && own[PAGE + 1] == 'x'); /* a copy of its own, from before */
    shared[PAGE] = 's';
    CHECK(is_all(fd, PAGE, PAGE + 1, 's'));
    CHECK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 3 * PAGE - 10, 30) == 0);
    CHECK(size_of(fd) == 3 * PAGE + 20 && is_all(fd, 3 * PAGE - 10, 3 * PAGE + 20, 0));
    CHECK(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 3 * PAGE, 1000) == 0);
    CHECK(size_of(fd) == 3 * PAGE + 20 && is_all(fd, 2 * PAGE + 50, 3 * PAGE - 10, 'x'));
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1L << 40) == 0);
    CHECK(is_all(fd, 0, 3 * PAGE, 0) && size_of(fd) == 3 * PAGE + 20);
    CHECK(munmap(shared, 3 * PAGE) == 0 && munmap(own, 3 * PAGE) == 0);
    /* A long file with nothing in it is looked through at once. */
    CHECK(ftruncate(fd, 1L << 36) == 0);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1L << 36) == 0);
    CHECK(ftruncate(fd, 10) == 0);
    CHECK(fallocate(fd, 0, 0, 1L << 36) == -1 && errno == ENOSPC && size_of(fd) == 10);
}

static void check_errors(int fd, const char *name) {
    int only = open(name, O_RDONLY), p[2];
    CHECK(fallocate(fd, 0, -1, 5) == -1 && errno == EINVAL);
    CHECK(fallocate(fd, 0, 0, 0) == -1 && errno == EINVAL);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 5) == -1 && errno == EOPNOTSUPP);
    CHECK(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE) == -1 && errno == EOPNOTSUPP);
    CHECK(fallocate(fd, 0, 1L << 62, 1L << 62) == -1 && errno == EFBIG);
    CHECK(fallocate(fd, 0, 1L << 61, 5) == -1 && errno == EFBIG);
    CHECK(only >= 0 && fallocate(only, 0, 0, 5) == -1 && errno == EBADF && close(only) == 0);
    CHECK(fallocate(99, 0, 0, 5) == -1 && errno == EBADF && pipe(p) == 0);
    CHECK(fallocate(p[1], 0, 0, 5) == -1 && errno == ESPIPE && close(p[0]) == 0);
    CHECK(close(p[1]) == 0);
    int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
    CHECK(ftruncate(sealed, PAGE) == 0 && fcntl(sealed, F_ADD_SEALS, F_SEAL_GROW) == 0);
    CHECK(fallocate(sealed, 0, 0, PAGE + 1) == -1 && errno == EPERM);
    CHECK(fallocate(sealed, 0, 0, PAGE) == 0 && fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE) == 0);
    CHECK(fallocate(sealed, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 5) == -1);
    CHECK(size_of(sealed) == PAGE && close(sealed) == 0);
}

int main(void) {
    int fd = open("rooms", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    check_room(fd);
    check_errors(fd, "rooms");
    CHECK(close(fd) == 0 && unlink("rooms") == 0);
    return tell_end();
}
