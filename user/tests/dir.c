/* Directories: making, removing, walking, reading, and the current one. */
#include "test.h"
#include <stdio.h>
#include <string.h>

static void make_and_remove(void) {
    struct stat st, up;
    must_mkdir("d");
    CHECK_EQ(sys_mkdir("d"), -1);
    must_stat("d", &st);
    CHECK_EQ(st.type, ABI_T_DIR);
    must_stat("d/.", &up);
    CHECK_EQ(up.ino, st.ino);
    must_stat(".", &st);
    must_stat("d/..", &up);
    CHECK_EQ(up.ino, st.ino);
    CHECK_EQ(sys_mkdir("missing/d"), -1);
    CHECK_EQ(sys_mkdir("/"), -1);
    CHECK_EQ(sys_mkdir("."), -1);
    CHECK_EQ(sys_mkdir("d/.."), -1);
    make_file("f", 1, 1);
    CHECK_EQ(sys_mkdir("f"), -1);
    must_unlink("d");
    CHECK(!exists("d"));
    CHECK_EQ(sys_unlink("d"), -1);
}

static void what_cannot_be_removed(void) {
    must_mkdir("d");
    make_file("d/f", 1, 1);
    must_mkdir("d/e");
    CHECK_EQ(sys_unlink("d"), -1);
    CHECK_EQ(sys_unlink("."), -1);
    CHECK_EQ(sys_unlink(".."), -1);
    CHECK_EQ(sys_unlink("d/."), -1);
    CHECK_EQ(sys_unlink("d/.."), -1);
    CHECK_EQ(sys_unlink("d/e/."), -1);
    CHECK_EQ(sys_unlink("d/e/.."), -1);
    CHECK_EQ(sys_unlink("/"), -1);
    CHECK_EQ(sys_unlink("//"), -1);
    must_unlink("d/f");
    CHECK_EQ(sys_unlink("d"), -1);
    must_unlink("d/e");
    must_unlink("d");
}

/* The parent's link count follows its directories, or does not count them; but
 * it comes back to what it was. */
static void parent_links(void) {
    struct stat before, after;
    must_stat(".", &before);
    for (int i = 0; i < 3; i++) {
        must_mkdir("d");
        must_mkdir("d/e");
        must_unlink("d/e");
        must_unlink("d");
    }
    must_stat(".", &after);
    CHECK_EQ(after.nlink, before.nlink);
}

static void dots(void) {
    struct stat a, b;
    must_mkdir("d");
    make_file("d/f", 10, 2);
    check_file("d/./f", 10, 2);
    check_file("./d/../d/././f", 10, 2);
    check_file(WORK_DIR "/d/f", 10, 2);
    check_file("//ut///d////f", 10, 2);
    must_stat("/", &a);
    must_stat("/..", &b);
    CHECK_EQ(a.ino, FS_ROOT_INODE);
    CHECK_EQ(b.ino, FS_ROOT_INODE);
    must_stat("../../../../..", &b);
    CHECK_EQ(b.ino, FS_ROOT_INODE);
    must_unlink("d/../d/f");
    CHECK_EQ(sys_chdir("d/"), 0);
    must_stat(".", &a);
    must_stat("../d", &b);
    CHECK_EQ(a.ino, b.ino);
}

static void change_directory(void) {
    must_mkdir("a");
    must_mkdir("a/b");
    make_file("a/b/f", 10, 3);
    CHECK_EQ(sys_chdir("a"), 0);
    CHECK_EQ(sys_chdir("b"), 0);
    check_file("f", 10, 3);
    CHECK_EQ(sys_chdir("f"), -1);
    CHECK_EQ(sys_chdir("missing"), -1);
    check_file("f", 10, 3);
    CHECK_EQ(sys_chdir("../.."), 0);
    check_file("a/b/f", 10, 3);
    CHECK_EQ(sys_chdir("/tests"), 0);
    CHECK(exists("usertests"));
}

/* Deeper than a path is long. */
static void deep(void) {
    int depth = 0;
    for (; depth < 40; depth++) {
        must_mkdir("level");
        CHECK_EQ(sys_chdir("level"), 0);
    }
    make_file("f", 10, 4);
    check_file("../level/f", 10, 4);
    must_unlink("f");
    for (; depth > 0; depth--) {
        CHECK_EQ(sys_chdir(".."), 0);
        must_unlink("level");
    }
}

/* Reads a directory to its end; counts names and finds one. */
static int count_entries(const char *path, const char *find, uint16_t *inum) {
    struct fs_dirent de;
    int n = 0, fd = must_open(path, ABI_O_RDONLY), r;
    while ((r = sys_read(fd, &de, sizeof(de))) == (int)sizeof(de)) {
        if (de.inum == 0)
            continue;
        n++;
        if (find && strncmp(de.name, find, ABI_DIRSIZ) == 0)
            *inum = de.inum;
    }
    CHECK_EQ(r, 0);
    must_close(fd);
    return n;
}

static void reading(void) {
    uint16_t inum = 0;
    struct stat st;
    must_mkdir("d");
    CHECK_EQ(count_entries("d", ".", &inum), 2);
    must_stat("d", &st);
    CHECK_EQ(inum, st.ino);
    CHECK_EQ(st.size % sizeof(struct fs_dirent), 0);
    CHECK_EQ(count_entries("d", "..", &inum), 2);
    must_stat(".", &st);
    CHECK_EQ(inum, st.ino);
    make_file("d/exactly14bytes", 1, 1);
    make_file("d/x", 1, 1);
    CHECK_EQ(count_entries("d", "exactly14bytes", &inum), 4);
    must_stat("d/exactly14bytes", &st);
    CHECK_EQ(inum, st.ino);
    must_unlink("d/x");
    CHECK_EQ(count_entries("d", NULL, NULL), 3);
    int fd = must_open("d", ABI_O_RDONLY);
    CHECK_EQ(sys_write(fd, scratch, 16), -1);
    CHECK_EQ(sys_ftruncate(fd, 0), -EBADF);
}

/* Names over several blocks, some of them removed again, in another order. */
static void large_directory(void) {
    enum { N = 130 }; /* 16 bytes each: three blocks */
    char name[16];
    must_mkdir("d");
    make_file("f", 5, 5);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "d/name%d", i);
        CHECK_EQ(sys_link("f", name), 0);
    }
    CHECK_EQ(count_entries("d", NULL, NULL), N + 2);
    for (int i = 0; i < N; i += 3) {
        snprintf(name, sizeof(name), "d/name%d", i);
        must_unlink(name);
    }
    struct stat before, after;
    must_stat("d", &before);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "d/name%d", i);
        CHECK_EQ(exists(name), i % 3 != 0);
    }
    for (int i = 0; i < N; i += 3) {
        snprintf(name, sizeof(name), "d/name%d", i);
        CHECK_EQ(sys_link("f", name), 0);
    }
    must_stat("d", &after);
    CHECK_EQ(after.size, before.size); /* free places are used again */
    CHECK_EQ(sys_unlink("d"), -1);
    for (int i = N - 1; i >= 0; i--) {
        snprintf(name, sizeof(name), "d/name%d", i);
        must_unlink(name);
    }
    CHECK_EQ(count_entries("d", NULL, NULL), 2);
    must_unlink("d");
    struct stat st;
    must_stat("f", &st);
    CHECK_EQ(st.nlink, 1);
}

/* The current directory has no name any more: nothing can be made in it, and
 * nobody panics (pitfall 24). */
static void removed_current_directory(void) {
    int pid = must_fork();
    if (pid == 0) {
        char *argv[] = {"p", NULL};
        must_mkdir("d");
        CHECK_EQ(sys_chdir("d"), 0);
        must_unlink("../d");
        CHECK_EQ(sys_open("f", ABI_O_CREATE | ABI_O_RDWR), -1);
        CHECK_EQ(sys_mkdir("e"), -1);
        CHECK_EQ(sys_mknod("n", 1, 0), -1);
        CHECK_EQ(sys_link(SELF, "l"), -1);
        CHECK_EQ(sys_rename(WORK_DIR "/x", "l"), -ENOENT);
        CHECK_EQ(sys_open("f", ABI_O_RDONLY), -1);
        CHECK_EQ(sys_unlink("f"), -1);
        CHECK_EQ(sys_exec("p", argv), -1);
        int fd = sys_open("..", ABI_O_RDONLY); /* may be there or not */
        if (fd >= 0)
            must_close(fd);
        fd = sys_open(".", ABI_O_RDONLY);
        if (fd >= 0)
            CHECK(sys_read(fd, scratch, 16) <= 16);
        sys_open("../x", ABI_O_CREATE | ABI_O_RDWR);
        sys_mkdir("../y");
        int child = must_fork();
        if (child == 0)
            sys_exit(0);
        CHECK_EQ(reap(child), 0);
        CHECK_EQ(sys_chdir("/"), 0);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(!exists("d"));
}

/* ".." of a removed directory whose parent was removed as well, and whose inode
 * may be another's by now. */
static void removed_parent(void) {
    must_mkdir("a");
    must_mkdir("a/b");
    CHECK_EQ(sys_chdir("a/b"), 0);
    must_unlink("../../a/b");
    must_unlink("/ut/a");
    make_file("/ut/f1", 100, 1);
    make_file("/ut/f2", 100, 2);
    sys_open("..", ABI_O_RDONLY);
    sys_open("../f", ABI_O_CREATE | ABI_O_RDWR);
    sys_mkdir("../d");
    sys_chdir("..");
    CHECK_EQ(sys_chdir(WORK_DIR), 0);
    check_file("f1", 100, 1);
    check_file("f2", 100, 2);
}

static void unlinked_by_many(void) {
    static char name[] = "f?";
    for (int k = 0; k < 4; k++) {
        if (must_fork() == 0) {
            for (int i = 0; i < 40; i++) {
                name[1] = 'a' + i % 3;
                int fd = sys_open(name, ABI_O_CREATE | ABI_O_RDWR);
                if (fd >= 0) {
                    sys_write(fd, scratch, 100);
                    sys_close(fd);
                }
                sys_unlink(name);
            }
            sys_exit(0);
        }
    }
    reap_all(4, 0);
    for (int i = 0; i < 3; i++) {
        name[1] = 'a' + i;
        CHECK(!exists(name));
    }
}

/* Of several that make one name, one wins; of several that remove it, too. */
static void one_winner(void) {
    for (int round = 0; round < 10; round++) {
        int won = 0, removed = 0;
        for (int k = 0; k < 4; k++)
            if (must_fork() == 0)
                sys_exit(sys_mkdir("d") == 0);
        for (int k = 0; k < 4; k++)
            won += reap(0);
        CHECK_EQ(won, 1);
        for (int k = 0; k < 4; k++)
            if (must_fork() == 0)
                sys_exit(sys_unlink("d") == 0);
        for (int k = 0; k < 4; k++)
            removed += reap(0);
        CHECK_EQ(removed, 1);
    }
}

/* Many names made at once in one directory: none is lost, none is twice. */
static void created_by_many(void) {
    enum { PROCS = 4, FILES = 25 };
    char name[16];
    must_mkdir("d");
    for (int k = 0; k < PROCS; k++) {
        if (must_fork() == 0) {
            for (int i = 0; i < FILES; i++) {
                snprintf(name, sizeof(name), "d/%c%d", 'a' + k, i);
                must_close(must_open(name, ABI_O_CREATE | ABI_O_RDWR));
                if (i % 4 == 3)
                    must_unlink(name);
            }
            sys_exit(0);
        }
    }
    reap_all(PROCS, 0);
    CHECK_EQ(count_entries("d", NULL, NULL), 2 + PROCS * (FILES - FILES / 4));
    for (int k = 0; k < PROCS; k++) {
        for (int i = 0; i < FILES; i++) {
            snprintf(name, sizeof(name), "d/%c%d", 'a' + k, i);
            CHECK_EQ(sys_unlink(name), i % 4 == 3 ? -1 : 0);
        }
    }
    must_unlink("d");
}

/* A directory that others remove while one looks up names through it. */
static void walk_through_vanishing(void) {
    int pid = must_fork();
    if (pid == 0) {
        for (;;) {
            sys_mkdir("a");
            sys_mkdir("a/b");
            sys_unlink("a/b");
            sys_unlink("a");
        }
    }
    for (int i = 0; i < 300; i++) {
        int fd = sys_open("a/b/../b/./../../a/b", ABI_O_RDONLY);
        if (fd >= 0)
            must_close(fd);
        if (sys_chdir("a/b") == 0) {
            sys_open("f", ABI_O_CREATE | ABI_O_RDWR);
            sys_unlink("f");
            CHECK_EQ(sys_chdir(WORK_DIR), 0);
        }
        sys_close(3);
        sys_close(4);
    }
    CHECK_EQ(sys_kill(pid), 0);
    CHECK_EQ(reap(pid), KILLED);
}

static void rename_directory(void) {
    struct stat st, up;
    must_mkdir("a");
    must_mkdir("b");
    must_mkdir("a/x");
    make_file("a/x/f", 10, 6);
    if (sys_rename("a/x", "b/y") < 0) { /* may be refused, but then wholly */
        check_file("a/x/f", 10, 6);
        CHECK(!exists("b/y"));
        return;
    }
    check_file("b/y/f", 10, 6);
    CHECK(!exists("a/x"));
    must_stat("b", &st);
    must_stat("b/y/..", &up);
    CHECK_EQ(up.ino, st.ino);
    CHECK_EQ(sys_rename("b", "b/y/z"), -EINVAL); /* not into itself */
    must_unlink("a");
    must_unlink("b/y/f");
    must_unlink("b/y");
    must_unlink("b");
}

/* Each name is looked at before and after each change, so that what is remembered of it
 * must change too: in this directory and, through `..`, in one that moves. */
static void names_come_and_go(void) {
    struct stat st, other;
    must_mkdir("d");
    make_file("f", 10, 7);
    for (int i = 0; i < 40; i++) {
        char name[] = {'d', '/', 'n', (char)('A' + i), 0};
        CHECK(!exists(name));
        CHECK_EQ(sys_link("f", name), 0);
        check_file(name, 10, 7);
        CHECK_EQ(sys_mkdir(name), -1);
        if (i % 2 == 0) {
            CHECK_EQ(sys_rename(name, "d/other"), 0);
            CHECK(!exists(name));
            check_file("d/other", 10, 7);
            must_unlink("d/other");
        } else {
            must_unlink(name);
        }
        CHECK(!exists("d/other"));
        CHECK(!exists(name));
        must_mkdir(name);
        CHECK(exists(name));
        must_unlink(name);
        CHECK(!exists(name));
    }
    int pid = must_fork();
    if (pid == 0) {
        make_file("d/c", 10, 8);
        must_unlink("f");
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    check_file("d/c", 10, 8);
    CHECK(!exists("f"));
    must_unlink("d/c");
    must_stat("d", &st);
    must_unlink("d");
    CHECK(!exists("d/c"));
    make_file("g", 1, 1); /* where numbers are used again, that of d */
    must_stat("g", &other);
    CHECK(other.ino != st.ino || sys_open("g/c", ABI_O_RDONLY) == -1);
    CHECK_EQ(sys_open("g/..", ABI_O_RDONLY), -1);
    must_unlink("g");
}

const struct test dir_tests[] = {
    {"dir_make_and_remove", make_and_remove, false},
    {"dir_what_cannot_be_removed", what_cannot_be_removed, false},
    {"dir_parent_links", parent_links, false},
    {"dir_dots", dots, false},
    {"dir_change", change_directory, false},
    {"dir_deep", deep, false},
    {"dir_reading", reading, false},
    {"dir_large", large_directory, false},
    {"dir_removed_current", removed_current_directory, false},
    {"dir_removed_parent", removed_parent, false},
    {"dir_unlinked_by_many", unlinked_by_many, false},
    {"dir_one_winner", one_winner, false},
    {"dir_created_by_many", created_by_many, false},
    {"dir_walk_through_vanishing", walk_through_vanishing, false},
    {"dir_rename", rename_directory, false},
    {"dir_names_come_and_go", names_come_and_go, false},
    {0},
};
