/* A directory of xv6's disk, which stands below /xv6: files are read in each way, names listed. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "check.h"
#include "renames.h"

static void check_reading(void) {
    char text[16] = "", more[16] = "";
    struct iovec two[2] = {{text, 3}, {more, 16}};
    int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK(fd >= 0 && write(fd, "abcdefg", 7) == 7 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(readv(fd, two, 2) == 7 && !strcmp(text, "abc") && !strcmp(more, "defg"));
    CHECK(pread(fd, text, 2, 5) == 2 && !memcmp(text, "fg", 2));
    CHECK(lseek(fd, 1, SEEK_SET) == 1 && read(fd, text, 1) == 1 && text[0] == 'b');
    CHECK(open("f", O_RDWR | O_CREAT | O_EXCL, 0640) == -1 && errno == EEXIST);
    CHECK(close(fd) == 0 && access("f", X_OK) == 0 && chmod("f", 0600) == -1 && errno == EPERM);
}

static void check_names(void) {
    char path[32], byte;
    unsigned seen = 0, others = 0;
    DIR *list = opendir(".");
    for (struct dirent *e; list && (e = readdir(list));)
        if (!strcmp(e->d_name, "f") && e->d_type == DT_UNKNOWN)
            seen++;
        else
            others++;
    CHECK(seen == 1 && others == 2); /* "." and ".." */
    closedir(list);
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0 && read(fd, &byte, 1) == -1 && errno == EISDIR && close(fd) == 0);
    CHECK(getcwd(path, sizeof(path)) && !strcmp(path, "/xv6/linux"));
}

int main(void) {
    CHECK(chdir("/xv6") == 0 && mkdir("linux", 0777) == 0 && chdir("linux") == 0);
    check_reading();
    check_names();
    check_renames();
    CHECK(link("f", "/tmp/f") == -1 && errno == EXDEV && unlink("f") == 0);
    CHECK(chdir("..") == 0 && rmdir("linux") == 0);
    return tell_end();
}
