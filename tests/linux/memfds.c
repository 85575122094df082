/* Files without a name, and seals. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define PAGE 4096L
#define MFD_NOEXEC_SEAL_ 8U
#define MFD_EXEC_ 16U

static char *show(int fd, int prot, int flags) { return mmap(NULL, PAGE, prot, flags, fd, 0); }

static void check_unnamed(void) {
    char path[32], target[64] = "", text[8] = "", name[300];
    struct stat st;
    int fd = memfd_create("thing", MFD_CLOEXEC), again;
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && write(fd, "12345", 5) == 5);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 5 && st.st_nlink == 0 && S_ISREG(st.st_mode));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(readlink(path, target, sizeof(target)) > 0 && !strcmp(target, "/memfd:thing (deleted)"));
    CHECK((again = open(path, O_RDONLY)) >= 0 && read(again, text, 8) == 5);
    CHECK(close(fd) == 0 && pread(again, text, 8, 0) == 5 && !memcmp(text, "12345", 5));
    CHECK(fcntl(again, F_GET_SEALS) == F_SEAL_SEAL && close(again) == 0);
    CHECK(memfd_create("x", 0x100) == -1 && errno == EINVAL);
    CHECK(memfd_create("x", MFD_EXEC_ | MFD_NOEXEC_SEAL_) == -1 && errno == EINVAL);
    memset(name, 'n', 250);
    name[250] = '\0';
    CHECK(memfd_create(name, 0) == -1 && errno == EINVAL);
    name[249] = '\0';
    CHECK((fd = memfd_create(name, 0)) >= 0 && close(fd) == 0);
    CHECK(syscall(SYS_memfd_create, 16, 0) == -1 && errno == EFAULT);
}

static void check_sizes(void) {
    int fd = memfd_create("seals", MFD_ALLOW_SEALING);
    CHECK(fcntl(fd, F_GET_SEALS) == 0 && ftruncate(fd, PAGE) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0 && ftruncate(fd, 1) == -1 && errno == EPERM);
    CHECK(ftruncate(fd, 2 * PAGE) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
    CHECK(ftruncate(fd, 3 * PAGE) == -1 && errno == EPERM && ftruncate(fd, 2 * PAGE) == 0);
    CHECK(pwrite(fd, "ab", 2, 2 * PAGE - 2) == 2);
    CHECK(pwrite(fd, "ab", 2, 2 * PAGE - 1) == -1 && errno == EPERM);
    CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW));
    CHECK(fcntl(fd, F_ADD_SEALS, 0x1000) == -1 && errno == EINVAL);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1 && errno == EPERM);
    CHECK(pwrite(fd, "ab", 2, 0) == 2 && close(fd) == 0);
}

static void check_writes(void) {
    char path[32];
    int fd = memfd_create("seals", MFD_ALLOW_SEALING);
    CHECK(write(fd, "before", 6) == 6);
    char *w = show(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1 && errno == EBUSY);
    w[0] = 'B';
    CHECK(munmap(w, PAGE) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) == 0);
    CHECK(pwrite(fd, "x", 1, 0) == -1 && errno == EPERM);
    CHECK(show(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM);
    char *r = show(fd, PROT_READ, MAP_SHARED);
    CHECK(r != MAP_FAILED && !memcmp(r, "Before", 6));
    CHECK(mprotect(r, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
    char *own = show(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    own[0] = 'x';
    CHECK(r[0] == 'B' && munmap(own, PAGE) == 0 && munmap(r, PAGE) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(open(path, O_RDWR | O_TRUNC) == -1 && errno == EPERM);
    int reader = open(path, O_RDONLY);
    CHECK(fcntl(reader, F_ADD_SEALS, F_SEAL_GROW) == -1 && errno == EPERM);
    CHECK(fcntl(reader, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK) && close(reader) == 0);
    CHECK(close(fd) == 0);
}

/* Files with a name take none, and pipes do not know what it is. */
static void check_others(void) {
    int ends[2], fd = open("/tmp/memfds", O_RDWR | O_CREAT, 0600);
    CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_SEAL);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1 && errno == EPERM);
    CHECK(close(fd) == 0 && unlink("/tmp/memfds") == 0 && pipe(ends) == 0);
    CHECK(fcntl(ends[0], F_GET_SEALS) == -1 && errno == EINVAL);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* One thread maps for writing again and again while the other one seals: what is sealed does not
 * change, whoever came first. */
#define STORES 300
#define PLACE (64 * PAGE)
static volatile int sealed, mapped_late;
static int shared_fd;

static void *mapper(void *unused) {
    for (unsigned char n = 1; !sealed; n++) {
        /* What has to go first makes the call long. */
        char *place = mmap(NULL, PLACE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        char *p = mmap(place, PLACE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, shared_fd, 0);
        if (p == MAP_FAILED) {
            CHECK_EQ(errno, EPERM);
            munmap(place, PLACE);
            continue;
        }
        for (int i = 0; i < STORES; i++) /* it may be written, or there is none */
            ((volatile char *)p)[0] = (char)(n + i);
        munmap(p, PLACE);
    }
    mapped_late = show(shared_fd, PROT_READ | PROT_WRITE, MAP_SHARED) != MAP_FAILED;
    return NULL;
}

static void check_race(void) {
    pthread_t t;
    char first, later;
    for (int round = 0; round < 100; round++) {
        shared_fd = memfd_create("race", MFD_ALLOW_SEALING);
        sealed = mapped_late = 0;
        CHECK(ftruncate(shared_fd, PAGE) == 0);
        pthread_create(&t, NULL, mapper, NULL);
        while (fcntl(shared_fd, F_ADD_SEALS, F_SEAL_WRITE))
            ;
        CHECK(pread(shared_fd, &first, 1, 0) == 1);
        sealed = 1;
        pthread_join(t, NULL);
        CHECK(pread(shared_fd, &later, 1, 0) == 1 && first == later && !mapped_late);
        CHECK(close(shared_fd) == 0);
    }
}

/* What is sealed so can be run while it is open: nobody can change it. */
static void check_running(const char *self) {
    static char bytes[1 << 16];
    char path[32];
    ssize_t n;
    int from = open(self, O_RDONLY), status, fd = memfd_create("program", MFD_ALLOW_SEALING);
    while ((n = read(from, bytes, sizeof(bytes))) > 0)
        CHECK(write(fd, bytes, (size_t)n) == n);
    CHECK(n == 0 && close(from) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    for (int sealed = 0; sealed < 2; sealed++) {
        if (fork() == 0) {
            execl(path, path, "run", (char *)NULL);
            _exit(errno == ETXTBSY ? 5 : 1);
        }
        CHECK(wait(&status) > 0 && WEXITSTATUS(status) == (sealed ? 6 : 5));
        CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) == 0);
    }
    CHECK(close(fd) == 0);
}

int main(int argc, char *argv[]) {
    if (argc > 1)
        return 6;
    check_running(argv[0]);
    check_unnamed();
    check_sizes();
    check_writes();
    check_others();
    check_race();
    return tell_end();
}
