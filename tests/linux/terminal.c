/* The terminal. Without arguments: what needs nobody at the keyboard. It prints one line for each
 * thing that is not so, and "terminal: OK" at the end when all is.
 *
 *     terminal keys    says what it waits for, and what it has got
 *     terminal raw     leaves the terminal without lines and echo */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static int failures, tty;
static struct termios usual;
static volatile sig_atomic_t caught;

static void handler(int signal) { caught = signal; }

static void catch (int signal) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

/* No lines; a read waits for min bytes, or time tenths of a second. */
static void make_raw(int min, int time) {
    struct termios t = usual;
    cfmakeraw(&t);
    t.c_cc[VMIN] = min;
    t.c_cc[VTIME] = time;
    CHECK(tcsetattr(tty, TCSANOW, &t) == 0);
}

/* ---- without keys ---- */

static void check_modes(void) {
    struct termios t, told;
    CHECK(isatty(tty) && tcgetattr(tty, &t) == 0);
    CHECK((t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
    CHECK((t.c_iflag & ICRNL) && (t.c_oflag & OPOST) && (t.c_oflag & ONLCR));
    CHECK(t.c_cc[VINTR] == 3 && t.c_cc[VEOF] == 4 && t.c_cc[VERASE] == 127 && t.c_cc[VSUSP] == 26);
    CHECK(cfgetospeed(&t) == B38400);
    usual = t;
    t.c_lflag &= ~ECHO;
    t.c_cc[VKILL] = 24;
    for (int how = TCSANOW; how <= TCSAFLUSH; how++) {
        CHECK(tcsetattr(tty, how, how == TCSADRAIN ? &usual : &t) == 0);
        CHECK(tcgetattr(tty, &told) == 0 && told.c_lflag == (how == TCSADRAIN ? usual : t).c_lflag);
    }
    CHECK(told.c_cc[VKILL] == 24 && tcsetattr(tty, TCSADRAIN, &usual) == 0);
    CHECK(tcdrain(tty) == 0 && tcflush(tty, TCIOFLUSH) == 0 && tcflow(tty, TCOON) == 0);
    CHECK(tcflush(tty, 17) == -1 && errno == EINVAL);
    CHECK(ioctl(tty, TCSETS, 8) == -1 && errno == EFAULT);
    CHECK(ioctl(tty, 0x54ff, 0) == -1 && errno == ENOTTY);
}

static void check_others(void) {
    int ends[2];
    struct termios t;
    CHECK(pipe(ends) == 0 && tcgetattr(ends[0], &t) == -1 && errno == ENOTTY && !isatty(ends[1]));
    CHECK(tcsetattr(ends[0], TCSANOW, &usual) == -1 && errno == ENOTTY);
    CHECK(tcgetattr(99, &t) == -1 && errno == EBADF);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check_times(void) {
    char c;
    int n = -1;
    make_raw(0, 0);
    CHECK(read(tty, &c, 1) == 0 && ioctl(tty, FIONREAD, &n) == 0 && n == 0);
    make_raw(0, 1);
    double before = seconds();
    CHECK(read(tty, &c, 1) == 0 && seconds() - before >= 0.1);
    CHECK(tcsetattr(tty, TCSANOW, &usual) == 0);
}

static void check_size(void) {
    struct winsize size, other = {.ws_row = 33, .ws_col = 99};
    CHECK(ioctl(tty, TIOCGWINSZ, &size) == 0 && size.ws_row == 24 && size.ws_col == 80);
    catch (SIGWINCH);
    CHECK(ioctl(tty, TIOCSWINSZ, &size) == 0 && caught == 0);
    CHECK(ioctl(tty, TIOCSWINSZ, &other) == 0 && caught == SIGWINCH);
    CHECK(ioctl(tty, TIOCGWINSZ, &other) == 0 && other.ws_row == 33 && other.ws_col == 99);
    CHECK(ioctl(tty, TIOCSWINSZ, &size) == 0);
}

/* ---- the background ---- */

static int read_one(void) {
    char c;
    return read(tty, &c, 1) == 0 ? 0 : errno;
}
static int read_deaf(void) {
    signal(SIGTTIN, SIG_IGN);
    return read_one();
}
static int write_none(void) { return write(tty, "", 1) == 1 ? 0 : errno; }
static int set_modes(void) { return tcsetattr(tty, TCSANOW, &usual) == 0 ? 0 : errno; }
static int take_it(void) { return tcsetpgrp(tty, getpid()) == 0 ? 0 : errno; }
static int take_it_deaf(void) {
    signal(SIGTTOU, SIG_IGN);
    int err = take_it();
    signal(SIGTTOU, SIG_DFL);
    return err;
}

static pid_t start(int (*what)(void)) {
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        _exit(what());
    }
    CHECK(child > 0);
    setpgid(child, child);
    return child;
}

/* It stops, and goes on when it is brought to the foreground. */
static void expect_stop(int (*what)(void), int signal) {
    int status;
    pid_t child = start(what);
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == signal);
    CHECK(tcsetpgrp(tty, child) == 0 && tcgetpgrp(tty) == child && kill(-child, SIGCONT) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && status == 0);
    CHECK(take_it_deaf() == 0);
}

static void expect_end(int (*what)(void), int error) {
    int status;
    pid_t child = start(what);
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == error);
}

/* Its parent has ended, and is in no other group: nobody would continue it. */
static int read_as_orphan(void) {
    int ends[2], result = 0;
    if (pipe(ends) < 0)
        return 99;
    pid_t child = fork();
    if (child == 0) {
        child = fork();
        if (child == 0) {
            while (getppid() != 1)
                usleep(1000);
            result = read_one();
            _exit(write(ends[1], &result, sizeof(result)) < 0);
        }
        setpgid(child, child);
        _exit(0);
    }
    return read(ends[0], &result, sizeof(result)) == sizeof(result) ? result : 99;
}

static void check_background(void) {
    pid_t shells = getpgrp();
    CHECK(setpgid(0, 0) == 0 && tcsetpgrp(tty, getpid()) == 0 && tcgetpgrp(tty) == getpid());
    CHECK(ioctl(tty, TIOCSCTTY, 0) == 0);
    make_raw(0, 0);
    expect_stop(read_one, SIGTTIN);
    expect_stop(set_modes, SIGTTOU);
    expect_stop(take_it, SIGTTOU);
    make_raw(0, 0);
    expect_end(read_deaf, EIO);
    expect_end(write_none, 0);
    expect_end(take_it_deaf, 0);
    CHECK(take_it_deaf() == 0);
    CHECK(read_as_orphan() == EIO);
    struct termios t = usual;
    t.c_lflag |= TOSTOP;
    CHECK(tcsetattr(tty, TCSANOW, &t) == 0);
    expect_stop(write_none, SIGTTOU);
    CHECK(tcsetattr(tty, TCSANOW, &usual) == 0);
    pid_t none = -5;
    CHECK(ioctl(tty, TIOCSPGRP, &none) == -1 && errno == EINVAL);
    CHECK(tcsetpgrp(tty, shells) == 0); /* for who comes next */
}

/* ---- with keys ---- */

static void say(const char *what) {
    puts(what);
    fflush(stdout);
}

static void read_keys(void) {
    char c = 0;
    make_raw(1, 0);
    say("keys: each\r");
    while (c != 'q' && read(tty, &c, 1) == 1)
        printf("<%02x>", (unsigned char)c);
    say("\r");
}

static void read_several(void) {
    char text[20] = "";
    make_raw(4, 0);
    say("keys: four\r");
    CHECK(read(tty, text, sizeof(text)) >= 4 && !strncmp(text, "abcd", 4));
    make_raw(20, 1);
    say("keys: soon\r");
    CHECK(read(tty, text, sizeof(text)) > 0 && text[0] == 'x');
    CHECK(tcsetattr(tty, TCSAFLUSH, &usual) == 0);
}

static void read_lines(void) {
    char text[20] = "";
    struct termios t = usual;
    t.c_cc[VERASE] = '#';
    t.c_cc[VEOF] = '%';
    CHECK(tcsetattr(tty, TCSANOW, &t) == 0);
    say("keys: line");
    CHECK(read(tty, text, sizeof(text)) == 5 && !strcmp(text, "hello"));
    say("");
    CHECK(read(tty, text, sizeof(text)) == 0); /* as xv6 has it */
    t = usual;
    t.c_lflag &= ~ECHO;
    CHECK(tcsetattr(tty, TCSANOW, &t) == 0);
    say("keys: word");
    CHECK(read(tty, text, sizeof(text)) == 7 && !memcmp(text, "secret\n", 7));
    CHECK(tcsetattr(tty, TCSANOW, &usual) == 0);
}

static void read_interrupt(void) {
    char c;
    catch (SIGINT);
    say("keys: interrupt");
    CHECK(read(tty, &c, 1) == -1 && errno == EINTR && caught == SIGINT);
}

/* As System V had them; what is not in that stays. */
static void check_old_modes(void) {
    struct termio old;
    struct termios t = usual;
    t.c_cc[VSUSP] = 1;
    CHECK(tcsetattr(tty, TCSANOW, &t) == 0 && ioctl(tty, TCGETA, &old) == 0);
    CHECK(old.c_iflag == t.c_iflag && old.c_oflag == t.c_oflag && old.c_lflag == t.c_lflag);
    CHECK(old.c_cflag == (unsigned short)t.c_cflag && !memcmp(old.c_cc, t.c_cc, 8));
    old.c_lflag &= ~ECHO;
    old.c_cc[VERASE] = '#';
    CHECK(ioctl(tty, TCSETAW, &old) == 0 && tcgetattr(tty, &t) == 0);
    CHECK(t.c_lflag == (usual.c_lflag & ~ECHO) && t.c_cc[VERASE] == '#' && t.c_cc[VSUSP] == 1);
    CHECK(ioctl(tty, TCGETA, 16) == -1 && errno == EFAULT);
    CHECK(ioctl(tty, TCSETA, 16) == -1 && errno == EFAULT);
    CHECK(tcsetattr(tty, TCSANOW, &usual) == 0);
}

int main(int argc, char **argv) {
    tty = argc > 1 ? 0 : open("/console", O_RDWR);
    if (tty < 0 || tcgetattr(tty, &usual) < 0) {
        perror("terminal");
        return 1;
    }
    if (argc > 1 && !strcmp(argv[1], "raw")) {
        make_raw(1, 0);
    } else if (argc > 1) {
        read_keys();
        read_several();
        read_lines();
        read_interrupt();
    } else {
        check_modes();
        check_old_modes();
        check_others();
        check_times();
        check_size();
        check_background();
    }
    return tell_end();
}
