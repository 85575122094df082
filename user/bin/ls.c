/* Lists directories and files, sorted, one a line.
 *     -a   names that begin with a dot too
 *     -d   a directory itself, not what is in it
 *     -l   inode, type (d, - or c), links, size, name */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trellis.h>

static bool all, itself, details;
static int status;

struct names {
    char **name;
    size_t n, room;
};

static void complain(const char *path, const char *why) {
    fprintf(stderr, "ls: %s: %s\n", path, why);
    status = 1;
}

static void show(const char *path, const char *name) {
    struct stat st;
    if (!details) {
        puts(name);
        return;
    }
    if (stat(path, &st) < 0) {
        complain(path, strerror(errno));
        return;
    }
    char type = S_ISDIR(st.st_mode) ? 'd' : S_ISCHR(st.st_mode) ? 'c' : '-';
    printf("%5u %c %3d %8lu %s\n", st.st_ino, type, st.st_nlink, st.st_size, name);
}

static bool add(struct names *names, const char *name) {
    if (names->n == names->room) {
        size_t room = names->room ? names->room * 2 : 32;
        char **bigger = realloc(names->name, room * sizeof *bigger);
        if (!bigger)
            return false;
        names->name = bigger;
        names->room = room;
    }
    char *copy = strdup(name);
    if (copy)
        names->name[names->n++] = copy;
    return copy != NULL;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_directory(const char *path) {
    struct names names = {0};
    bool ok = true;
    DIR *dir = opendir(path);
    if (!dir) {
        complain(path, strerror(errno));
        return;
    }
    for (struct dirent *e; ok && (e = readdir(dir));)
        if (all || e->d_name[0] != '.')
            ok = add(&names, e->d_name);
    closedir(dir);
    if (!ok)
        complain(path, "out of memory");
    qsort(names.name, names.n, sizeof names.name[0], compare);
    for (size_t i = 0; i < names.n; i++) {
        char full[256];
        snprintf(full, sizeof full, "%s/%s", path, names.name[i]);
        show(full, names.name[i]);
        free(names.name[i]);
    }
    free(names.name);
}

static void list(const char *path, bool titled) {
    struct stat st;
    if (stat(path, &st) < 0) {
        complain(path, strerror(errno));
    } else if (S_ISDIR(st.st_mode) && !itself) {
        if (titled)
            printf("%s:\n", path);
        list_directory(path);
    } else {
        show(path, path);
    }
}

int main(int argc, char *argv[]) {
    int first = 1;
    for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
        for (const char *p = argv[first] + 1; *p; p++) {
            if (*p == 'a')
                all = true;
            else if (*p == 'd')
                itself = true;
            else if (*p == 'l')
                details = true;
            else {
                fprintf(stderr, "usage: ls [-adl] [FILE...]\n");
                return 2;
            }
        }
    }
    if (first == argc)
        list(".", false);
    for (int i = first; i < argc; i++)
        list(argv[i], argc - first > 1);
    if (finish_output("ls") < 0)
        status = 1;
    return status;
}
