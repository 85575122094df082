/* Maps memory and a file, shared and private, forks, cuts the mapping, and looks each time whether
 * everybody finds what he should. What is refused for want of memory is left out, as it must be
 * without harm: the status is 0 then, too. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

#define PAGE 4096u
#define PAGES 20u
#define BYTES (PAGES * PAGE)
#define NAME "maptest.tmp"
#define ROUNDS 6

static bool wrong(const char *what, const char *way) {
    printf("maptest: FAILED: %s, %s\n", way, what);
    return false;
}

static void fill(char *p, int seed) {
    for (unsigned i = 0; i < PAGES; i++)
        p[i * PAGE + i] = (char)(seed + (int)i);
}

static bool filled(const char *p, int seed) {
    for (unsigned i = 0; i < PAGES; i++)
        if (p[i * PAGE + i] != (char)(seed + (int)i))
            return false;
    return true;
}

/* A child finds what was stored, and what it stores is seen if the mapping is shared. */
static bool fork_and_look(char *p, bool shared, const char *way) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        bool right = filled(p, 1);
        fill(p, 2);
        _exit(!right);
    }
    if (pid < 0)
        return filled(p, 1) || wrong("a fork that failed has changed it", way);
    if (wait(&status) != pid || status != 0)
        return wrong("the child finds something else", way);
    return filled(p, shared ? 2 : 1) || wrong("the parent finds something else", way);
}

static bool refused(int result) { return result < 0 && errno == ENOMEM; }

/* Pages in the middle are closed, and others go. */
static bool cut(char *p, const char *way) {
    char first = *p;
    if (mprotect(p + 2 * PAGE, PAGE, PROT_NONE) < 0 && !refused(-1))
        return wrong("mprotect says no", way);
    if (munmap(p + 4 * PAGE, 3 * PAGE) < 0 && !refused(-1))
        return wrong("munmap of a part says no", way);
    if (*p != first)
        return wrong("a cut has changed it", way);
    return munmap(p, BYTES) == 0 || wrong("munmap of all says no", way);
}

static bool map(int flags, int fd, const char *way) {
    char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (p == MAP_FAILED)
        return refused(-1) ? printf("maptest: no memory for %s\n", way) > 0
                           : wrong("mmap says no", way);
    fill(p, 1);
    bool right = fork_and_look(p, flags & MAP_SHARED, way);
    return cut(p, way) && right;
}

/* A file of so many zeros; -1: there is no memory for it. */
static int make_file(void) {
    int fd = open(NAME, O_CREAT | O_RDWR | O_TRUNC);
    if (fd >= 0 && ftruncate(fd, BYTES) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool map_each_way(void) {
    bool right = map(MAP_PRIVATE | MAP_ANONYMOUS, -1, "private memory") &&
                 map(MAP_SHARED | MAP_ANONYMOUS, -1, "shared memory");
    int fd = make_file();
    if (fd >= 0) {
        right = right && map(MAP_PRIVATE, fd, "a private file") &&
                map(MAP_SHARED, fd, "a shared file");
        close(fd);
    }
    unlink(NAME);
    return right;
}

int main(void) {
    for (int i = 0; i < ROUNDS; i++)
        if (!map_each_way())
            return 1;
    printf("maptest: OK\n");
    return finish_output("maptest") < 0;
}
