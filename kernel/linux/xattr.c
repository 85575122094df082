/* Extended attributes, which no file system here keeps: a file has none, and gets none. Programs
 * that copy files ask for them, and take that for an answer, but not that there is no such call. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "vfs/node.h"

#define NAME_MOST 255

/* The call's file, by its path or, with a path of 0, its descriptor: is it there? */
static int find(uint64_t fd, uint64_t path, uint64_t flags, bool follow) {
    const uint64_t place[6] = {fd, path};
    struct node *n;
    int err = linux_find(place, flags, follow, &n);
    if (!err)
        node_put(n);
    return err;
}

static int find_path(uint64_t path, bool follow) {
    return find((uint64_t)LINUX_AT_FDCWD, path, 0, follow);
}

/* Pipes and sockets are files that have none either. */
static int find_open(uint64_t fd) {
    int err = find(fd, 0, LINUX_AT_EMPTY_PATH, true);
    return err == -K_EINVAL ? 0 : err;
}

/* Of an attribute with this name, when the file was found. */
static int of_one(int found, uint64_t name) {
    char text[NAME_MOST + 1];
    if (found)
        return found;
    int err = copyinstr(text, UA(name), sizeof(text));
    if (err == -K_ENAMETOOLONG || (!err && !text[0]))
        return -K_ERANGE;
    return err ? err : -K_ENOTSUP;
}

#define CREATE 1
#define REPLACE 2

static int of_new(int found, const uint64_t arg[6]) {
    return (uint32_t)arg[4] & ~(uint32_t)(CREATE | REPLACE) ? -K_EINVAL : of_one(found, arg[1]);
}

int linux_setxattr(const uint64_t arg[6], uint64_t *result) {
    return of_new(find_path(arg[0], true), arg);
}
int linux_lsetxattr(const uint64_t arg[6], uint64_t *result) {
    return of_new(find_path(arg[0], false), arg);
}
int linux_fsetxattr(const uint64_t arg[6], uint64_t *result) {
    return of_new(find_open(arg[0]), arg);
}

/* One that is asked for, and one that is to be removed. */
int linux_xattr(const uint64_t arg[6], uint64_t *result) {
    return of_one(find_path(arg[0], true), arg[1]);
}
int linux_lxattr(const uint64_t arg[6], uint64_t *result) {
    return of_one(find_path(arg[0], false), arg[1]);
}
int linux_fxattr(const uint64_t arg[6], uint64_t *result) {
    return of_one(find_open(arg[0]), arg[1]);
}

/* The names of all: none, in no bytes. */
int linux_listxattr(const uint64_t arg[6], uint64_t *result) { return find_path(arg[0], true); }
int linux_llistxattr(const uint64_t arg[6], uint64_t *result) { return find_path(arg[0], false); }
int linux_flistxattr(const uint64_t arg[6], uint64_t *result) { return find_open(arg[0]); }
