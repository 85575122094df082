/* A disk that is full: of blocks, of inodes. Errors, no panic, and all the room is
 * back when the files are gone. */
#include "test.h"
#include <stdio.h>
#include <string.h>

#define TOO_LARGE_TO_FILL 40000 /* blocks: filling more takes minutes */

static void file_name(char name[16], int i) { snprintf(name, 16, "fill%d", i); }

/* Writes files of the largest size until nothing more fits; how many there are. */
static int fill_disk(void) {
    char name[16];
    int files = 0, r = 0;
    for (;; files++) {
        file_name(name, files);
        int fd = sys_open(name, ABI_O_CREATE | ABI_O_RDWR);
        if (fd < 0)
            return files;
        unsigned size = 0;
        while (size < FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE) {
            r = sys_write(fd, scratch, 4 * FS_BLOCK_SIZE);
            if (r != 4 * FS_BLOCK_SIZE)
                break;
            size += r;
        }
        must_close(fd);
        if (size < FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE)
            return files + 1;
    }
}

static void remove_files(int n) {
    char name[16];
    for (int i = 0; i < n; i++) {
        file_name(name, i);
        must_unlink(name);
    }
}

/* Uses up the last blocks, one at a time. */
static void full_disk(void) {
    struct abi_sysinfo before, full, after;
    must_info(&before);
    if (before.blocks_free > TOO_LARGE_TO_FILL) {
        note("the disk has %lu free blocks, too many to fill", (unsigned long)before.blocks_free);
        return;
    }
    fill(scratch, 4 * FS_BLOCK_SIZE, 1);
    int n = fill_disk();
    int last = must_open("last", ABI_O_RDWR | ABI_O_CREATE), r;
    while ((r = sys_write(last, scratch, FS_BLOCK_SIZE)) > 0)
        ;
    CHECK_EQ(r, -1);
    must_info(&full);
    CHECK_MSG(full.blocks_free <= 1, "%lu blocks are free but cannot be written",
              (unsigned long)full.blocks_free);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(sys_write(last, scratch, FS_BLOCK_SIZE), -1);
        CHECK(sys_mkdir("d") == -1 || full.blocks_free > 0);
        sys_unlink("d");
        sys_open("one more name", ABI_O_CREATE | ABI_O_RDWR); /* a name may still fit */
        sys_close(4);
        sys_unlink("one more name");
    }
    must_close(last);
    remove_files(n);
    must_unlink("last");
    make_file("f", 20000, 2);
    check_file("f", 20000, 2);
    must_unlink("f");
    must_info(&after);
    CHECK_EQ(after.inodes_free, before.inodes_free);
    CHECK_MSG(before.blocks_free - after.blocks_free <= 1, "%ld blocks are gone",
              (long)(before.blocks_free - after.blocks_free)); /* this directory may have grown */
}

/* The same with several processes that meet the end at once. */
static void full_disk_many(void) {
    struct abi_sysinfo before, after;
    must_info(&before);
    if (before.blocks_free > TOO_LARGE_TO_FILL) {
        note("the disk has %lu free blocks, too many to fill", (unsigned long)before.blocks_free);
        return;
    }
    for (int k = 0; k < 3; k++) {
        static char name[3] = "d?";
        name[1] = 'a' + k;
        must_mkdir(name);
        if (must_fork() == 0) {
            CHECK_EQ(sys_chdir(name), 0);
            int n = fill_disk();
            for (int i = 0; i < 3; i++) {
                sys_mkdir("x");
                sys_unlink("x");
            }
            remove_files(n);
            sys_exit(0);
        }
    }
    reap_all(3, 0);
    for (int k = 0; k < 3; k++) {
        static char name[3] = "d?";
        name[1] = 'a' + k;
        must_unlink(name);
    }
    must_info(&after);
    CHECK_EQ(after.inodes_free, before.inodes_free);
}

static void no_inodes(void) {
    struct abi_sysinfo before, none, after;
    char name[16];
    must_info(&before);
    if (before.inodes_free > 5000) {
        note("the disk has %lu free inodes, too many to use up", (unsigned long)before.inodes_free);
        return;
    }
    int n = 0, fd;
    for (;; n++) {
        file_name(name, n);
        if ((fd = sys_open(name, ABI_O_CREATE | ABI_O_RDWR)) < 0)
            break;
        must_close(fd);
        CHECK(n <= (int)before.inodes_free);
    }
    must_info(&none);
    CHECK_EQ(none.inodes_free, 0);
    CHECK_EQ(n, before.inodes_free);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(sys_mkdir("d"), -1);
        CHECK_EQ(sys_mknod("n", 1, 0), -1);
        CHECK_EQ(sys_open("one more", ABI_O_CREATE | ABI_O_RDWR), -1);
    }
    CHECK_EQ(sys_link("fill0", "a link"), 0);
    must_unlink("a link");
    must_unlink("fill0");
    must_close(must_open("fill0", ABI_O_CREATE | ABI_O_RDWR));
    remove_files(n);
    must_info(&after);
    CHECK_EQ(after.inodes_free, before.inodes_free);
}

/* A write from a bad address must not keep a block or the file's size. */
static void bad_write_takes_no_block(void) {
    struct abi_sysinfo before, after;
    must_info(&before);
    for (int i = 0; i < 50; i++) {
        int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
        CHECK_EQ(sys_write(fd, opaque(DIRECT_MAP), 1 + i * 201), -1);
        must_close(fd);
        must_unlink("f");
    }
    must_info(&after);
    CHECK_EQ(after.blocks_free, before.blocks_free);
    CHECK_EQ(after.inodes_free, before.inodes_free);
}

/* A copy that fails in the middle leaves disk and cache the same (pitfall 21). */
static void half_a_write(void) {
    must_sbrk((PAGE - (uint64_t)sys_sbrk(0) % PAGE) % PAGE);
    char *end = must_sbrk(3 * PAGE) + 3 * PAGE;
    fill(end - 3 * PAGE, 3 * PAGE, 3);
    make_file("f", 10000, 4);
    int fd = must_open("f", ABI_O_RDWR);
    int r = sys_write(fd, end - 2500, 10000);
    CHECK_MSG(r == -1 || (r >= 0 && r <= 2500), "write is %d", r);
    must_close(fd);
    fd = must_open("f", ABI_O_RDONLY);
    read_all(fd, scratch, 10000);
    fill(scratch2, 10000, 4);
    int same = 0;
    while (same < 2500 && scratch[same] == (unsigned char)end[same - 2500])
        same++;
    CHECK_MSG(r <= same, "%d bytes written, %d found", r, same);
    CHECK_MSG(memcmp(scratch + 2500, scratch2 + 2500, 7500) == 0,
              "bytes behind the bad page changed");
    CHECK_EQ(sys_read(fd, scratch, 1), 0);
}

const struct test disk_tests[] = {
    {"disk_full", full_disk, true},
    {"disk_full_many", full_disk_many, true},
    {"disk_no_inodes", no_inodes, true},
    {"disk_bad_write_takes_no_block", bad_write_takes_no_block, false},
    {"disk_half_a_write", half_a_write, false},
    {0},
};
