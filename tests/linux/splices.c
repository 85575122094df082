/* flags: -static -pthread */
/* From file to file without the program's memory: sendfile, copy_file_range, splice, tee and
 * vmsplice. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "threads.h"

#define BIG (5 * 65536 + 777)

static char big[BIG], back[BIG];

static int fresh(const char *name) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    return fd;
}

static int filled(const char *name) {
    int fd = fresh(name);
    CHECK(write(fd, big, BIG) == BIG && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

/* Whether fd gives just these bytes from where it is. */
static int gives(int fd, const char *bytes, size_t n) {
    size_t got = 0;
    for (ssize_t more; got < n && (more = read(fd, back + got, n - got)) > 0;)
        got += (size_t)more;
    return got == n && memcmp(back, bytes, n) == 0;
}

static void check_sendfile(void) {
    int from = filled("from"), to = fresh("to"), pair[2];
    off_t at = 5;
    CHECK(sendfile(to, from, NULL, BIG + 100) == BIG && lseek(from, 0, SEEK_CUR) == BIG);
    CHECK(lseek(to, 0, SEEK_CUR) == BIG && lseek(to, 0, SEEK_SET) == 0 && gives(to, big, BIG));
    CHECK(sendfile(to, from, NULL, 10) == 0);
    CHECK(ftruncate(to, 0) == 0 && lseek(to, 0, SEEK_SET) == 0);
    CHECK(sendfile(to, from, &at, 7000) == 7000 && at == 7005 && lseek(from, 0, SEEK_CUR) == BIG);
    CHECK(pread(to, back, 7000, 0) == 7000 && memcmp(back, big + 5, 7000) == 0);
    at = -1;
    CHECK(sendfile(to, from, &at, 1) == -1 && errno == EINVAL);
    CHECK(sendfile(to, from, (off_t *)-4096L, 1) == -1 && errno == EFAULT);
    CHECK(sendfile(to, 99, NULL, 1) == -1 && errno == EBADF);
    CHECK(sendfile(99, from, NULL, 1) == -1 && errno == EBADF);
    int only = open("from", O_RDONLY), more = open("to", O_WRONLY | O_APPEND);
    CHECK(sendfile(only, from, NULL, 1) == -1 && errno == EBADF);
    at = 0;
    CHECK(sendfile(more, from, &at, 1) == -1 && errno == EINVAL);
    CHECK(close(more) == 0 && close(only) == 0);
    /* A socket that is full takes a part, and then nothing; the offset says how far it has come. */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    at = 0;
    ssize_t n = 0, more_of_it;
    while ((more_of_it = sendfile(pair[0], from, &at, 65536)) > 0)
        n += more_of_it;
    CHECK(more_of_it == -1 && n > 0 && n < BIG && at == n && gives(pair[1], big, (size_t)n));
    CHECK(sendfile(to, pair[0], NULL, 1) == -1 && errno == EINVAL);
    at = 0;
    CHECK(sendfile(to, pair[0], &at, 1) == -1 && errno == ESPIPE);
    CHECK(close(pair[1]) == 0);
    CHECK(sendfile(pair[0], from, &at, 5) == -1 && errno == EPIPE);
    CHECK(close(pair[0]) == 0 && close(from) == 0 && close(to) == 0);
}

static void check_ranges(void) {
    int from = filled("from"), to = fresh("to");
    off64_t in = 100, out = 5000;
    CHECK(copy_file_range(from, &in, to, &out, 70000, 0) == 70000 && in == 70100 && out == 75000);
    CHECK(lseek(to, 0, SEEK_END) == 75000 && lseek(from, 0, SEEK_CUR) == 0);
    CHECK(pread(to, back, 75000, 0) == 75000 && memcmp(back + 5000, big + 100, 70000) == 0);
    CHECK(back[0] == 0 && back[4999] == 0);
    in = 0, out = 10;
    CHECK(copy_file_range(from, &in, from, &out, 11, 0) == -1 && errno == EINVAL);
    CHECK(copy_file_range(from, &in, from, &out, 10, 0) == 10);
    CHECK(copy_file_range(from, NULL, to, NULL, 10, 1) == -1 && errno == EINVAL);
    /* What is not there does not lie in the other range. */
    in = BIG - 10, out = BIG;
    CHECK(copy_file_range(from, &in, from, &out, 1 << 30, 0) == 10 && ftruncate(from, BIG) == 0);
    in = BIG + 5;
    CHECK(copy_file_range(from, &in, to, NULL, 10, 0) == 0);
    int folder = open(".", O_RDONLY), more = open("to", O_RDWR | O_APPEND), pipes[2];
    CHECK(copy_file_range(folder, NULL, to, NULL, 10, 0) == -1 && errno == EISDIR);
    CHECK(copy_file_range(from, NULL, more, NULL, 10, 0) == -1 && errno == EBADF);
    CHECK(pipe(pipes) == 0);
    CHECK(copy_file_range(from, NULL, pipes[1], NULL, 10, 0) == -1 && errno == EINVAL);
    CHECK(close(pipes[0]) == 0 && close(pipes[1]) == 0 && close(more) == 0);
    CHECK(close(folder) == 0 && close(from) == 0 && close(to) == 0);
}

static void check_splice_files(void) {
    int from = filled("from"), to = fresh("to"), p[2];
    off64_t at = 3, out = 10;
    CHECK(pipe2(p, O_NONBLOCK) == 0);
    CHECK(splice(from, &at, p[1], NULL, BIG, 0) == 65536 && at == 65539);
    CHECK(splice(from, &at, p[1], NULL, BIG, 0) == -1 && errno == EAGAIN && at == 65539);
    CHECK(splice(p[0], NULL, to, &out, 5000, 0) == 5000 && out == 5010);
    CHECK(splice(p[0], NULL, to, &out, BIG, 0) == 60536 && out == 65546);
    CHECK(splice(p[0], NULL, to, &out, BIG, 0) == -1 && errno == EAGAIN);
    CHECK(pread(to, back, BIG, 10) == 65536 && memcmp(back, big + 3, 65536) == 0);
    CHECK(lseek(from, BIG - 4, SEEK_SET) == BIG - 4 && splice(from, NULL, p[1], NULL, 9, 0) == 4);
    CHECK(lseek(from, 0, SEEK_CUR) == BIG && splice(from, NULL, p[1], NULL, 9, 0) == 0);
    CHECK(gives(p[0], big + BIG - 4, 4));
    CHECK(splice(from, NULL, to, NULL, 9, 0) == -1 && errno == EINVAL);
    CHECK(splice(p[0], NULL, p[1], NULL, 9, 0) == -1 && errno == EINVAL);
    CHECK(splice(p[0], &at, to, NULL, 9, 0) == -1 && errno == ESPIPE);
    CHECK(splice(from, NULL, p[1], NULL, 9, 64) == -1 && errno == EINVAL);
    CHECK(splice(from, NULL, p[0], NULL, 9, 0) == -1 && errno == EBADF);
    CHECK(close(p[1]) == 0 && splice(p[0], NULL, to, NULL, 9, 0) == 0 && close(p[0]) == 0);
    /* What cannot be written stays in the pipe. */
    int full = open("/dev/full", O_WRONLY);
    if (full >= 0) {
        CHECK(pipe(p) == 0 && write(p[1], "stay", 4) == 4);
        CHECK(splice(p[0], NULL, full, NULL, 4, 0) == -1 && errno == ENOSPC);
        CHECK(gives(p[0], "stay", 4) && close(p[0]) == 0);
        CHECK(splice(from, &(off64_t){0}, p[1], NULL, 4, 0) == -1 && errno == EPIPE);
        CHECK(close(p[1]) == 0 && close(full) == 0);
    }
    CHECK(close(from) == 0 && close(to) == 0);
}

/* A counter that has no room for this number, and messages, which cannot be read in part. */
static void check_splice_others(void) {
    uint64_t most = UINT64_MAX - 1;
    char bytes[100] = {1};
    int p[2], pair[2], counter = eventfd(1, 0);
    CHECK(counter >= 0 && pipe(p) == 0 && write(p[1], &most, sizeof(most)) == sizeof(most));
    CHECK(splice(p[0], NULL, counter, NULL, sizeof(most), 0) == -1 && errno == EINVAL);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && send(pair[0], bytes, 100, 0) == 100);
    CHECK(splice(pair[1], NULL, p[1], NULL, 10, 0) == -1 && errno == EINVAL);
    CHECK(recv(pair[1], bytes, 100, 0) == 100);
    CHECK(close(pair[0]) == 0 && close(pair[1]) == 0 && close(counter) == 0);
    CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void check_tee(void) {
    int one[2], two[2];
    CHECK(pipe2(one, O_NONBLOCK) == 0 && pipe2(two, O_NONBLOCK) == 0);
    CHECK(tee(one[0], two[1], 10, 0) == -1 && errno == EAGAIN);
    CHECK(write(one[1], big, 10000) == 10000);
    CHECK(tee(one[0], two[1], 9000, 0) == 9000);
    CHECK(gives(two[0], big, 9000) && gives(one[0], big, 10000));
    CHECK(write(one[1], big, 65536) == 65536 && write(two[1], big, 60000) == 60000);
    CHECK(splice(one[0], NULL, two[1], NULL, 65536, 0) > 0 && gives(two[0], big, 60000));
    CHECK(tee(one[0], one[1], 10, 0) == -1 && errno == EINVAL);
    int file = fresh("to");
    CHECK(tee(one[0], file, 10, 0) == -1 && errno == EINVAL && close(file) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(close(one[i]) == 0 && close(two[i]) == 0);
}

static void check_memory(void) {
    int p[2];
    struct iovec v[2] = {{big, 5000}, {big + 5000, 3000}};
    CHECK(pipe(p) == 0 && vmsplice(p[1], v, 2, 0) == 8000);
    v[0] = (struct iovec){back, 8000};
    CHECK(vmsplice(p[0], v, 1, 0) == 8000 && memcmp(back, big, 8000) == 0);
    CHECK(vmsplice(p[0], v, 1, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN);
    CHECK(vmsplice(p[0], v, 2000, 0) == -1 && errno == EINVAL);
    CHECK(vmsplice(p[0], v, 1, 64) == -1 && errno == EINVAL);
    int file = fresh("to");
    CHECK(vmsplice(file, v, 1, 0) == -1 && errno == EBADF && close(file) == 0);
    CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

/* A child sends through two pipes and a socket, each of which waits for the next. */
static int ends[3][2];
static void *mover(void *which) {
    int i = *(int *)which;
    for (ssize_t n = 1; n > 0;)
        n = splice(ends[i][0], NULL, ends[i + 1][1], NULL, 1 << 20, 0);
    CHECK(shutdown(ends[i + 1][1], SHUT_WR) == 0 || close(ends[i + 1][1]) == 0);
    return NULL;
}

static void *sender(void *unused) {
    int from = filled("from");
    for (ssize_t n = 1; n > 0;)
        n = splice(from, NULL, ends[0][1], NULL, 1 << 20, 0);
    CHECK(close(ends[0][1]) == 0 && close(from) == 0);
    return NULL;
}

static void check_chain(void) {
    pthread_t t[3];
    int first = 0, second = 1, pair[2];
    CHECK(pipe(ends[0]) == 0 && pipe(ends[1]) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    ends[2][0] = pair[0], ends[2][1] = pair[1];
    t[0] = begin(mover, &second), t[1] = begin(mover, &first), t[2] = begin(sender, NULL);
    CHECK(gives(pair[0], big, BIG));
    CHECK(read(pair[0], back, 1) == 0);
    for (int i = 0; i < 3; i++)
        end_of(t[i]);
    CHECK(close(ends[0][0]) == 0 && close(ends[1][0]) == 0);
    CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

/* A wait ends by a signal, and nobody's memory is a window afterwards. */
static void no_op(int signal) {}
static void check_interrupted(void) {
    int p[2], null = open("/dev/null", O_WRONLY), to = fresh("to");
    struct sigaction a = {.sa_handler = no_op};
    CHECK(sigaction(SIGALRM, &a, NULL) == 0 && pipe(p) == 0);
    alarm(1);
    CHECK(splice(p[0], NULL, to, NULL, 10, 0) == -1 && errno == EINTR);
    CHECK(read(to, (void *)0xffffffd000000000, 1) == 0);
    CHECK(write(p[1], (void *)0xffffffd000000000, 1) == -1 && errno == EFAULT);
    CHECK(close(p[0]) == 0 && close(p[1]) == 0 && close(to) == 0);
    if (null >= 0)
        close(null);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < BIG; i++)
        big[i] = (char)(i * 7 + i / 251);
    CHECK(mkdir("splices", 0755) == 0 && chdir("splices") == 0);
    check_sendfile();
    check_ranges();
    check_splice_files();
    check_splice_others();
    check_tee();
    check_memory();
    check_chain();
    check_interrupted();
    CHECK(unlink("from") == 0 && unlink("to") == 0);
    CHECK(chdir("..") == 0 && rmdir("splices") == 0);
    return tell_end();
}
