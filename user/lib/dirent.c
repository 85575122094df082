/* Reading directories: a directory is a file of 16-byte entries. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct dir_stream {
    int fd;
    size_t at, end; /* entries in the buffer */
    struct dirent current;
    struct fs_dirent entry[32];
};

DIR *opendir(const char *path) {
    struct stat st;
    DIR *dir = NULL;
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
        errno = ENOTDIR;
    else
        dir = calloc(1, sizeof *dir);
    if (dir)
        dir->fd = fd;
    else
        close(fd);
    return dir;
}

struct dirent *readdir(DIR *dir) {
    for (;;) {
        if (dir->at == dir->end) {
            ssize_t n = read(dir->fd, dir->entry, sizeof dir->entry);
            if (n < (ssize_t)sizeof dir->entry[0])
                return NULL;
            dir->at = 0;
            dir->end = (size_t)n / sizeof dir->entry[0];
        }
        struct fs_dirent *e = &dir->entry[dir->at++];
        if (e->inum) {
            dir->current.d_ino = e->inum;
            memcpy(dir->current.d_name, e->name, ABI_DIRSIZ);
            dir->current.d_name[ABI_DIRSIZ] = 0;
            return &dir->current;
        }
    }
}

int closedir(DIR *dir) {
    int r = close(dir->fd);
    free(dir);
    return r;
}
