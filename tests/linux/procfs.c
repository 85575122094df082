/* flags: -static -pthread */
/* What /proc says of processes and of the machine. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static char text[200000];

/* Of a file, all that is in it; NULL: it is not there. */
static const char *contents(const char *path) {
    size_t all = 0;
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return NULL;
    for (ssize_t n; (n = read(fd, text + all, sizeof(text) - 1 - all)) > 0;)
        all += (size_t)n;
    close(fd);
    text[all] = '\0';
    return text;
}

static const char *of(int pid, const char *name) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return contents(path);
}

static long number_behind(const char *all, const char *word) {
    const char *at = all ? strstr(all, word) : NULL;
    return at ? strtol(at + strlen(word), NULL, 10) : -1;
}

static void check_machine(void) {
    struct statfs fs;
    double up = 0, idle = 0;
    CHECK(statfs("/proc", &fs) == 0 && fs.f_type == 0x9fa0);
    long all = number_behind(contents("/proc/meminfo"), "MemTotal:");
    CHECK(all > 30000 && number_behind(text, "MemFree:") > 0);
    CHECK(number_behind(text, "MemFree:") < all && number_behind(text, "SwapTotal:") == 0);
    CHECK(strstr(contents("/proc/cpuinfo"), "processor\t: 0\n") && strstr(text, "rv64"));
    CHECK(number_behind(contents("/proc/stat"), "btime ") > 1700000000 &&
          !strncmp(text, "cpu ", 4));
    CHECK(sscanf(contents("/proc/uptime"), "%lf %lf", &up, &idle) == 2 && up > 0);
    CHECK(strstr(contents("/proc/mounts"), " / ") && strstr(contents("/proc/filesystems"), "proc"));
    CHECK(!strncmp(contents("/proc/version"), "Linux version ", 14));
    CHECK(number_behind(contents("/proc/loadavg"), "/") > 1);
    CHECK(open("/proc/none", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(open("/proc/stat", O_WRONLY) == -1 && errno == EACCES);
    CHECK(mkdir("/proc/new", 0700) == -1 && errno == EROFS);
    CHECK(unlink("/proc/stat") == -1 && errno == EROFS);
}

static void check_self(void) {
    char link[128] = "", own[16];
    int parent, pid;
    char name[32], state;
    snprintf(own, sizeof(own), "%d", getpid());
    CHECK(readlink("/proc/self", link, sizeof(link)) == (ssize_t)strlen(own) && !strcmp(link, own));
    memset(link, 0, sizeof(link));
    CHECK(readlink("/proc/self/exe", link, sizeof(link)) > 0 && !strcmp(link, "/linux/procfs"));
    CHECK(!strcmp(contents("/proc/self/comm"), "procfs\n"));
    CHECK(sscanf(contents("/proc/self/stat"), "%d (%31[^)]) %c %d", &pid, name, &state, &parent) ==
          4);
    CHECK(pid == getpid() && parent == getppid() && state == 'R' && !strcmp(name, "procfs"));
    CHECK(number_behind(contents("/proc/self/status"), "Pid:\t") == getpid());
    CHECK(number_behind(text, "VmRSS:\t") > 0 && number_behind(text, "Threads:\t") == 1);
    int fd = open("/proc/self/stat", O_RDONLY), exe = open("/proc/self/exe", O_RDONLY);
    CHECK(pread(fd, link, 3, 1) == 3 && lseek(fd, 0, SEEK_CUR) == 0 && read(fd, name, 1) == 1);
    CHECK(pread(fd, link, 3, 1000000) == 0 && lseek(fd, 1L << 60, SEEK_SET) == 1L << 60);
    CHECK(name[0] == own[0] && read(fd, link, 3) == 0 && close(fd) == 0);
    CHECK(read(exe, link, 4) == 4 && !memcmp(link, "\177ELF", 4) && close(exe) == 0);
}

static unsigned long mask_behind(const char *words) {
    const char *found = strstr(contents("/proc/self/status"), words);
    return found ? strtoul(found + strlen(words), NULL, 16) : ~0UL;
}

static void check_signals(void) {
    sigset_t set;
    CHECK(mask_behind("SigIgn:\t") == 0 && mask_behind("SigCgt:\t") == 0);
    CHECK(mask_behind("SigBlk:\t") == 0 && mask_behind("ShdPnd:\t") == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGHUP);
    CHECK(signal(SIGUSR1, SIG_IGN) == SIG_DFL && signal(SIGTERM, exit) == SIG_DFL);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && kill(getpid(), SIGUSR2) == 0);
    CHECK(raise(SIGHUP) == 0); /* to the thread */
    CHECK(mask_behind("SigIgn:\t") == 1UL << (SIGUSR1 - 1));
    CHECK(mask_behind("SigCgt:\t") == 1UL << (SIGTERM - 1));
    CHECK(mask_behind("SigBlk:\t") == (1UL << (SIGUSR2 - 1) | 1UL << (SIGHUP - 1)));
    CHECK(mask_behind("ShdPnd:\t") == 1UL << (SIGUSR2 - 1));
    CHECK(mask_behind("SigPnd:\t") == 1UL << (SIGHUP - 1));
    signal(SIGUSR2, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* they are gone */
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    for (int i = 1; i < 32; i++)
        signal(i, SIG_DFL);
}

/* ---- the program ---- */

/* 0: what runs is known by its path from the root. It is, too, when it has run itself by that. */
static int look_at_exe(int times) {
    char link[128] = "";
    CHECK(readlink("/proc/self/exe", link, sizeof(link) - 1) > 0 && !strcmp(link, "/linux/procfs"));
    char again[] = {(char)('0' + times - 1), '\0'};
    if (times && !failures) {
        execl("/proc/self/exe", "procfs", "exe", again, NULL);
        CHECK(errno == 0);
    }
    return failures != 0;
}

/* A child runs this program by paths that do not begin there, or end with a link. */
static void check_exe(void) {
    static const char *const places[][2] = {{"/linux", "./procfs"},        {"/linux", "procfs"},
                                            {"/dev", "../linux/./procfs"}, {"/", "linux/procfs"},
                                            {"/", "/tmp/exe-link"},        {"/tmp", "exe-second"},
                                            {"/", "dev/..//linux/procfs"}};
    CHECK(symlink("../linux/procfs", "/tmp/exe-link") == 0);
    CHECK(symlink("exe-link", "/tmp/exe-second") == 0);
    for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            if (chdir(places[i][0]) == 0)
                execl(places[i][1], "procfs", "exe", "2", NULL);
            _exit(2);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    CHECK(unlink("/tmp/exe-link") == 0 && unlink("/tmp/exe-second") == 0);
}

/* ---- arguments ---- */

static char *name_of_program;

/* A child runs this program with arguments of every length up to 40, and one that is empty, and
 * looks at its own; then it writes over them. */
#define ARGS 42
static void check_arguments(void) {
    static char many[ARGS][48];
    char *argv[ARGS + 2] = {name_of_program, "arguments"};
    int status;
    for (int i = 2; i < ARGS; i++) {
        memset(many[i], 'a' + i % 26, (size_t)i - 2);
        argv[i] = many[i];
    }
    pid_t child = fork();
    if (child == 0) {
        execv("/proc/self/exe", argv);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(!strcmp(of(1, "cmdline"), "init") || text[0] == '/'); /* one of ours */
}

static int look_at_arguments(int argc, char **argv) {
    static char wanted[4096];
    size_t n = 0;
    for (int i = 0; i < argc; i++) {
        memcpy(wanted + n, argv[i], strlen(argv[i]) + 1);
        n += strlen(argv[i]) + 1;
    }
    int fd = open("/proc/self/cmdline", O_RDONLY);
    CHECK(argc == ARGS && read(fd, text, sizeof(text)) == (ssize_t)n && !memcmp(text, wanted, n));
    CHECK(close(fd) == 0);
    argv[0][0] = 'X'; /* what is told is what the process has there */
    CHECK(contents("/proc/self/cmdline") && text[0] == 'X');
    return failures != 0;
}

/* ---- descriptors ---- */

static const char *link_of(int pid, int fd) {
    static char target[128];
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    target[n < 0 ? 0 : n] = '\0';
    return target;
}

/* How many descriptors a process has, as they are listed, by rising number. */
static int count_of(int pid) {
    char path[64];
    int n = 0, last = -1;
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *all = opendir(path);
    for (struct dirent *e; all && (e = readdir(all));) {
        if (e->d_name[0] == '.')
            continue;
        CHECK(e->d_type == DT_LNK && atoi(e->d_name) > last);
        last = atoi(e->d_name);
        n++;
    }
    if (all)
        closedir(all);
    return all ? n : -1;
}

static void check_descriptors(void) {
    int ends[2], before = count_of(getpid()), status;
    struct stat a, b;
    char other[128];
    int file = open("/tmp/procfs", O_CREAT | O_RDWR, 0600);
    CHECK(before >= 4 && !strcmp(link_of(getpid(), file), "/tmp/procfs"));
    CHECK(pipe(ends) == 0 && dup2(ends[0], 700) == 700 && count_of(getpid()) == before + 4);
    CHECK(!strncmp(link_of(getpid(), ends[0]), "pipe:[", 6));
    strcpy(other, link_of(getpid(), 700));
    CHECK(!strcmp(other, link_of(getpid(), ends[1])));
    CHECK(!*link_of(getpid(), 701) && lstat("/proc/self/fd/700", &a) == 0 && S_ISLNK(a.st_mode));
    CHECK(open("/proc/self/fd/00", O_RDONLY) == -1 && errno == ENOENT);
    /* What is open there, whatever has its name now. */
    CHECK(write(file, "first", 5) == 5 && unlink("/tmp/procfs") == 0);
    char again[64];
    snprintf(again, sizeof(again), "/proc/%d/fd/%d", getpid(), file);
    CHECK(stat(again, &a) == 0 && fstat(file, &b) == 0 && a.st_ino == b.st_ino);
    int fd = open(again, O_RDONLY);
    CHECK(read(fd, other, 10) == 5 && !memcmp(other, "first", 5) && close(fd) == 0);
    int folder = open("/tmp", O_RDONLY);
    snprintf(again, sizeof(again), "/proc/self/fd/%d/.", folder);
    CHECK(stat(again, &a) == 0 && fstat(folder, &b) == 0 && a.st_ino == b.st_ino);
    /* Those of another process. */
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(ends[1]);
        _exit((int)read(ends[0], &c, 1));
    }
    CHECK(!strcmp(link_of(child, folder), "/tmp"));
    CHECK(close(ends[1]) == 0 && waitpid(child, &status, 0) == child && status == 0);
    CHECK(count_of(child) == -1 && errno == ENOENT);
    CHECK(close(ends[0]) == 0 && close(700) == 0 && close(file) == 0 && close(folder) == 0);
    CHECK(count_of(getpid()) == before);
}

/* Others look while a process without threads opens and closes all the time. */
static void check_busy_descriptors(void) {
    int status;
    pid_t busy = fork();
    if (busy == 0)
        for (;;) {
            int ends[2], file = open("/tmp", O_RDONLY);
            if (file < 0 || pipe(ends) || dup2(file, 300) != 300 || dup2(ends[0], 300) != 300)
                _exit(1);
            close(300);
            close(file);
            close(ends[0]);
            close(ends[1]);
        }
    for (int i = 0; i < 300; i++) {
        int n = count_of(busy);
        CHECK(n >= 3 && n <= 10);
        for (int fd = 3; fd < 7; fd++) {
            const char *link = link_of(busy, fd);
            CHECK(!*link || !strncmp(link, "pipe:", 5) || link[0] == '/' || link[0] == 'i');
        }
    }
    CHECK(kill(busy, SIGKILL) == 0 && waitpid(busy, &status, 0) == busy && status == SIGKILL);
}

/* ---- threads ---- */

static int stop[2];
static void *wait_for_end(void *at) {
    char c;
    *(pid_t *)at = gettid();
    CHECK(pthread_setname_np(pthread_self(), "waiter") == 0 && read(stop[0], &c, 1) == 0);
    return NULL;
}

static int tasks(void) {
    DIR *all = opendir("/proc/self/task");
    int n = 0;
    for (struct dirent *e; all && (e = readdir(all));)
        n += e->d_name[0] != '.' && e->d_type == DT_DIR;
    closedir(all);
    return n;
}

static void check_threads(void) {
    pthread_t threads[3];
    pid_t tid[3] = {0};
    char path[64], name[32], state;
    int number;
    CHECK(tasks() == 1 && pipe(stop) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, wait_for_end, &tid[i]) == 0);
    for (int i = 0; i < 3; i++) {
        do {
            while (!__atomic_load_n(&tid[i], __ATOMIC_RELAXED))
                sched_yield();
            snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid[i]);
            CHECK(sscanf(contents(path), "%d (%31[^)]) %c", &number, name, &state) == 3);
            CHECK(number == tid[i]);
            snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid[i]);
            CHECK(number_behind(contents(path), "\nPid:\t") == tid[i]);
            CHECK(number_behind(text, "Tgid:\t") == getpid() && strstr(text, "Name:\twaiter\n"));
        } while (!failures && (strcmp(name, "waiter") || state != 'S'));
    }
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
    CHECK(tasks() == 4 && !strcmp(contents(path), "procfs\n"));
    snprintf(path, sizeof(path), "/proc/%d/task/../task/%d/../../comm", getpid(), tid[0]);
    CHECK(contents(path) && !strcmp(text, "procfs\n"));
    CHECK(close(stop[1]) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    while (tasks() != 1) /* the last steps of a thread come after its join */
        sched_yield();
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid[0]);
    CHECK(!contents(path) && errno == ENOENT && close(stop[0]) == 0);
}

/* The line of the mapping that has this address. */
static int find_mapping(const char *file, void *at, char permissions[5]) {
    unsigned long start, end;
    for (const char *line = contents(file); line && *line; line = strchr(line, '\n') + 1)
        if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) == 3 &&
            start <= (unsigned long)at && (unsigned long)at < end)
            return (int)(line - text);
    return -1;
}

static void check_maps(void) {
    static char data[1];
    char permissions[5], local = 0;
    char *mine = mmap(NULL, 40 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mprotect(mine + 4096, 4096, PROT_READ) == 0);
    CHECK(find_mapping("/proc/self/maps", check_maps, permissions) >= 0);
    CHECK(!strcmp(permissions, "r-xp"));
    CHECK(find_mapping("/proc/self/maps", data, permissions) >= 0 && !strcmp(permissions, "rw-p"));
    CHECK(find_mapping("/proc/self/maps", &local, permissions) >= 0 &&
          !strcmp(permissions, "rw-p"));
    CHECK(find_mapping("/proc/self/maps", mine + 4096, permissions) >= 0);
    CHECK(!strcmp(permissions, "r--p"));
    CHECK(find_mapping("/proc/self/maps", (void *)8, permissions) == -1);
    memset(mine + 2 * 4096, 1, 5 * 4096);
    int at = find_mapping("/proc/self/smaps", mine + 2 * 4096, permissions);
    CHECK(at >= 0 && number_behind(text + at, "Size:") == 38 * 4);
    CHECK(number_behind(text + at, "Rss:") == 5 * 4);
    CHECK(munmap(mine, 40 * 4096) == 0);
}

/* Many mappings: the text is longer than a page, and is the same when it is read in small parts. */
static void check_long_file(void) {
    char *mine = mmap(NULL, 400 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 400; i += 2)
        CHECK(mprotect(mine + i * 4096, 4096, PROT_READ | PROT_WRITE) == 0);
    static char parts[200000];
    CHECK(strlen(contents("/proc/self/maps")) > 400 * 30);
    int fd = open("/proc/self/maps", O_RDONLY), all = 0;
    for (ssize_t n; (n = read(fd, parts + all, 333)) > 0;)
        all += (int)n;
    CHECK(all == (int)strlen(text) && !memcmp(parts, text, (size_t)all) && close(fd) == 0);
    CHECK(munmap(mine, 400 * 4096) == 0);
}

/* Looks at all that there is, as ps does. */
static int look_at_all(void) {
    DIR *all = opendir("/proc");
    int seen = 0;
    for (struct dirent *e; all && (e = readdir(all));) {
        int pid = atoi(e->d_name);
        if (!pid)
            continue;
        seen += pid == getpid();
        CHECK(e->d_type == DT_DIR);
        const char *stat = of(pid, "stat"); /* it may have ended */
        CHECK(!stat || atoi(stat) == pid);
        of(pid, "maps");
        of(pid, "smaps");
        of(pid, "status");
    }
    closedir(all);
    return seen;
}

/* Others come, run other programs and go meanwhile. */
#define LIVES 25
static void check_others(void) {
    char text_of_child[16];
    int status, ends[2];
    CHECK(look_at_all() == 1 && pipe(ends) == 0);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            for (int k = 0; k < LIVES; k++) {
                pid_t child = fork();
                if (child == 0) {
                    execl("/bin/true", "true", NULL);
                    _exit(1);
                }
                waitpid(child, &status, 0);
            }
            _exit(0);
        }
    for (int left = 3; left > 0;) {
        CHECK(look_at_all() == 1);
        while (waitpid(-1, &status, WNOHANG) > 0) {
            CHECK(status == 0);
            left--;
        }
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit((int)read(ends[0], text_of_child, 1));
    }
    CHECK(of(child, "comm") && !strcmp(text, "procfs\n") && of(child, "maps"));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(!of(child, "stat") && errno == ENOENT);
}

int main(int argc, char **argv) {
    name_of_program = argv[0];
    if (argc > 1 && !strcmp(argv[1], "arguments"))
        return look_at_arguments(argc, argv);
    if (argc > 2 && !strcmp(argv[1], "exe"))
        return look_at_exe(argv[2][0] - '0');
    check_machine();
    check_self();
    check_exe();
    check_signals();
    check_maps();
    check_long_file();
    check_others();
    check_arguments();
    check_descriptors();
    check_busy_descriptors();
    check_threads();
    return tell_end();
}
