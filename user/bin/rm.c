/* Removes files; -r: directories with all that is in them; -f: no complaint about
 * what is not there. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <trellis.h>
#include <unistd.h>

static bool recursive, force;
static int status;

static void complain(const char *path, const char *why) {
    fprintf(stderr, "rm: cannot remove %s: %s\n", path, why);
    status = 1;
}

static bool is_dot(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

static void remove_tree(const char *path);

/* Removes what is in a directory, one entry at a time: the directory is closed
 * before descending, so that depth is not limited by open files. */
static bool remove_one_inside(const char *path) {
    char inner[PATH_MAX];
    DIR *dir = opendir(path);
    struct dirent *e = NULL;
    bool fits = true;
    while (dir && (e = readdir(dir)) && is_dot(e->d_name))
        ;
    if (e)
        fits = snprintf(inner, sizeof inner, "%s/%s", path, e->d_name) < (int)sizeof inner;
    if (dir)
        closedir(dir);
    if (!e || !fits)
        return false;
    int before = status;
    remove_tree(inner);
    return status == before;
}

static void remove_tree(const char *path) {
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        while (remove_one_inside(path))
            ;
    if (unlink(path) < 0)
        complain(path, strerror(errno));
}

static void remove_path(const char *path) {
    struct stat st;
    const char *last = strrchr(path, '/');
    if (stat(path, &st) < 0) {
        if (!force && unlink(path) < 0)
            complain(path, strerror(errno));
    } else if (!S_ISDIR(st.st_mode)) {
        if (unlink(path) < 0)
            complain(path, strerror(errno));
    } else if (!recursive) {
        complain(path, "is a directory");
    } else if (is_dot(last ? last + 1 : path)) {
        complain(path, ". and .. stay");
    } else {
        remove_tree(path);
    }
}

int main(int argc, char *argv[]) {
    int first = 1;
    bool ok = true;
    for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
        for (const char *p = argv[first] + 1; *p; p++) {
            ok &= *p == 'r' || *p == 'f';
            recursive |= *p == 'r';
            force |= *p == 'f';
        }
    }
    if (!ok || (first == argc && !force)) {
        fprintf(stderr, "usage: rm [-rf] FILE...\n");
        return 2;
    }
    for (int i = first; i < argc; i++)
        remove_path(argv[i]);
    return status;
}
