/* Pipes with a name. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static char got[100];

static void check_without_waiting(void) {
    struct stat st;
    int n;
    CHECK(mkfifo("/tmp/f", 0640) == 0 && mkfifo("/tmp/f", 0600) == -1 && errno == EEXIST);
    CHECK(stat("/tmp/f", &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0640);
    CHECK(open("/tmp/f", O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
    int r = open("/tmp/f", O_RDONLY | O_NONBLOCK);
    struct pollfd p = {r, POLLIN};
    CHECK(r >= 0 && read(r, got, 9) == 0 && poll(&p, 1, 0) == 0); /* nobody has written yet */
    int w = open("/tmp/f", O_WRONLY | O_NONBLOCK);
    CHECK(w >= 0 && read(r, got, 9) == -1 && errno == EAGAIN);
    CHECK(write(w, "bytes", 5) == 5 && poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    CHECK(ioctl(r, FIONREAD, &n) == 0 && n == 5 && fcntl(r, F_GETPIPE_SZ) == 65536);
    CHECK(fstat(w, &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0640);
    CHECK(read(r, got, 9) == 5 && lseek(r, 0, SEEK_SET) == -1 && errno == ESPIPE);
    CHECK(write(w, "left", 4) == 4 && close(w) == 0 && poll(&p, 1, 0) == 1);
    CHECK(p.revents == (POLLIN | POLLHUP) && read(r, got, 9) == 4 && read(r, got, 9) == 0);
    w = open("/tmp/f", O_WRONLY);
    CHECK(w >= 0 && write(w, "lost", 4) == 4 && close(r) == 0 && write(w, "x", 1) == -1);
    CHECK_EQ(errno, EPIPE);
    CHECK(close(w) == 0);
    int both = open("/tmp/f", O_RDWR | O_NONBLOCK); /* what was left went with the last one */
    p = (struct pollfd){both, POLLIN | POLLOUT};
    CHECK(read(both, got, 9) == -1 && errno == EAGAIN && poll(&p, 1, 0) == 1);
    CHECK(p.revents == POLLOUT && write(both, "own", 3) == 3 && read(both, got, 9) == 3);
    CHECK(close(both) == 0);
}

static void write_one(void) {
    int w = open("/tmp/f", O_WRONLY);
    _exit(write(w, "one", 3) == 3 ? 7 : 1);
}

static void read_two(void) {
    int r = open("/tmp/f", O_RDONLY), all = 0;
    for (ssize_t n; (n = read(r, got + all, 9)) > 0; all += (int)n)
        continue;
    _exit(all == 3 && !memcmp(got, "two", 3) ? 7 : 1);
}

/* Each open waits for the other side. */
static void check_partners(void) {
    int status;
    pid_t child = fork();
    if (child == 0)
        write_one();
    int r = open("/tmp/f", O_RDONLY);
    CHECK(read(r, got, 9) == 3 && read(r, got, 9) == 0 && close(r) == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
    child = fork();
    if (child == 0)
        read_two();
    int w = open("/tmp/f", O_WRONLY);
    CHECK(write(w, "two", 3) == 3 && close(w) == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

/* Who has both ends, and watches for room, hears of what it has read itself. */
static void check_both_ends(void) {
    static char much[65536];
    int both = open("/tmp/f", O_RDWR | O_NONBLOCK), set = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLOUT | EPOLLET};
    CHECK(both >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, both, &e) == 0);
    CHECK(epoll_wait(set, &e, 1, 0) == 1 && e.events == EPOLLOUT);
    CHECK(write(both, much, sizeof(much)) > 0 && write(both, much, 1) == -1);
    CHECK(epoll_wait(set, &e, 1, 0) == 0);
    while (read(both, much, sizeof(much)) > 0)
        continue;
    CHECK(epoll_wait(set, &e, 1, 0) == 1 && e.events == EPOLLOUT);
    CHECK(close(set) == 0 && close(both) == 0);
}

static void nothing(int signal) {}

/* A signal ends the wait, and nobody has been there. */
static void check_interrupted(void) {
    struct sigaction act = {.sa_handler = nothing};
    struct itimerval soon = {.it_value = {0, 20000}};
    CHECK(sigaction(SIGALRM, &act, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    CHECK(open("/tmp/f", O_RDONLY) == -1 && errno == EINTR);
    CHECK(open("/tmp/f", O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
}

/* One that has lost its name goes on. */
static void check_unlinked(void) {
    int r = open("/tmp/f", O_RDONLY | O_NONBLOCK), w = open("/tmp/f", O_WRONLY);
    CHECK(unlink("/tmp/f") == 0 && write(w, "still", 5) == 5 && read(r, got, 9) == 5);
    CHECK(open("/tmp/f", O_RDONLY) == -1 && errno == ENOENT && close(r) == 0 && close(w) == 0);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    check_without_waiting();
    check_partners();
    check_both_ends();
    check_interrupted();
    check_unlinked();
    return tell_end();
}
