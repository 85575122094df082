/* Pseudo-terminals and sessions: both ends, from one program and from several. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "ptys.h"

#define FLOW 300000 /* bytes: many times what either end holds */

static volatile sig_atomic_t caught[65];
static void handler(int signal) { caught[signal]++; }
static void catch (int signal) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void make_raw(int tty) {
    struct termios t;
    CHECK(tcgetattr(tty, &t) == 0);
    cfmakeraw(&t);
    CHECK(tcsetattr(tty, TCSANOW, &t) == 0);
}

static short ready(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

/* ---- names ---- */

static int is_listed(const char *name) {
    DIR *d = opendir("/dev/pts");
    int found = 0;
    CHECK(d != NULL);
    for (struct dirent *e; d && (e = readdir(d));)
        found |= !strcmp(e->d_name, name);
    CHECK(d && closedir(d) == 0);
    return found;
}

static void check_names(void) {
    char first[40], name[40];
    struct stat st, other;
    unsigned number;
    int locked = 0, master = open("/dev/ptmx", O_RDWR), second = open_master();
    CHECK(master >= 0 && fstat(master, &st) == 0 && st.st_rdev == makedev(5, 2));
    CHECK(isatty(master) && ptsname_r(master, first, sizeof(first)) == 0);
    CHECK(ptsname_r(second, name, sizeof(name)) == 0 && strcmp(first, name) != 0);
    CHECK(ioctl(master, TIOCGPTN, &number) == 0 && number == (unsigned)atoi(first + 9));
    CHECK(open(first, O_RDWR | O_NOCTTY) == -1 && errno == EIO); /* it is locked */
    CHECK(ioctl(master, TIOCGPTLCK, &locked) == 0 && locked == 1 && unlockpt(master) == 0);
    CHECK(stat(first, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(136, number));
    CHECK(chmod(first, 0600) == 0 && stat(first, &st) == 0 && (st.st_mode & 0777) == 0600);
    int slave = open_slave(master, O_NOCTTY), peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    CHECK(isatty(slave) && !strcmp(ttyname(slave), first));
    CHECK(peer >= 0 && fstat(peer, &other) == 0 && other.st_ino == st.st_ino);
    CHECK(!strcmp(ttyname(peer), first) && is_listed(first + 9));
    CHECK(close(master) == 0 && !is_listed(first + 9) && is_listed(name + 9));
    CHECK(stat(first, &st) == -1 && errno == ENOENT);
    /* The old slave is still open: its number is nobody's. */
    master = open_master();
    CHECK(ptsname_r(master, name, sizeof(name)) == 0 && strcmp(first, name) != 0);
    CHECK(close(master) == 0 && close(slave) == 0 && close(peer) == 0 && close(second) == 0);
    CHECK(unlink("/dev/pts/7") == -1 && open("/dev/pts/x", O_RDWR | O_CREAT, 0666) == -1);
    CHECK(open("/dev/pts/0", O_RDWR) == -1 && errno == ENOENT);
}

/* As many as there may be, twice: none is lost. */
static void check_many(void) {
    static int all[1000];
    int counts[2];
    for (int round = 0; round < 2; round++) {
        int n = 0;
        while (n < 1000 && (all[n] = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0)
            n++;
        int error = errno;
        CHECK(n < 1000 && (error == ENOSPC || error == EMFILE));
        counts[round] = n;
        while (n > 0)
            CHECK(close(all[--n]) == 0);
    }
    CHECK(counts[0] == counts[1] && counts[0] >= 64);
}

/* A process takes all that it can, and its parent, a command of the console's shell, still has
 * some.
 */
static void check_kept(void) {
    int to[2], from[2];
    char c;
    CHECK(pipe(to) == 0 && pipe(from) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(to[1]);
        int n = 0;
        while (open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0)
            n++;
        CHECK_EQ(errno, ENOSPC);
        CHECK_EQ(n, 128 - 8);
        CHECK(write(from[1], "x", 1) == 1 && read(to[0], &c, 1) == 0);
        _exit(failures);
    }
    CHECK(read(from[0], &c, 1) == 1);
    int master = open_master(), slave = open_slave(master, O_NOCTTY);
    CHECK(writes(slave, "seen") && reads(master, "seen"));
    CHECK(close(slave) == 0 && close(master) == 0 && close(to[1]) == 0 && ended_with(child) == 0);
    CHECK(close(to[0]) == 0 && close(from[0]) == 0 && close(from[1]) == 0);
}

/* ---- both ways ---- */

static void check_text(void) {
    int master = open_master(), slave = open_slave(master, O_NOCTTY), n = -1;
    struct termios t;
    char c[20];
    CHECK(writes(slave, "one\ntwo") && ioctl(master, FIONREAD, &n) == 0 && n == 8);
    CHECK(ioctl(slave, TIOCOUTQ, &n) == 0 && n == 8);
    CHECK(reads(master, "one\r\ntwo") && ioctl(slave, TIOCOUTQ, &n) == 0 && n == 0);
    CHECK(ready(master) == POLLOUT && ready(slave) == POLLOUT);
    CHECK(writes(master, "hex\x7fllo\r") && ready(slave) == (POLLIN | POLLOUT));
    CHECK(reads(slave, "hello\n") && reads(master, "hex\b \bllo\r\n"));
    CHECK(tcgetattr(master, &t) == 0 && (t.c_lflag & ECHO));
    t.c_lflag &= ~(tcflag_t)ECHO;
    t.c_oflag &= ~(tcflag_t)ONLCR;
    CHECK(tcsetattr(master, TCSANOW, &t) == 0 && tcgetattr(slave, &t) == 0 && !(t.c_lflag & ECHO));
    CHECK(writes(master, "secret\r") && writes(slave, "x\ny") && reads(master, "x\ny"));
    CHECK(reads(slave, "secret\n") && writes(master, "\004") && read(slave, c, 5) == 0);
    CHECK(fcntl(slave, F_SETFL, O_NONBLOCK) == 0 && fcntl(master, F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(slave, c, 5) == -1 && errno == EAGAIN);
    CHECK(read(master, c, 5) == -1 && errno == EAGAIN && writes(master, "typed") &&
          writes(slave, "written"));
    CHECK(tcflush(slave, TCIOFLUSH) == 0 && read(master, c, 5) == -1 && errno == EAGAIN);
    CHECK(writes(master, "\r") && reads(slave, "\n"));
    make_raw(slave);
    CHECK(writes(master, "\003\r\004") && reads(slave, "\003\r\004") && tcdrain(slave) == 0);
    CHECK(close(slave) == 0 && close(master) == 0);
}

static char at(size_t i) { return (char)(i * 7 + i / 251); }

/* Writes all of it, as much at a time as is taken. */
static int write_flow(int fd) {
    char text[1000];
    for (size_t done = 0; done < FLOW;) {
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = at(done + i);
        ssize_t n = write(fd, text, sizeof(text));
        if (n <= 0)
            return 0;
        done += (size_t)n;
    }
    return 1;
}
static int read_flow(int fd) {
    char text[700];
    for (size_t done = 0; done < FLOW;) {
        ssize_t n = read(fd, text, sizeof(text));
        if (n <= 0)
            return 0;
        for (ssize_t i = 0; i < n; i++)
            if (text[i] != at(done++))
                return 0;
    }
    return 1;
}

/* A writer waits at each end, and nothing is lost. */
static void check_flow(void) {
    for (int up = 0; up < 2; up++) {
        int master = open_master(), slave = open_slave(master, O_NOCTTY);
        make_raw(slave);
        pid_t child = fork();
        if (child == 0)
            _exit(write_flow(up ? slave : master) ? 0 : 1);
        CHECK(read_flow(up ? master : slave) && ended_with(child) == 0);
        CHECK(close(master) == 0 && close(slave) == 0);
    }
}

/* Without waiting: as much as there is room for, and ready again when there is. */
static void check_full(void) {
    static char text[20000];
    for (int up = 0; up < 2; up++) {
        int master = open_master(), slave = open_slave(master, O_NOCTTY);
        int from = up ? slave : master, to = up ? master : slave;
        make_raw(slave);
        CHECK(fcntl(from, F_SETFL, O_NONBLOCK) == 0 && fcntl(to, F_SETFL, O_NONBLOCK) == 0);
        ssize_t n = write(from, text, sizeof(text)), got = 0, more;
        CHECK(n > 1000 && n < (ssize_t)sizeof(text));
        CHECK(write(from, text, 100) == -1 && errno == EAGAIN && !(ready(from) & POLLOUT));
        while ((more = read(to, text, sizeof(text))) > 0)
            got += more;
        CHECK(got == n && (ready(from) & POLLOUT) && write(from, text, 1) == 1);
        CHECK(close(master) == 0 && close(slave) == 0);
    }
}

/* ---- output that is stopped ---- */

static char state_of(pid_t pid) {
    char path[32], line[200] = "", *at;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && close(fd) == 0);
    at = strrchr(line, ')');
    return at ? at[2] : 0;
}

static int set_input_mode(int tty, tcflag_t bits, int on) {
    struct termios t;
    CHECK(tcgetattr(tty, &t) == 0);
    t.c_iflag = on ? t.c_iflag | bits : t.c_iflag & ~bits;
    return tcsetattr(tty, TCSANOW, &t);
}

/* What stops it, and what lets it go on; the slave does not wait. */
static void check_keys(int master, int slave) {
    char c;
    CHECK(writes(master, "\023") && !(ready(slave) & POLLOUT));
    CHECK(write(slave, "no", 2) == -1 && errno == EAGAIN && !(ready(master) & POLLIN));
    CHECK(writes(master, "x") && reads(master, "x") && !(ready(slave) & POLLOUT));
    CHECK(writes(master, "\021") && (ready(slave) & POLLOUT) && writes(slave, "on"));
    CHECK(reads(master, "on") && writes(master, "\r") && reads(slave, "x\n"));
    CHECK(reads(master, "\r\n") && writes(master, "\023\003") && (ready(slave) & POLLOUT));
    CHECK(reads(master, "^C\r\n") && set_input_mode(slave, IXANY, 1) == 0);
    CHECK(writes(master, "\023") && !(ready(slave) & POLLOUT) && writes(master, "y"));
    CHECK((ready(slave) & POLLOUT) && reads(master, "y"));
    CHECK(writes(master, "\023") && set_input_mode(slave, IXON, 0) == 0);
    CHECK((ready(slave) & POLLOUT) && writes(master, "\023\r") && read(master, &c, 1) == 1);
    CHECK(reads(slave, "y\023\n") && set_input_mode(slave, IXON, 1) == 0);
    CHECK(tcflush(slave, TCIOFLUSH) == 0);
}

static void check_stopped(void) {
    int master = open_master(), slave = open_slave(master, O_NOCTTY);
    CHECK(fcntl(slave, F_SETFL, O_NONBLOCK) == 0);
    check_keys(master, slave);
    CHECK(fcntl(slave, F_SETFL, 0) == 0 && set_input_mode(slave, IXANY, 0) == 0);
    CHECK(tcflow(slave, TCOOFF) == 0 && writes(master, "\021") && !(ready(slave) & POLLOUT));
    pid_t writer = fork();
    if (writer == 0)
        _exit(writes(slave, "late") ? 0 : 1);
    while (!failures && state_of(writer) != 'S')
        usleep(1000);
    CHECK(!(ready(master) & POLLIN) && tcflow(slave, TCOON) == 0 && reads(master, "late"));
    CHECK_EQ(ended_with(writer), 0);
    CHECK(tcflow(slave, TCIOFF) == 0 && tcflow(slave, TCION) == 0 && reads(master, "\023\021"));
    CHECK(tcflow(slave, 4) == -1 && errno == EINVAL);
    /* Nobody waits at a terminal that is no longer there. */
    CHECK(tcflow(slave, TCOOFF) == 0);
    writer = fork();
    if (writer == 0) {
        close(master);
        _exit(write(slave, "x", 1) == -1 && errno == EIO ? 0 : 1);
    }
    while (!failures && state_of(writer) != 'S')
        usleep(1000);
    CHECK(close(master) == 0);
    CHECK_EQ(ended_with(writer), 0);
    CHECK(close(slave) == 0);
}

/* ---- ends ---- */

static void check_slave_closes(void) {
    int master = open_master();
    CHECK(!(ready(master) & POLLHUP));
    int slave = open_slave(master, O_NOCTTY), set = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN}, got;
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, master, &wanted) == 0);
    CHECK(epoll_wait(set, &got, 1, 0) == 0);
    CHECK(writes(slave, "last") && epoll_wait(set, &got, 1, -1) == 1 && got.events == EPOLLIN);
    CHECK(close(slave) == 0 && epoll_wait(set, &got, 1, -1) == 1);
    CHECK(got.events == (EPOLLIN | EPOLLHUP) && reads(master, "last"));
    char c;
    CHECK(read(master, &c, 1) == -1 && errno == EIO && (ready(master) & POLLHUP));
    slave = open_slave(master, O_NOCTTY);
    CHECK(!(ready(master) & POLLHUP) && writes(slave, "again") && reads(master, "again"));
    CHECK(close(set) == 0 && close(slave) == 0 && close(master) == 0);
}

/* In a session of its own, or in the one that has another terminal. */
static int wait_for_end(int slave) {
    char c;
    struct termios t;
    catch (SIGHUP);
    CHECK(writes(slave, "ready"));
    ssize_t n = read(slave, &c, 1);
    if (n < 0 && errno == EINTR)
        n = read(slave, &c, 1);
    CHECK(n == 0 && write(slave, "x", 1) == -1 && errno == EIO);
    CHECK(tcgetattr(slave, &t) == -1 && errno == EIO);
    CHECK((ready(slave) & (POLLHUP | POLLIN | POLLOUT)) == (POLLHUP | POLLIN | POLLOUT));
    return failures ? 99 : caught[SIGHUP];
}
static int lose_terminal(int slave) {
    int tty = open("/dev/tty", O_RDWR);
    CHECK(tty >= 0 && tcgetsid(tty) == getpid() && tcgetsid(slave) == getpid());
    CHECK(tcgetpgrp(slave) == getpid() && wait_for_end(slave) <= 1);
    while (!caught[SIGHUP]) /* it may come after the end is read */
        sched_yield();
    CHECK(caught[SIGHUP] == 1);
    CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO && write(tty, "x", 1) == -1);
    return failures;
}

static void check_master_closes(void) {
    int master = open_master(), slave = open_slave(master, O_NOCTTY);
    pid_t child = start(master, lose_terminal);
    CHECK(reads(master, "ready") && close(slave) == 0 && close(master) == 0);
    CHECK(ended_with(child) == 0);
    master = open_master();
    slave = open_slave(master, O_NOCTTY);
    child = fork(); /* whose terminal it is not */
    if (child == 0) {
        close(master);
        _exit(wait_for_end(slave));
    }
    CHECK(reads(master, "ready") && close(master) == 0 && ended_with(child) == 0);
    CHECK(close(slave) == 0);
}

/* ---- sessions ---- */

static int lead_none(void) {
    CHECK(setpgid(0, 0) == 0 && setsid() == -1 && errno == EPERM);
    return failures;
}

static int lead_one(void) {
    pid_t before = getsid(0), group = getpgrp();
    CHECK(before == getsid(getppid()) && setsid() == getpid());
    CHECK(getsid(0) == getpid() && getpgrp() == getpid() && before != getpid());
    CHECK(setpgid(0, 0) == -1 && errno == EPERM && getsid(99999) == -1 && errno == ESRCH);
    CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setpgid(0, group) == -1 && errno == EPERM); /* of the session before */
        _exit(failures);
    }
    CHECK(getsid(child) == getpid() && ended_with(child) == 0);
    int master = open_master(), slave = open_slave(master, O_NOCTTY);
    pid_t none;
    CHECK(tcgetsid(slave) == -1 && errno == ENOTTY && ioctl(master, TIOCGSID, &none) == -1);
    CHECK(tcgetpgrp(slave) == -1 && errno == ENOTTY && tcsetpgrp(slave, getpid()) == -1);
    CHECK(ioctl(slave, TIOCSCTTY, 0) == 0 && tcgetsid(slave) == getpid());
    CHECK(ioctl(slave, TIOCSCTTY, 0) == 0 && tcgetpgrp(master) == getpid());
    CHECK(tcsetpgrp(slave, before) == -1 && (errno == EPERM || errno == ESRCH));
    int other = open_master(), another = open_slave(other, 0);
    CHECK(ioctl(another, TIOCSCTTY, 0) == -1 && errno == EPERM);
    catch (SIGHUP);
    CHECK(ioctl(another, TIOCNOTTY) == -1 && errno == ENOTTY && ioctl(slave, TIOCNOTTY) == 0);
    CHECK(caught[SIGHUP] == 1 && open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
    CHECK(ioctl(another, TIOCSCTTY, 0) == 0 && tcgetsid(another) == getpid());
    return failures;
}

static void check_sessions(void) {
    int (*const parts[])(void) = {lead_none, lead_one};
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(parts[i]());
        CHECK(ended_with(child) == 0);
    }
}

/* A child in a group of its own, which waits for a signal, or reads. */
static pid_t start_group(int slave, int reads_it) {
    int ends[2];
    char c = 0;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTSTP, SIG_DFL);
        setpgid(0, 0);
        (void)!write(ends[1], &c, 1);
        for (;;)
            reads_it ? (void)!read(slave, &c, 1) : (void)pause();
    }
    CHECK(read(ends[0], &c, 1) == 1 && close(ends[0]) == 0 && close(ends[1]) == 0);
    return child;
}

static int manage_jobs(int slave) {
    int status;
    struct winsize size;
    signal(SIGTTOU, SIG_IGN);
    catch (SIGINT);
    catch (SIGWINCH);
    pid_t job = start_group(slave, 1);
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status));
    CHECK(WSTOPSIG(status) == SIGTTIN && tcsetpgrp(slave, job) == 0 && tcgetpgrp(slave) == job);
    CHECK(kill(-job, SIGCONT) == 0 && writes(slave, "^C"));
    CHECK(waitpid(job, &status, WUNTRACED) == job && WTERMSIG(status) == SIGINT);
    job = start_group(slave, 0);
    CHECK(tcsetpgrp(slave, job) == 0 && writes(slave, "^Z"));
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status));
    CHECK(WSTOPSIG(status) == SIGTSTP && tcsetpgrp(slave, getpid()) == 0 && caught[SIGINT] == 0);
    CHECK(writes(slave, "size"));
    while (!caught[SIGWINCH])
        usleep(1000);
    CHECK(ioctl(slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 40 && size.ws_col == 120);
    /* The leader ends: who is in the foreground hears of it, and has no terminal. */
    pid_t left = fork();
    if (left == 0) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        sigprocmask(SIG_BLOCK, &set, NULL);
        CHECK(writes(slave, "left") && sigwaitinfo(&set, NULL) == SIGHUP);
        CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO && writes(slave, "end"));
        _exit(failures);
    }
    char c;
    CHECK(read(slave, &c, 1) == 1); /* somebody has read "left" */
    return failures;
}

/* ^C and ^Z are for the foreground of that terminal, and for nobody else. */
static void check_jobs(void) {
    struct winsize size = {.ws_row = 40, .ws_col = 120};
    int master = open_master();
    catch (SIGINT);
    catch (SIGTSTP);
    pid_t child = start(master, manage_jobs);
    CHECK(reads(master, "^C") && writes(master, "\003") && reads(master, "^C\r\n^Z"));
    CHECK(writes(master, "\032") && reads(master, "^Z\r\nsize"));
    CHECK(ioctl(master, TIOCSWINSZ, &size) == 0 && reads(master, "left"));
    CHECK(writes(master, "\n") && ended_with(child) == 0 && reads(master, "\r\nend"));
    CHECK(caught[SIGINT] == 0 && caught[SIGTSTP] == 0 && close(master) == 0);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0); /* children _exit */
    check_names();
    check_many();
    check_kept();
    check_text();
    check_flow();
    check_full();
    check_stopped();
    check_slave_closes();
    check_master_closes();
    check_sessions();
    check_jobs();
    return tell_end();
}
