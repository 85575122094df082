/* Files: contents and sizes. (Names, links, devices: names.c.) */
#include "test.h"
#include <string.h>

#define FILE_MAX (FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE)

static void write_and_read(void) {
    static const unsigned sizes[] = {0,    1,    511,       512,           1023,      1024,
                                     1025, 4096, 12 * 1024, 12 * 1024 + 1, 13 * 1024, 40000};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct stat st;
        make_file("f", sizes[i], i);
        check_file("f", sizes[i], i);
        must_stat("f", &st);
        CHECK_EQ(st.size, sizes[i]);
        CHECK_EQ(st.type, ABI_T_FILE);
        CHECK_EQ(st.nlink, 1);
        must_unlink("f");
        CHECK(!exists("f"));
    }
}

static void small_pieces(void) {
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    fill(scratch, 5000, 4);
    for (unsigned at = 0, n = 1; at < 5000; at += n, n = n % 97 + 1) {
        if (n > 5000 - at)
            n = 5000 - at;
        write_all(fd, scratch + at, n);
    }
    must_close(fd);
    check_file("f", 5000, 4);
}

static void overwrite_in_place(void) {
    make_file("f", 3000, 5);
    int fd = must_open("f", ABI_O_WRONLY);
    memset(scratch2, '!', 10);
    write_all(fd, scratch2, 10);
    must_close(fd);
    fd = must_open("f", ABI_O_RDONLY);
    read_all(fd, scratch, 3000);
    fill(scratch2 + 100, 3000, 5);
    CHECK(memcmp(scratch, "!!!!!!!!!!", 10) == 0);
    CHECK(memcmp(scratch + 10, scratch2 + 110, 2990) == 0);
    CHECK_EQ(sys_read(fd, scratch, 10), 0);
}

/* What they promise is seen from outside, when the power is cut (tests/host, tests/system). */
static void syncing(void) {
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR | ABI_O_SYNC), fds[2];
    write_all(fd, scratch, 3000);
    CHECK_EQ(sys_fsync(fd), 0);
    CHECK_EQ(sys_fdatasync(fd), 0);
    CHECK_EQ(sys_sync(), 0);
    must_close(fd);
    CHECK_EQ(sys_fsync(fd), -EBADF);
    CHECK_EQ(sys_fsync(-1), -EBADF);
    fd = must_open(".", ABI_O_RDONLY);
    CHECK_EQ(sys_fsync(fd), 0);
    must_close(fd);
    CHECK_EQ(sys_pipe(fds), 0);
    CHECK_EQ(sys_fsync(fds[0]), -EINVAL);
    CHECK_EQ(sys_fdatasync(fds[1]), -EINVAL);
    must_close(fds[0]);
    must_close(fds[1]);
}

static void truncate_on_open(void) {
    struct abi_sysinfo empty, full;
    make_file("f", 0, 1);
    must_info(&empty);
    make_file("f", 30000, 6);
    must_info(&full);
    CHECK(full.blocks_free < empty.blocks_free);
    must_close(must_open("f", ABI_O_RDWR));
    check_file("f", 30000, 6);
    must_close(must_open("f", ABI_O_WRONLY | ABI_O_TRUNC));
    check_file("f", 0, 0);
    must_info(&full);
    CHECK_EQ(full.blocks_free, empty.blocks_free);
    make_file("f", 3000, 6);
    must_close(must_open("f", ABI_O_RDONLY | ABI_O_TRUNC)); /* as in xv6 */
    check_file("f", 0, 0);
    make_file("f", 10, 7);
    check_file("f", 10, 7);
}

/* Truncated under a reader's feet: it sees the end, then what is written anew. */
static void truncate_while_open(void) {
    make_file("f", 5000, 8);
    int fd = must_open("f", ABI_O_RDONLY);
    read_all(fd, scratch, 2000);
    must_close(must_open("f", ABI_O_WRONLY | ABI_O_TRUNC));
    CHECK_EQ(sys_read(fd, scratch, 100), 0);
    int w = must_open("f", ABI_O_WRONLY);
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    write_all(w, "new", 3);
    CHECK_EQ(sys_read(fd, scratch, 100), 3);
    CHECK(memcmp(scratch, "new", 3) == 0);
}

/* A writer whose offset lies behind the new end: an error, or zeros in between;
 * never old contents, and never a panic. */
static void write_behind_end(void) {
    make_file("f", 5000, 9);
    int w = must_open("f", ABI_O_RDWR);
    read_all(w, scratch, 3000);
    must_close(must_open("f", ABI_O_WRONLY | ABI_O_TRUNC));
    int r = sys_write(w, "tail", 4);
    CHECK(r == -1 || r == 4);
    struct stat st;
    must_stat("f", &st);
    CHECK_EQ(st.size, r == 4 ? 3004 : 0);
    if (r == 4) {
        CHECK_EQ(sys_lseek(w, 0, 0), 0);
        read_all(w, scratch, 3004);
        CHECK(all_zero(scratch, 3000));
        CHECK(memcmp(scratch + 3000, "tail", 4) == 0);
    }
}

static void append(void) {
    make_file("f", 10, 10);
    int a = must_open("f", ABI_O_WRONLY | ABI_O_APPEND),
        b = must_open("f", ABI_O_RDWR | ABI_O_APPEND);
    write_all(a, "aa", 2);
    write_all(b, "bbb", 3);
    write_all(a, "a", 1);
    CHECK_EQ(sys_lseek(b, 0, 0), 0);
    read_all(b, scratch, 16);
    CHECK(filled(scratch, 10, 10));
    CHECK(memcmp(scratch + 10, "aabbba", 6) == 0);
    CHECK_EQ(sys_lseek(b, 0, 0), 0);
    write_all(b, "!", 1);
    struct stat st;
    must_stat("f", &st);
    CHECK_EQ(st.size, 17);
}

/* Several processes append to one file: all records, each whole. */
static void appenders(void) {
    enum { PROCS = 4, RECORDS = 40, SIZE = 16 };
    make_file("f", 0, 0);
    for (int k = 0; k < PROCS; k++) {
        if (must_fork() == 0) {
            int fd = must_open("f", ABI_O_WRONLY | ABI_O_APPEND);
            write_records(fd, k, SIZE, RECORDS);
            sys_exit(0);
        }
    }
    reap_all(PROCS, 0);
    check_records("f", PROCS, SIZE, RECORDS);
}

/* Writes in pieces until it takes no more; returns the size. */
static unsigned write_until_full(int fd, unsigned piece) {
    unsigned size = 0;
    int r;
    do {
        fill(scratch, piece, size);
        r = sys_write(fd, scratch, piece);
        CHECK(r == -1 || (r >= 0 && r <= (int)piece));
        size += r > 0 ? r : 0;
    } while (r == (int)piece && size <= 2 * FILE_MAX);
    return size;
}

/* The largest file has 268 blocks; what goes beyond is an error. */
static void largest_file(void) {
    struct abi_sysinfo before, after;
    struct stat st;
    must_info(&before);
    static const unsigned pieces[] = {1024, 4096, 40000};
    for (unsigned i = 0; i < 3; i++) {
        unsigned piece = pieces[i];
        int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
        unsigned size = write_until_full(fd, piece);
        CHECK_MSG(size == FILE_MAX || size == FILE_MAX / piece * piece, "took %u bytes", size);
        CHECK_EQ(sys_write(fd, scratch, piece), -1);
        CHECK_EQ(sys_fstat(fd, &st), 0);
        CHECK_MSG(st.size >= size && st.size <= FILE_MAX, "size %lu", (unsigned long)st.size);
        must_close(fd);
        fd = must_open("f", ABI_O_RDONLY);
        for (unsigned at = 0; at + piece <= size; at += piece) {
            read_all(fd, scratch, piece);
            CHECK_MSG(filled(scratch, piece, at), "wrong contents at %u", at);
        }
        must_close(fd);
        must_unlink("f");
    }
    must_info(&after);
    CHECK_EQ(after.blocks_free, before.blocks_free);
}

static void offsets(void) {
    make_file("f", 1000, 11);
    int fd = must_open("f", ABI_O_RDWR);
    CHECK_EQ(sys_lseek(fd, 10, 0), 10);
    CHECK_EQ(sys_lseek(fd, 5, 1), 15);
    CHECK_EQ(sys_lseek(fd, -10, 1), 5);
    CHECK_EQ(sys_lseek(fd, -10, 2), 990);
    CHECK_EQ(sys_read(fd, scratch, 100), 10);
    CHECK_EQ(sys_lseek(fd, -1, 0), -EINVAL);
    CHECK_EQ(sys_lseek(fd, -2000, 2), -EINVAL);
    CHECK_EQ(sys_lseek(fd, 0, 3), -EINVAL);
    CHECK_EQ(sys_lseek(fd, 0, -1), -EINVAL);
    CHECK_EQ(sys_lseek(fd, 0, 1), 1000);
    fill(scratch2, 1000, 11);
    for (int at = 999; at >= 0; at -= 111) {
        CHECK_EQ(sys_lseek(fd, at, 0), at);
        CHECK_EQ(sys_read(fd, scratch, 1), 1);
        CHECK_EQ(scratch[0], scratch2[at]);
    }
}

/* Offsets that no file reaches, 2^31 and sums that wrap among them. */
static void huge_offsets(void) {
    static const int64_t huge[] = {
        FILE_MAX,     FILE_MAX + 1LL, 0x7fffffffLL,         0x80000000LL,
        0xffffffffLL, 0x100000000LL,  0x7ffffffffffffff0LL, 0x7fffffffffffffffLL};
    struct stat st;
    make_file("f", 100, 12);
    int fd = must_open("f", ABI_O_RDWR);
    for (unsigned i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
        long r = sys_lseek(fd, huge[i], 0);
        CHECK_MSG(r == huge[i] || r == -EINVAL, "lseek to %ld is %ld", (long)huge[i], r);
        if (r < 0)
            continue;
        CHECK_EQ(sys_read(fd, scratch, 100), 0);
        CHECK_EQ(sys_write(fd, scratch, 100), -1);
        sys_lseek(fd, 0x7fffffffffffffffLL, 1);
    }
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_EQ(st.size, 100);
    check_file("f", 100, 12);
}

static void truncate_to_size(void) {
    struct abi_sysinfo before, after;
    struct stat st;
    make_file("f", 0, 0);
    must_info(&before);
    make_file("f", 30000, 13);
    int fd = must_open("f", ABI_O_RDWR);
    CHECK_EQ(sys_ftruncate(fd, 20001), 0);
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_EQ(st.size, 20001);
    read_all(fd, scratch, 20001);
    CHECK(filled(scratch, 20001, 13));
    CHECK_EQ(sys_read(fd, scratch, 1), 0);
    if (sys_ftruncate(fd, 22000) == 0) { /* growing, where it is possible, shows zeros */
        CHECK_EQ(sys_fstat(fd, &st), 0);
        CHECK_EQ(st.size, 22000);
        read_all(fd, scratch, 1999);
        CHECK(all_zero(scratch, 1999));
    }
    CHECK_EQ(sys_ftruncate(fd, 1ULL << 20), -EFBIG);
    CHECK_EQ(sys_ftruncate(fd, 1ULL << 32), -EFBIG);
    CHECK_EQ(sys_ftruncate(fd, -1ULL), -EFBIG);
    CHECK_EQ(sys_ftruncate(fd, 0), 0);
    must_close(fd);
    check_file("f", 0, 0);
    must_info(&after);
    CHECK_EQ(after.blocks_free, before.blocks_free);
}

static void write_by_many(void) {
    static char name[] = "f?";
    for (int k = 0; k < 4; k++) {
        if (must_fork() == 0) {
            name[1] = 'a' + k;
            for (int i = 0; i < 6; i++) {
                make_file(name, 12345 + i, k * 10 + i);
                check_file(name, 12345 + i, k * 10 + i);
            }
            sys_exit(0);
        }
    }
    reap_all(4, 0);
    for (int k = 0; k < 4; k++) {
        name[1] = 'a' + k;
        check_file(name, 12350, k * 10 + 5);
    }
}

/* Through the cache and back: more data than most caches of blocks hold. */
static void larger_than_cache(void) {
    struct abi_sysinfo si;
    static char name[] = "g??";
    must_info(&si);
    int n = si.blocks_free > 4000 ? 48 : (int)(si.blocks_free / 80);
    for (int i = 0; i < n; i++) {
        name[1] = 'a' + i / 26;
        name[2] = 'a' + i % 26;
        make_file(name, 60000, i);
    }
    for (int i = 0; i < n; i++) {
        name[1] = 'a' + i / 26;
        name[2] = 'a' + i % 26;
        check_file(name, 60000, i);
        must_unlink(name);
    }
}

const struct test file_tests[] = {
    {"file_write_and_read", write_and_read, false},
    {"file_small_pieces", small_pieces, false},
    {"file_overwrite_in_place", overwrite_in_place, false},
    {"file_syncing", syncing, false},
    {"file_truncate_on_open", truncate_on_open, false},
    {"file_truncate_while_open", truncate_while_open, false},
    {"file_write_behind_end", write_behind_end, false},
    {"file_append", append, false},
    {"file_appenders", appenders, false},
    {"file_largest", largest_file, false},
    {"file_offsets", offsets, false},
    {"file_huge_offsets", huge_offsets, false},
    {"file_truncate_to_size", truncate_to_size, false},
    {"file_write_by_many", write_by_many, false},
    {"file_larger_than_cache", larger_than_cache, true},
    {0},
};
