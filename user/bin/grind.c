/* grind [ROUNDS [SEED [PROCESSES]]]: random system calls by several processes.
 *
 * Each worker keeps a model of what is its own: its heap, a file, a pipe, mappings. After
 * every call on these it knows what must be there, and checks. At the same time
 * all workers work on a few names that they share, where any result is right as
 * long as nothing breaks. At the end the system must have as much of everything
 * as before. The same seed makes the same calls; their order between processes
 * is the scheduler's. */
#include "lib/abi.h"
#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

#define DIR "/grind.tmp"
#define PAGE 4096
#define MAX_PAGES 48
#define MAX_FILE 8192
#define MAX_PIPE 2048
#define BAD_POINTER ((char *)0xffffffc000000000)
#define FAILED 1
#define TRIES 100 /* of what a run cannot do without: promises of memory fail now and then */

static uint32_t random_state;
static int worker; /* its number */
static const char *doing = "start";

static uint32_t rnd(uint32_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

static void die(const char *what) {
    printf("grind: worker %d, %s: %s\n", worker, doing, what);
    fflush(stdout);
    _exit(FAILED);
}

static void expect(bool ok, const char *what) {
    if (!ok)
        die(what);
}

/* ---- the heap: every page begins with its tag ---- */
static char *heap;
static unsigned pages;
static uint64_t tags[MAX_PAGES];

static uint64_t *tag_at(unsigned page) { return (uint64_t *)(heap + page * PAGE); }

static void heap_check(void) {
    for (unsigned i = 0; i < pages; i++)
        expect(*tag_at(i) == tags[i], "a heap page lost its contents");
}

static void heap_start(void) {
    uint64_t brk = (uint64_t)sbrk(0);
    int tries = TRIES;
    while (sbrk((PAGE - brk % PAGE) % PAGE) == (void *)-1)
        expect(--tries > 0, "no memory at the start");
    heap = sbrk(0);
}

static void heap_resize(void) {
    unsigned want = rnd(MAX_PAGES + 1);
    if (sbrk(((int)want - (int)pages) * PAGE) == (void *)-1) {
        expect(want > pages, "sbrk cannot shrink");
        return; /* no memory: allowed */
    }
    for (; pages < want; pages++) {
        if (rnd(2)) { /* half of them are touched now, half later */
            expect(*tag_at(pages) == 0, "a new heap page is not zero");
            *tag_at(pages) = (uint64_t)rnd(1u << 30) << 32 | pages;
        }
        tags[pages] = *tag_at(pages);
    }
    pages = want;
}

static void heap_write(void) {
    if (pages > 0) {
        unsigned i = rnd(pages);
        *tag_at(i) = tags[i] = (uint64_t)rnd(1u << 30) << 20 | i;
    }
}

/* ---- a file of its own, byte by byte ---- */
static char file_name[8], other_name[8];
static unsigned char model[MAX_FILE], buffer[MAX_FILE];
static unsigned model_size;

static void file_check(void) {
    int fd = open(file_name, O_RDONLY);
    expect(fd >= 0, "its file cannot be opened");
    struct stat st;
    expect(fstat(fd, &st) == 0 && st.size == model_size, "its file has a wrong size");
    expect(read(fd, buffer, sizeof(buffer)) == (int)model_size, "its file is short");
    expect(memcmp(buffer, model, model_size) == 0, "its file has wrong contents");
    close(fd);
}

static void file_write(void) {
    unsigned at = rnd(model_size + 1), n = rnd(MAX_FILE - at + 1), with = rnd(256);
    int fd = open(file_name, O_RDWR);
    expect(fd >= 0, "its file cannot be opened to write");
    expect(lseek(fd, at, 0) == at, "lseek in its file");
    for (unsigned i = 0; i < n; i++)
        buffer[i] = with + i * 7;
    int r = write(fd, buffer, n);
    expect(r == -1 || (r >= 0 && r <= (int)n), "write returned nonsense");
    if (r < (int)n) { /* disk full: take what is there as the truth */
        struct stat st;
        lseek(fd, 0, 0);
        expect(fstat(fd, &st) == 0 && st.size <= MAX_FILE, "fstat after a short write");
        model_size = st.size;
        expect(read(fd, model, model_size) == (int)model_size, "read after a short write");
    } else {
        memcpy(model + at, buffer, n);
        if (at + n > model_size)
            model_size = at + n;
    }
    close(fd);
}

static void file_truncate(void) {
    int fd = open(file_name, rnd(2) ? O_RDWR | O_TRUNC : O_RDWR);
    struct stat st;
    expect(fd >= 0 && fstat(fd, &st) == 0, "its file cannot be opened to truncate");
    model_size = st.size == 0 ? 0 : rnd(model_size + 1);
    expect(ftruncate(fd, model_size) == 0, "ftruncate");
    close(fd);
}

static void file_rename(void) {
    char name[8];
    if (rename(file_name, other_name) < 0)
        return; /* no room in the directory: allowed, nothing changed */
    memcpy(name, file_name, sizeof(name));
    memcpy(file_name, other_name, sizeof(name));
    memcpy(other_name, name, sizeof(name));
}

/* ---- a pipe of its own: the bytes in it count up ---- */
static int pipe_fd[2];
static unsigned pipe_in, pipe_out;

static void pipe_start(void) {
    int tries = TRIES;
    while (pipe(pipe_fd) < 0)
        expect(--tries > 0, "pipe at the start");
}

static void pipe_write(void) {
    unsigned n = rnd(MAX_PIPE - (pipe_in - pipe_out) + 1);
    for (unsigned i = 0; i < n; i++)
        buffer[i] = pipe_in + i;
    if (n > 0)
        expect(write(pipe_fd[1], BAD_POINTER, n) == -1, "pipe takes a bad pointer");
    expect(write(pipe_fd[1], buffer, n) == (int)n, "write to its pipe");
    pipe_in += n;
}

static void pipe_read(void) {
    unsigned n = rnd(MAX_PIPE) + 1, have = pipe_in - pipe_out;
    if (have == 0)
        return;
    expect(read(pipe_fd[0], BAD_POINTER, n) == -1, "pipe fills a bad pointer");
    int r = read(pipe_fd[0], buffer, n);
    expect(r == (int)(n < have ? n : have), "read of its pipe");
    for (int i = 0; i < r; i++)
        expect(buffer[i] == (unsigned char)(pipe_out + i), "its pipe has wrong contents");
    pipe_out += r;
}

#include "grindmaps.h"

/* ---- children ---- */
static int child_exits(void) { return 0; }
static int child_checks(void) {
    heap_check();
    heap_resize();
    for (int i = 0; i < 5; i++)
        heap_write();
    heap_check();
    return 0;
}
static int child_execs(void) {
    char *argv[] = {"true", NULL};
    exec("/bin/true", argv);
    return 0; /* no memory: allowed */
}
static int child_fails_exec(void) {
    char *argv[] = {"x", rnd(2) ? BAD_POINTER : "y", NULL};
    expect(exec(rnd(2) ? "missing" : file_name, argv) == -1, "exec of no program");
    heap_check();
    return 0;
}
static int child_leaves_orphan(void) {
    if (fork() == 0)
        sleep_ticks(rnd(2));
    return 0;
}
static int child_kills_itself(void) {
    raise(SIGKILL);
    return 0;
}
static int child_maps(void) {
    map_child();
    return 0;
}
static int child_pipes(void) {
    int p[2], sum = 0, r;
    if (pipe(p) < 0)
        return 0;
    int pid = fork();
    if (pid < 0)
        return 0;
    if (pid == 0) {
        close(p[0]);
        for (int i = 0; i < 20; i++) /* it fails when the reader has been killed */
            if (write(p[1], model, 1000) != 1000)
                break;
        _exit(0);
    }
    close(p[1]);
    while ((r = read(p[0], buffer, 1 + rnd(5000))) > 0)
        sum += r;
    expect(sum == 20000, "bytes got lost in a pipe");
    expect(wait(NULL) == pid, "wait for the writer");
    return 0;
}

static void children(void) {
    static int (*const kinds[])(void) = {child_exits,      child_checks,        child_execs,
                                         child_fails_exec, child_leaves_orphan, child_kills_itself,
                                         child_pipes,      child_maps,          child_maps};
    unsigned kind = rnd(sizeof(kinds) / sizeof(kinds[0]));
    uint32_t seed = rnd(1u << 30) + 1;
    int pid = fork(), status;
    if (pid < 0)
        return; /* no slot or no memory: allowed */
    if (pid == 0) {
        random_state = seed;
        _exit(kinds[kind]());
    }
    bool killed = rnd(6) == 0 && kill(pid, SIGKILL) == 0;
    expect(wait(&status) == pid, "wait for a child");
    if (kinds[kind] == child_maps)
        map_child_done(seed, status != 0);
    bool by_itself = kinds[kind] == child_kills_itself;
    expect(status == 0 ? !by_itself : WIFSIGNALED(status) && (killed || by_itself),
           "status of a child");
}

/* ---- names that all share ---- */
static void shared_path(char path[32]) {
    static const char *const names[] = {"a",    "b",       "c",      "d1",    "d2",
                                        "d1/a", "d1/b",    "d2/a",   "d1/d3", "d1/d3/a",
                                        "./a",  "d1/../b", "d2/./a", "d1/.",  "d2/.."};
    strcpy(path, names[rnd(sizeof(names) / sizeof(names[0]))]);
}

static void shared_file(void) {
    char path[32];
    static const int modes[] = {O_RDONLY,
                                O_WRONLY,
                                O_RDWR,
                                O_CREATE | O_RDWR,
                                O_CREATE | O_WRONLY | O_TRUNC,
                                O_RDWR | O_APPEND,
                                O_CREATE | O_RDWR | O_APPEND,
                                O_TRUNC};
    shared_path(path);
    int fd = open(path, modes[rnd(sizeof(modes) / sizeof(modes[0]))]);
    if (fd < 0)
        return;
    for (int i = rnd(4); i > 0; i--) {
        int n = rnd(4) == 0 ? (int)rnd(MAX_FILE) : (int)rnd(100);
        int r = rnd(2) ? write(fd, buffer, n) : read(fd, buffer, n);
        expect(r >= -1 && r <= n, "a shared file returned nonsense");
        if (rnd(8) == 0)
            expect(rnd(2) ? write(fd, BAD_POINTER, 10) == -1 : read(fd, BAD_POINTER, 10) <= 0,
                   "a shared file takes a bad pointer");
        if (rnd(4) == 0)
            lseek(fd, rnd(10000), rnd(3));
    }
    if (rnd(10) == 0)
        ftruncate(fd, rnd(5000));
    int copy = rnd(3) ? -1 : dup(fd);
    close(fd);
    if (copy >= 0)
        close(copy);
}

static void shared_names(void) {
    char a[32], b[32];
    shared_path(a);
    shared_path(b);
    switch (rnd(7)) {
    case 0: mkdir(a); break;
    case 1: unlink(a); break;
    case 2: link(a, b); break;
    case 3: rename(a, b); break;
    case 4: mknod(a, 99, 0); break; /* no driver: a console would block its reader */
    case 5: unlink(b); break;
    default:
        if (chdir(a) == 0) {
            close(open("x", O_CREATE | O_RDWR));
            unlink("x");
            expect(chdir(DIR) == 0, "the way back");
        }
    }
}

static void small_calls(void) {
    struct stat st;
    expect(getpid() > 0, "getpid");
    expect(close(99) == -1 && dup(-1) == -1, "bad descriptors");
    expect(open(BAD_POINTER, O_RDONLY) == -1, "a bad path");
    expect(fstat(pipe_fd[0], (struct stat *)BAD_POINTER) == -1, "a bad stat");
    expect(stat("/", &st) == 0 && st.ino == 1, "the root");
    if (rnd(4) == 0)
        sleep_ticks(rnd(2));
}

/* ---- the whole ---- */
static void work(int rounds) {
    static const struct {
        const char *name;
        void (*run)(void);
        unsigned weight;
    } steps[] = {
        {"heap, resize", heap_resize, 6},  {"heap, write", heap_write, 6},
        {"heap, check", heap_check, 3},    {"file, write", file_write, 3},
        {"file, check", file_check, 3},    {"file, truncate", file_truncate, 1},
        {"file, rename", file_rename, 1},  {"pipe, write", pipe_write, 5},
        {"pipe, read", pipe_read, 5},      {"children", children, 6},
        {"shared file", shared_file, 6},   {"shared names", shared_names, 6},
        {"small calls", small_calls, 2},   {"maps, new", map_new, 6},
        {"maps, write", map_write, 8},     {"maps, check", maps_check, 3},
        {"maps, protect", map_protect, 4}, {"maps, unmap", map_unmap, 3},
        {"maps, forget", map_forget, 1},   {"maps, sync", map_sync, 1},
        {"maps, file", map_file, 3},
    };
    unsigned weights = 0;
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        weights += steps[i].weight;
    heap_start();
    pipe_start();
    maps_start();
    snprintf(file_name, sizeof(file_name), "w%d", worker);
    snprintf(other_name, sizeof(other_name), "v%d", worker);
    close(open(file_name, O_CREATE | O_RDWR));
    while (rounds > 0) {
        unsigned pick = rnd(weights), i = 0;
        for (; pick >= steps[i].weight; i++)
            pick -= steps[i].weight;
        doing = steps[i].name;
        steps[i].run();
        rounds--;
    }
    doing = "end";
    heap_check();
    file_check();
    maps_end();
    unlink(file_name);
}

/* Empties the current directory; rename may have put anything anywhere. */
static void clean(void) {
    struct fs_dirent de;
    char name[ABI_DIRSIZ + 1];
    int fd = open(".", O_RDONLY);
    while (fd >= 0 && read(fd, &de, sizeof(de)) == (int)sizeof(de)) {
        memcpy(name, de.name, ABI_DIRSIZ);
        name[ABI_DIRSIZ] = 0;
        if (de.inum == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (unlink(name) < 0 && chdir(name) == 0) {
            clean();
            if (chdir("..") == 0)
                unlink(name);
        }
    }
    close(fd);
}

static bool as_before(const struct abi_sysinfo *before) {
    struct abi_sysinfo now;
    for (int tick = 0; tick < 100; tick++) {
        sync();
        if (sysinfo(&now) == 0 && now.procs == before->procs &&
            now.files_open == before->files_open &&
            now.frames_committed == before->frames_committed &&
            now.frames_free == before->frames_free && now.inodes_free == before->inodes_free &&
            now.blocks_free == before->blocks_free)
            return true;
        sleep_ticks(1);
    }
    printf(
        "grind: leak: processes %ld, files %ld, inodes %ld, blocks %ld, frames %ld, promised %ld\n",
        (long)(now.procs - before->procs), (long)(now.files_open - before->files_open),
        (long)(before->inodes_free - now.inodes_free),
        (long)(before->blocks_free - now.blocks_free),
        (long)(before->frames_free - now.frames_free),
        (long)(now.frames_committed - before->frames_committed));
    return false;
}

static int run(int rounds, uint32_t seed, int processes) {
    int status, bad = 0;
    for (worker = 0; worker < processes; worker++) {
        int pid = fork();
        for (int tries = TRIES; pid < 0 && tries > 0; tries--)
            pid = fork();
        if (pid == 0) {
            random_state = seed * 2654435761u + worker * 40503u;
            random_state += random_state == 0;
            work(rounds);
            _exit(0);
        }
        if (pid < 0) {
            printf("grind: fork failed\n");
            bad++;
            break;
        }
    }
    while (wait(&status) >= 0)
        if (status != 0)
            bad++;
    return bad;
}

static void usage(void) {
    printf("usage: grind [ROUNDS [SEED [PROCESSES]]]\n");
    exit(2);
}

static void enter(void) {
    mkdir(DIR);
    if (chdir(DIR) < 0) {
        printf("grind: cannot use " DIR "\n");
        exit(1);
    }
}

static void leave(void) {
    clean();
    chdir("/");
    if (unlink(DIR) < 0)
        printf("grind: " DIR " is not empty\n");
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 300;
    uint32_t seed = argc > 2 ? (uint32_t)atoi(argv[2]) : (uint32_t)rdtime();
    int processes = argc > 3 ? atoi(argv[3]) : 4;
    static struct abi_sysinfo before;
    if (rounds <= 0 || processes <= 0 || processes > 60 || argc > 4)
        usage();
    printf("grind: seed %u, %d rounds, %d processes\n", (unsigned)seed, rounds, processes);
    sysinfo(&before);
    long processes_before = before.procs;
    enter(); /* once beforehand: what the first use takes for good is no leak */
    run(1, seed, 1);
    leave();
    for (int tick = 0; tick < 100; tick++) { /* an orphan may still run */
        sync(); /* pages of removed files go with the commit that removes them */
        sysinfo(&before);
        if ((long)before.procs <= processes_before)
            break;
        sleep_ticks(1);
    }
    enter();
    int bad = run(rounds, seed, processes);
    leave();
    if (!as_before(&before))
        bad++;
    printf("grind: %s (seed %u)\n", bad ? "FAILED" : "OK", (unsigned)seed);
    return bad ? 1 : 0;
}
