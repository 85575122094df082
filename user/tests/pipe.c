/* Pipes. */
#include "test.h"
#include <string.h>

static void bytes_in_order(void) {
    int p[2];
    must_pipe(p);
    CHECK(p[0] != p[1] && p[0] >= 0 && p[1] >= 0);
    write_all(p[1], "abc", 3);
    write_all(p[1], "defg", 4);
    CHECK_EQ(sys_read(p[0], scratch, 2), 2);
    CHECK_EQ(sys_read(p[0], scratch + 2, 100), 5);
    CHECK(memcmp(scratch, "abcdefg", 7) == 0);
}

static void wrong_ends(void) {
    int p[2];
    must_pipe(p);
    CHECK_EQ(sys_read(p[1], scratch, 1), -1);
    CHECK_EQ(sys_write(p[0], scratch, 1), -1);
    CHECK_EQ(sys_lseek(p[0], 0, 0), -ESPIPE);
    CHECK_EQ(sys_ftruncate(p[1], 0), -EINVAL);
    struct stat st;
    CHECK_EQ(sys_fstat(p[0], &st), -1);
}

static void end_of_file(void) {
    int p[2];
    must_pipe(p);
    write_all(p[1], "last", 4);
    must_close(p[1]);
    CHECK_EQ(sys_read(p[0], scratch, 100), 4);
    CHECK_EQ(sys_read(p[0], scratch, 100), 0);
    CHECK_EQ(sys_read(p[0], scratch, 100), 0);
}

static void no_reader(void) {
    int p[2];
    must_pipe(p);
    must_close(p[0]);
    CHECK_EQ(sys_write(p[1], "x", 1), -1);
    CHECK_EQ(sys_write(p[1], scratch, 5000), -1);
}

/* The end of file comes only when the last copy of the write end is closed. */
static void duplicated_ends(void) {
    int p[2];
    must_pipe(p);
    int w2 = sys_dup(p[1]), r2 = sys_dup(p[0]);
    CHECK(w2 >= 0 && r2 >= 0);
    must_close(p[1]);
    write_all(w2, "via dup", 7);
    must_close(p[0]);
    CHECK_EQ(sys_read(r2, scratch, 100), 7);
    int pid = must_fork();
    if (pid == 0) {
        must_close(r2);
        sys_sleep(1);
        write_all(w2, "child", 5);
        sys_exit(0);
    }
    must_close(w2);
    CHECK_EQ(sys_read(r2, scratch, 100), 5);
    CHECK_EQ(sys_read(r2, scratch, 100), 0);
    CHECK_EQ(reap(pid), 0);
}

/* Odd sizes on both sides, far more bytes than fit, checked by position. */
static void transfer(int write_size, int read_size, int total) {
    int p[2];
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        must_close(p[0]);
        for (int done = 0; done < total;) {
            int n = total - done < write_size ? total - done : write_size;
            for (int i = 0; i < n; i++)
                scratch[i] = (done + i) * 2654435761u >> 13;
            write_all(p[1], scratch, n);
            done += n;
        }
        sys_exit(0);
    }
    must_close(p[1]);
    int done = 0, r;
    while ((r = sys_read(p[0], scratch2, read_size)) > 0) {
        CHECK(r <= read_size);
        for (int i = 0; i < r; i++)
            CHECK_MSG(scratch2[i] == (unsigned char)((done + i) * 2654435761u >> 13),
                      "byte %d is wrong (writes of %d, reads of %d)", done + i, write_size,
                      read_size);
        done += r;
    }
    CHECK_EQ(r, 0);
    CHECK_EQ(done, total);
    CHECK_EQ(reap(pid), 0);
    must_close(p[0]);
}

static void transfers(void) {
    static const int sizes[] = {1, 13, 512, 4097, 65536};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (unsigned k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
            transfer(sizes[i], sizes[k], sizes[i] < 100 || sizes[k] < 100 ? 2000 : 150000);
}

/* Several writers: records of one write each, small enough to be whole. */
static void several_writers(void) {
    enum { WRITERS = 5, RECORDS = 100 };
    struct record {
        int writer, number, filler[6];
    } rec;
    int p[2], next[WRITERS] = {0};
    must_pipe(p);
    for (int w = 0; w < WRITERS; w++) {
        if (must_fork() == 0) {
            for (int i = 0; i < RECORDS; i++) {
                rec = (struct record){w, i, {w * i, 0, 0, 0, 0, w + i}};
                write_all(p[1], &rec, sizeof(rec));
            }
            sys_exit(0);
        }
    }
    must_close(p[1]);
    for (int n = 0; n < WRITERS * RECORDS; n++) {
        read_all(p[0], &rec, sizeof(rec));
        CHECK(rec.writer >= 0 && rec.writer < WRITERS);
        CHECK_EQ(rec.number, next[rec.writer]++);
        CHECK_EQ(rec.filler[0], rec.writer * rec.number);
        CHECK_EQ(rec.filler[5], rec.writer + rec.number);
    }
    CHECK_EQ(sys_read(p[0], &rec, 1), 0);
    reap_all(WRITERS, 0);
}

/* Several readers: each byte reaches one of them. */
static void several_readers(void) {
    enum { READERS = 4, TOTAL = 40000 };
    int p[2], sums[2];
    must_pipe(p);
    must_pipe(sums);
    for (int r = 0; r < READERS; r++) {
        if (must_fork() == 0) {
            int sum[2] = {0, 0}, n;
            must_close(p[1]);
            while ((n = sys_read(p[0], scratch, 100 + 300 * r)) > 0) {
                for (int i = 0; i < n; i++)
                    sum[1] += scratch[i];
                sum[0] += n;
            }
            write_all(sums[1], sum, sizeof(sum));
            sys_exit(0);
        }
    }
    int want = 0, got[2] = {0, 0}, sum[2];
    fill(scratch, TOTAL, 3);
    for (int i = 0; i < TOTAL; i++)
        want += scratch[i];
    for (int i = 0; i < TOTAL; i += 1000)
        write_all(p[1], scratch + i, 1000);
    must_close(p[1]);
    for (int r = 0; r < READERS; r++) {
        read_all(sums[0], sum, sizeof(sum));
        got[0] += sum[0];
        got[1] += sum[1];
    }
    CHECK_EQ(got[0], TOTAL);
    CHECK_EQ(got[1], want);
    reap_all(READERS, 0);
}

/* A writer that waits in a full pipe learns that its reader has gone. */
static void reader_leaves(void) {
    int p[2];
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        must_close(p[0]);
        int r;
        do
            r = sys_write(p[1], scratch, sizeof(scratch));
        while (r == (int)sizeof(scratch));
        sys_exit(r < (int)sizeof(scratch) && sys_write(p[1], scratch, 1) == -1 ? 5 : 1);
    }
    must_close(p[1]);
    CHECK(sys_read(p[0], scratch, 10) > 0);
    WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
    must_close(p[0]);
    CHECK_EQ(reap(pid), 5);
}

/* A reader that waits learns that the last writer was killed. */
static void writer_killed(void) {
    int p[2];
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        sys_sleep(100000);
        sys_exit(0);
    }
    int killer = must_fork();
    if (killer == 0) {
        must_close(p[0]);
        must_close(p[1]);
        sys_sleep(1);
        sys_exit(sys_kill(pid) == 0 ? 0 : 1);
    }
    must_close(p[1]);
    CHECK_EQ(sys_read(p[0], scratch, 1), 0);
    int status = 0;
    CHECK(sys_wait(&status) > 0);
    CHECK(status == 0 || status == KILLED);
    CHECK(sys_wait(&status) > 0);
    CHECK(status == 0 || status == KILLED);
}

/* When a process has all the files that it can have: pipe takes two or none. */
static void descriptor_limit(void) {
    static int fds[ABI_NOFILE];
    int p[2] = {-7, -7}, fd, n = 0;
    while ((fd = sys_open("/", ABI_O_RDONLY)) >= 0)
        fds[n++] = fd;
    CHECK(n > 2);
    CHECK_EQ(sys_pipe(p), -1);
    must_close(fds[n - 1]);
    CHECK_EQ(sys_pipe(p), -1);
    CHECK_EQ(sys_open("/", ABI_O_RDONLY), fds[n - 1]);
    must_close(fds[n - 1]);
    must_close(fds[n - 2]);
    must_pipe(p);
    CHECK(p[0] + p[1] == fds[n - 1] + fds[n - 2]);
}

/* Bytes moved before a bad page count; the rest stays in the pipe. */
static void bad_pointer_keeps_bytes(void) {
    int p[2];
    must_pipe(p);
    write_all(p[1], "12345", 5);
    CHECK_EQ(sys_read(p[0], opaque(DIRECT_MAP), 5), -1);
    CHECK_EQ(sys_read(p[0], opaque(0), 5), -1);
    CHECK_EQ(sys_read(p[0], scratch, 100), 5);
    CHECK(memcmp(scratch, "12345", 5) == 0);
    CHECK_EQ(sys_write(p[1], opaque(DIRECT_MAP), 5), -1);
    write_all(p[1], "6", 1);
    CHECK_EQ(sys_read(p[0], scratch, 100), 1);
    CHECK_EQ(scratch[0], '6');
}

/* Pipes hold memory; without any left, pipe is -1, and a descriptor is not lost. */
static void without_memory(void) {
    int p[2], lowest = sys_dup(0);
    must_close(lowest);
    uint64_t got = take_all_memory();
    for (int i = 0; i < 5; i++) {
        if (sys_pipe(p) == 0) {
            write_all(p[1], "ok", 2);
            CHECK_EQ(sys_read(p[0], scratch, 2), 2);
            must_close(p[0]);
            must_close(p[1]);
        }
        CHECK_EQ(sys_dup(0), lowest);
        must_close(lowest);
    }
    give_back(got);
    must_pipe(p);
    write_all(p[1], "ok", 2);
}

static void opened_and_closed(void) {
    struct abi_sysinfo before, after;
    int p[2];
    for (int i = 0; i < 300; i++) {
        if (i == 5)
            must_info(&before);
        must_pipe(p);
        write_all(p[1], "bytes that nobody reads", 23);
        must_close(p[i % 2]);
        must_close(p[1 - i % 2]);
    }
    must_info(&after);
    CHECK_EQ(after.frames_free, before.frames_free);
    CHECK_EQ(after.frames_committed, before.frames_committed);
    CHECK_EQ(after.files_open, before.files_open);
}

const struct test pipe_tests[] = {
    {"pipe_bytes_in_order", bytes_in_order, false},
    {"pipe_wrong_ends", wrong_ends, false},
    {"pipe_end_of_file", end_of_file, false},
    {"pipe_no_reader", no_reader, false},
    {"pipe_duplicated_ends", duplicated_ends, false},
    {"pipe_transfers", transfers, false},
    {"pipe_several_writers", several_writers, false},
    {"pipe_several_readers", several_readers, false},
    {"pipe_reader_leaves", reader_leaves, false},
    {"pipe_writer_killed", writer_killed, false},
    {"pipe_descriptor_limit", descriptor_limit, false},
    {"pipe_bad_pointer_keeps_bytes", bad_pointer_keeps_bytes, false},
    {"pipe_without_memory", without_memory, false},
    {"pipe_opened_and_closed", opened_and_closed, false},
    {0},
};
