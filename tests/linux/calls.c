/* Calls that programs make on the way to others: what is known of files in other structures, and
 * hints. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "check.h"

static void check_statx(void) {
    struct statx sx;
    struct stat st;
    int ends[2], fd = open("/tmp/calls", O_RDWR | O_CREAT, 0604);
    CHECK(fd >= 0 && write(fd, "12345", 5) == 5 && stat("/tmp/calls", &st) == 0);
    CHECK(statx(AT_FDCWD, "/tmp/calls", 0, STATX_BASIC_STATS, &sx) == 0);
    CHECK((sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS && sx.stx_size == 5);
    CHECK(sx.stx_mode == st.st_mode && sx.stx_ino == st.st_ino && sx.stx_nlink == 1);
    CHECK(sx.stx_mtime.tv_sec == st.st_mtim.tv_sec && sx.stx_blksize == 4096);
    CHECK(makedev(sx.stx_dev_major, sx.stx_dev_minor) == st.st_dev);
    CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx) == 0 && sx.stx_size == 5);
    CHECK(statx(AT_FDCWD, "/dev/zero", 0, STATX_TYPE, &sx) == 0 && S_ISCHR(sx.stx_mode));
    CHECK(sx.stx_rdev_major == 1 && sx.stx_rdev_minor == 5);
    CHECK(statx(AT_FDCWD, "/none", 0, 0, &sx) == -1 && errno == ENOENT);
    CHECK(pipe(ends) == 0 && statx(ends[0], "", AT_EMPTY_PATH, 0, &sx) == 0);
    CHECK(S_ISFIFO(sx.stx_mode) && close(ends[0]) == 0 && close(ends[1]) == 0);
    CHECK(truncate("/tmp/calls", 3) == 0 && fstat(fd, &st) == 0 && st.st_size == 3);
    CHECK(truncate("/tmp", 3) == -1 && errno == EISDIR);
    CHECK(truncate("/tmp/calls", -1) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_faccessat2, AT_FDCWD, "/tmp/calls", R_OK | W_OK, 0) == 0);
    CHECK(syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH) == -1 && errno == EACCES);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED) == 0 && flock(fd, LOCK_EX) == 0);
    CHECK(fallocate(fd, 0, 0, 10) == 0 && fstat(fd, &st) == 0 && st.st_size == 10);
    CHECK(close(fd) == 0 && unlink("/tmp/calls") == 0 && flock(fd, LOCK_EX) == -1);
}

/* No file has any: programs that copy files take that for an answer. */
static void check_attributes(void) {
    char list[16];
    int fd = open("/tmp/calls", O_RDWR | O_CREAT, 0600), ends[2];
    CHECK(listxattr("/tmp", list, sizeof(list)) == 0 && flistxattr(fd, NULL, 0) == 0);
    CHECK(llistxattr("/proc/self", list, 16) == 0 && pipe(ends) == 0);
    CHECK(flistxattr(ends[0], list, 16) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
    CHECK(listxattr("/none", list, 16) == -1 && errno == ENOENT);
    CHECK(flistxattr(77, list, 16) == -1 && errno == EBADF);
    CHECK(getxattr("/tmp", "user.a", list, 16) == -1 && errno == EOPNOTSUPP);
    CHECK(fgetxattr(fd, "security.capability", list, 16) == -1 && errno == EOPNOTSUPP);
    CHECK(setxattr("/tmp", "user.a", "b", 1, 0) == -1 && errno == EOPNOTSUPP);
    CHECK(fsetxattr(fd, "user.a", "b", 1, 4) == -1 && errno == EINVAL);
    CHECK(lremovexattr("/tmp", "user.a") == -1 && errno == EOPNOTSUPP);
    CHECK(lgetxattr("/none", "user.a", list, 16) == -1 && errno == ENOENT);
    CHECK(getxattr("/tmp", "", list, 16) == -1 && errno == ERANGE);
    CHECK(fremovexattr(fd, "user.a") == -1 && errno == EOPNOTSUPP);
    CHECK(close(fd) == 0 && unlink("/tmp/calls") == 0);
}

/* Devices that are nothing but memory can be sought in, and stay where they are. */
static void check_places(void) {
    static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom"};
    for (int i = 0; i < 4; i++) {
        int fd = open(names[i], O_RDWR);
        CHECK(lseek(fd, 100, SEEK_SET) == 0 && lseek(fd, 0, SEEK_END) == 0 && close(fd) == 0);
    }
    int fd = open("/dev/console", O_RDWR);
    CHECK(lseek(fd, 0, SEEK_CUR) == -1 && errno == ESPIPE && close(fd) == 0);
    CHECK(open("/tmp/calls/", O_RDWR | O_CREAT, 0600) == -1 && errno == EISDIR);
    CHECK(open("/tmp/calls/", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EISDIR);
    CHECK(access("/tmp/calls", F_OK) == -1);
}

static void check_names(void) {
    struct utsname was, is;
    CHECK(uname(&was) == 0 && sethostname("another", 4) == 0 && setdomainname("", 0) == 0);
    CHECK(uname(&is) == 0 && !strcmp(is.nodename, "anot") && !is.domainname[0]);
    CHECK(!strcmp(is.release, was.release) && sethostname(NULL, 5) == -1 && errno == EFAULT);
    CHECK(sethostname("x", 65) == -1 && errno == EINVAL && sethostname("x", -1) == -1);
    CHECK(sethostname(was.nodename, strlen(was.nodename)) == 0 && uname(&is) == 0);
    CHECK(!strcmp(is.nodename, was.nodename));
}

static void check_locks(void) {
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 3};
    int fd = open("/tmp/calls", O_RDWR | O_CREAT, 0600);
    CHECK(fcntl(fd, F_SETLK, &l) == 0 && fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_UNLCK);
    CHECK(fcntl(fd, F_SETLKW, &l) == 0 && close(fd) == 0 && unlink("/tmp/calls") == 0);
    CHECK(fcntl(fd, F_SETLK, &l) == -1 && errno == EBADF);
}

static void check_room(void) {
    struct statfs fs;
    CHECK(statfs("/tmp", &fs) == 0 && fs.f_type == 0x01021994 && fs.f_bsize == 4096);
    CHECK(fs.f_blocks > 1000 && fs.f_bfree > 0 && fs.f_bfree <= fs.f_blocks && fs.f_namelen == 255);
    CHECK(statfs("/none", &fs) == -1 && errno == ENOENT);
    int fd = open("/", O_RDONLY);
    CHECK(fstatfs(fd, &fs) == 0 && fs.f_type == 0x01021994 && close(fd) == 0);
}

static void check_scheduling(void) {
    struct sched_param p = {.sched_priority = 5};
    struct rlimit limit;
    unsigned cpu = 99, node = 99;
    CHECK(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &p) == 0);
    CHECK(p.sched_priority == 0 && sched_setscheduler(0, SCHED_OTHER, &p) == 0);
    CHECK(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_RR) == 1);
    CHECK(sched_get_priority_max(SCHED_OTHER) == 0);
    CHECK(sched_get_priority_max(50) == -1 && errno == EINVAL);
    CHECK(getpriority(PRIO_PROCESS, 0) == 0 && errno == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
    struct timespec slice = {5, 5};
    cpu_set_t set;
    CHECK(sched_rr_get_interval(0, &slice) == 0 && slice.tv_sec == 0 && slice.tv_nsec == 4000000);
    CHECK(sched_rr_get_interval(-1, &slice) == -1 && errno == EINVAL);
    CHECK(sched_getaffinity(-1, sizeof(set), &set) == -1);
    CHECK(syscall(SYS_getcpu, &cpu, &node, NULL) == 0 && cpu < 8 && node == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 1024);
    CHECK(dup2(0, (int)limit.rlim_cur - 1) == 1023 && close(1023) == 0);
    CHECK(dup2(0, (int)limit.rlim_cur) == -1 && errno == EBADF);
}

int main(void) {
    check_statx();
    check_attributes();
    check_places();
    check_names();
    check_locks();
    check_room();
    check_scheduling();
    return tell_end();
}
