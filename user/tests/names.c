/* Files by their names: links, renames, files without a name, and the nodes of devices. */
#include "test.h"
#include <string.h>

static void names_are_cut(void) {
    make_file("12345678901234", 10, 14);
    check_file("123456789012345", 10, 14);
    check_file("12345678901234 and more", 10, 14);
    CHECK(!exists("1234567890123"));
    must_mkdir("a_directory_14");
    make_file("a_directory_14xyz/12345678901234567", 10, 15);
    check_file("a_directory_14/12345678901234", 10, 15);
    CHECK_EQ(sys_mkdir("a_directory_14xyz"), -1);
    must_unlink("a_directory_14/1234567890123499");
    must_unlink("a_directory_14+");
    must_unlink("12345678901234!");
    CHECK(!exists("12345678901234"));
}

static void strange_names(void) {
    static const char *const names[] = {" ",        "...", ".hidden", "a b", "\n",
                                        "\xff\xfe", "x",   "..x",     "-"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        make_file(names[i], 5, i);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        check_file(names[i], 5, i);
        must_unlink(names[i]);
    }
}

static void hard_links(void) {
    struct stat a, b;
    make_file("a", 100, 16);
    must_mkdir("d");
    CHECK_EQ(sys_link("a", "b"), 0);
    CHECK_EQ(sys_link("b", "d/c"), 0);
    must_stat("a", &a);
    must_stat("d/c", &b);
    CHECK_EQ(a.ino, b.ino);
    CHECK_EQ(a.nlink, 3);
    CHECK_EQ(sys_link("a", "b"), -1);
    CHECK_EQ(sys_link("a", "a"), -1);
    CHECK_EQ(sys_link("missing", "x"), -1);
    CHECK_EQ(sys_link("a", "missing/x"), -1);
    CHECK_EQ(sys_link("d", "e"), -1);
    CHECK_EQ(sys_link(".", "e"), -1);
    CHECK_EQ(sys_link("a", "d"), -1);
    CHECK_EQ(sys_link("a", "."), -1);
    must_stat("a", &a);
    CHECK_EQ(a.nlink, 3);
    must_unlink("a");
    check_file("b", 100, 16);
    must_unlink("b");
    must_stat("d/c", &a);
    CHECK_EQ(a.nlink, 1);
    check_file("d/c", 100, 16);
    must_unlink("d/c");
}

/* Without a name, but open: all goes on until the last close. */
static void unlinked_while_open(void) {
    struct abi_sysinfo before, after;
    struct stat st;
    must_info(&before);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    fill(scratch, 20000, 17);
    write_all(fd, scratch, 10000);
    must_unlink("f");
    CHECK(!exists("f"));
    write_all(fd, scratch + 10000, 10000);
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_EQ(st.nlink, 0);
    CHECK_EQ(st.size, 20000);
    make_file("f", 10, 18); /* another one of that name */
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    read_all(fd, scratch, 20000);
    CHECK(filled(scratch, 20000, 17));
    must_close(fd);
    check_file("f", 10, 18);
    must_unlink("f");
    must_info(&after);
    CHECK_EQ(after.inodes_free, before.inodes_free);
    CHECK_EQ(after.blocks_free, before.blocks_free);
}

/* The last reference is a process that exits or is killed. */
static void unlinked_and_exit(void) {
    for (int i = 0; i < 6; i++) {
        int pid = must_fork();
        if (pid == 0) {
            int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
            write_all(fd, scratch, 15000);
            must_unlink("f");
            if (i % 2)
                sys_kill(sys_getpid());
            sys_exit(0);
        }
        CHECK_EQ(reap(pid), i % 2 ? KILLED : 0);
        CHECK(!exists("f"));
    }
}

static void create_flags(void) {
    struct stat a, b;
    CHECK_EQ(sys_open("f", ABI_O_RDWR), -1);
    must_close(must_open("f", ABI_O_CREATE | ABI_O_WRONLY));
    make_file("f", 10, 19);
    must_stat("f", &a);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    CHECK_EQ(sys_fstat(fd, &b), 0);
    CHECK_EQ(a.ino, b.ino);
    CHECK_EQ(b.size, 10);
    must_close(fd);
    must_mkdir("d");
    CHECK_EQ(sys_open("d", ABI_O_CREATE | ABI_O_RDWR), -1);
    CHECK_EQ(sys_open("d", ABI_O_CREATE), -1);
    CHECK_EQ(sys_open("d", ABI_O_WRONLY), -1);
    CHECK_EQ(sys_open("d", ABI_O_RDWR), -1);
    CHECK_EQ(sys_open("d", ABI_O_TRUNC), -1);
    CHECK_EQ(sys_open("missing/f", ABI_O_CREATE | ABI_O_RDWR), -1);
}

static void renames(void) {
    struct stat a, b;
    struct abi_sysinfo before, after;
    must_info(&before);
    make_file("a", 3000, 20);
    must_stat("a", &a);
    CHECK_EQ(sys_rename("a", "b"), 0);
    CHECK(!exists("a"));
    must_stat("b", &b);
    CHECK_EQ(a.ino, b.ino);
    CHECK_EQ(b.nlink, 1);
    make_file("c", 5000, 21);
    CHECK_EQ(sys_rename("b", "c"), 0); /* replaces c, whose blocks are free then */
    CHECK(!exists("b"));
    check_file("c", 3000, 20);
    must_mkdir("d");
    CHECK_EQ(sys_rename("c", "d/c"), 0);
    check_file("d/c", 3000, 20);
    CHECK_EQ(sys_rename("d/c", "d/c"), 0);
    check_file("d/c", 3000, 20);
    CHECK_EQ(sys_rename("missing", "x"), -ENOENT);
    CHECK_EQ(sys_rename("d/c", "missing/x"), -ENOENT);
    CHECK_EQ(sys_rename("d/c", "d"), -EISDIR);
    CHECK_EQ(sys_rename("d", "d/c"), -EINVAL);
    CHECK_EQ(sys_rename("d", "d/d"), -EINVAL);
    CHECK_EQ(sys_rename(".", "x"), -EINVAL);
    CHECK_EQ(sys_rename("d/..", "x"), -EINVAL);
    CHECK_EQ(sys_rename("d/c", "."), -EINVAL);
    check_file("d/c", 3000, 20);
    CHECK_EQ(sys_link("d/c", "e"), 0);
    int r = sys_rename("e", "d/c"); /* two names of one file: nothing, or one name less */
    CHECK_EQ(r, 0);
    check_file("d/c", 3000, 20);
    sys_unlink("e");
    must_unlink("d/c");
    must_unlink("d");
    must_info(&after);
    CHECK_EQ(after.blocks_free, before.blocks_free);
    CHECK_EQ(after.inodes_free, before.inodes_free);
}

static void rename_onto_open_file(void) {
    make_file("a", 100, 22);
    make_file("b", 200, 23);
    int fd = must_open("b", ABI_O_RDONLY);
    CHECK_EQ(sys_rename("a", "b"), 0);
    read_all(fd, scratch, 200);
    CHECK(filled(scratch, 200, 23));
    must_close(fd);
    check_file("b", 100, 22);
}

/* ---- devices ---- */
static void device_nodes(void) {
    struct stat st;
    CHECK_EQ(sys_mknod("con", 1, 0), 0);
    CHECK_EQ(sys_mknod("con", 1, 0), -1);
    make_file("f", 1, 1);
    CHECK_EQ(sys_mknod("f", 1, 0), -1);
    CHECK_EQ(sys_mknod("missing/con", 1, 0), -1);
    int fd = must_open("con", ABI_O_RDWR);
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_EQ(st.type, ABI_T_DEVICE);
    CHECK_EQ(st.nlink, 1);
    static const char line[] = "(a line from a device node of its own)\n";
    CHECK_EQ(sys_write(fd, line, sizeof(line) - 1), (long)sizeof(line) - 1);
    CHECK_EQ(sys_write(fd, opaque(DIRECT_MAP), 1), -1);
    must_close(fd);
    fd = must_open("con", ABI_O_CREATE | ABI_O_WRONLY);
    CHECK_EQ(sys_write(fd, line, 0), 0);
    CHECK_EQ(sys_read(fd, scratch, 1), -1);
    must_close(fd);
    must_unlink("con");
    CHECK(!exists("con"));
}

/* Major numbers that no driver has: opening, or at the latest using it, fails. */
static void missing_drivers(void) {
    static const int majors[] = {0, 2, 15, 16, 99, 1000, 32767, -1, -32768};
    for (unsigned i = 0; i < sizeof(majors) / sizeof(majors[0]); i++) {
        CHECK_EQ(sys_mknod("dev", majors[i], 7), 0);
        int fd = sys_open("dev", ABI_O_RDWR);
        CHECK_MSG(fd < 0 || (majors[i] >= 0 && majors[i] < 99), "device %d opens", majors[i]);
        if (fd >= 0) {
            CHECK_EQ(sys_read(fd, scratch, 1), -1);
            CHECK_EQ(sys_write(fd, scratch, 1), -1);
            must_close(fd);
        }
        must_unlink("dev");
    }
}

const struct test names_tests[] = {
    {"file_names_are_cut", names_are_cut, false},
    {"file_strange_names", strange_names, false},
    {"file_hard_links", hard_links, false},
    {"file_unlinked_while_open", unlinked_while_open, false},
    {"file_unlinked_and_exit", unlinked_and_exit, false},
    {"file_create_flags", create_flags, false},
    {"file_renames", renames, false},
    {"file_rename_onto_open", rename_onto_open_file, false},
    {"device_nodes", device_nodes, false},
    {"device_missing_drivers", missing_drivers, false},
    {0},
};
