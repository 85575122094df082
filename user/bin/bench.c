/* Measures what operations cost: one line "KEY INSTRUCTIONS NANOSECONDS" for each.
 *
 *     bench          all operations
 *     bench KEY...   these alone
 *
 * Only xv6's system calls are used, but for mapped files and threads, so that one source measures
 * both: see bench.h. How it is counted: benchcount.h. Operations on files: benchfiles.h; on
 * signals: benchsignals.h; on threads: benchthreads.h; on the memory of threads: benchspace.h. */
#define FAULT_PAGES 64
#include "benchfiles.h"
#ifndef XV6
#include "benchsignals.h"
#include "benchspace.h"
#include "benchthreads.h"
#endif

#define MISSING_LENGTH 100
#define GROW_BYTES (8 * MIB)

/* ---- system calls and copies ---------------------------------------------------- */

static void one_getpid(void) { getpid(); }

static char missing[MISSING_LENGTH + 1];

static void begin_missing(void) {
    for (int i = 0; i < MISSING_LENGTH; i++)
        missing[i] = 'm';
}

static void one_missing(void) { need(open(missing, O_RDONLY) < 0, "open of a missing file"); }

static int own[2]; /* a pipe to ourselves */

static void begin_own(void) { make_pipe(own); }
static void end_own(void) { close_pipe(own); }

static void one_pipe_byte(void) {
    char c = 'x';
    must_write(own[1], &c, 1);
    must_read(own[0], &c, 1);
}

static void one_byte_in(void) {
    char c = 'x';
    must_write(own[1], &c, 1);
    pause_count();
    must_read(own[0], &c, 1);
    resume_count();
}

static void one_byte_out(void) {
    char c = 'x';
    pause_count();
    must_write(own[1], &c, 1);
    resume_count();
    must_read(own[0], &c, 1);
}

#define COPY_BYTES 65536

static void begin_copy(void) {
    grow(PIPE_ROOM);
    touch_heap(PIPE_ROOM);
    make_pipe(own);
}

static void end_copy(void) {
    close_pipe(own);
    give_back(PIPE_ROOM);
}

static void one_copy_in(void) {
    for (int i = 0; i < COPY_BYTES / PIPE_ROOM; i++) {
        must_write(own[1], heap, PIPE_ROOM);
        pause_count();
        must_read(own[0], heap, PIPE_ROOM);
        resume_count();
    }
}

static void one_copy_out(void) {
    for (int i = 0; i < COPY_BYTES / PIPE_ROOM; i++) {
        pause_count();
        must_write(own[1], heap, PIPE_ROOM);
        resume_count();
        must_read(own[0], heap, PIPE_ROOM);
    }
}

/* ---- pipes between two processes ----------------------------------------------------- */

static int there[2], back[2];

/* The child reads what the parent writes, in pieces as large as the parent's. */
static void begin_stream(int bytes) {
    grow(bytes);
    touch_heap(bytes);
    make_pipe(there);
    if (must_fork() == 0) {
        close(there[1]);
        while (read(there[0], heap, bytes) > 0)
            continue;
        exit(0);
    }
    close(there[0]);
}

static void end_stream(int bytes) {
    close(there[1]);
    must_wait();
    give_back(bytes);
}

static void begin_stream_512(void) { begin_stream(512); }
static void begin_stream_4k(void) { begin_stream(4096); }
static void begin_stream_64k(void) { begin_stream(65536); }
static void one_stream_512(void) { must_write(there[1], heap, 512); }
static void one_stream_4k(void) { must_write(there[1], heap, 4096); }
static void one_stream_64k(void) { must_write(there[1], heap, 65536); }
static void end_stream_512(void) { end_stream(512); }
static void end_stream_4k(void) { end_stream(4096); }
static void end_stream_64k(void) { end_stream(65536); }

static void begin_pingpong(void) {
    char c;
    make_pipe(there);
    make_pipe(back);
    if (must_fork() == 0) {
        close(there[1]);
        while (read(there[0], &c, 1) == 1)
            must_write(back[1], &c, 1);
        exit(0);
    }
    close(there[0]);
}

static void one_pingpong(void) {
    char c = 'x';
    must_write(there[1], &c, 1);
    must_read(back[0], &c, 1);
}

static void end_pingpong(void) {
    close(there[1]);
    must_wait();
    close_pipe(back);
}

/* ---- processes --------------------------------------------------------------------- */

static void one_fork(void) {
    if (must_fork() == 0)
        exit(0);
    must_wait();
}

/* Memory that was granted and touched page by page, so that it lies in pages of
 * 4 KiB whatever the kernel does with large ones. */
static void begin_scattered(int bytes) {
    char *first = sbrk(0);
    for (int i = 0; i < bytes; i += PAGE)
        begin_touched(PAGE);
    heap = first;
}

static void begin_1m(void) { begin_touched(MIB); }
static void begin_8m(void) { begin_touched(8 * MIB); }
static void begin_32m(void) { begin_touched(32 * MIB); }
static void begin_scattered_8m(void) { begin_scattered(8 * MIB); }
static void end_1m(void) { give_back(MIB); }
static void end_8m(void) { give_back(8 * MIB); }
static void end_32m(void) { give_back(32 * MIB); }

static void one_exec(void) {
    char *argv[] = {"true", 0};
    if (must_fork() == 0) {
        exec(IN_BIN "true", argv);
        exit(1);
    }
    must_wait();
}

/* ---- memory ------------------------------------------------------------------------ */

static void one_grow(void) {
    grow(GROW_BYTES);
    touch_heap(GROW_BYTES);
    give_back(GROW_BYTES);
}

static void one_grow_page(void) {
    grow(PAGE);
    touch(heap);
    give_back(PAGE);
}

static void one_fault_zero(void) {
    pause_count();
    grow(FAULT_PAGES * PAGE);
    resume_count();
    touch_heap(FAULT_PAGES * PAGE);
    pause_count();
    give_back(FAULT_PAGES * PAGE);
    resume_count();
}

/* A child shares our pages until we have written them, and then ends. */
static void one_fault_copy(void) {
    pause_count();
    begin_touched(FAULT_PAGES * PAGE);
    begin_pingpong();
    one_pingpong();
    resume_count();
    touch_heap(FAULT_PAGES * PAGE);
    pause_count();
    end_pingpong();
    give_back(FAULT_PAGES * PAGE);
    resume_count();
}

/* The child has gone: its pages are ours alone again. */
static void one_fault_own(void) {
    pause_count();
    begin_touched(FAULT_PAGES * PAGE);
    one_fork();
    resume_count();
    touch_heap(FAULT_PAGES * PAGE);
    pause_count();
    give_back(FAULT_PAGES * PAGE);
    resume_count();
}

/* ---- what is not a matter of repeating ------------------------------------------------ */

static void count_program_pages(uint64 each[2]) {
    char *argv[] = {"benchpages", 0};
    make_pipe(there);
    if (must_fork() == 0) {
        close(1);
        need(dup(there[1]) == 1, "dup");
        close_pipe(there);
        exec(IN_TESTS "benchpages", argv);
        exit(1);
    }
    close(there[1]);
    must_read(there[0], each, 2 * sizeof(each[0]));
    close(there[0]);
    must_wait();
}

/* Counted the second time: then the disk has been read. */
static void report_program_pages(void) {
    uint64 each[2];
    count_program_pages(each);
    count_program_pages(each);
    report("page_constant", each[0], 0);
    report("page_data", each[1], 0);
}

#ifndef XV6
static void report_tables(const char *key) {
    struct abi_procinfo info;
    for (int slot = 0, r; (r = procinfo(slot, &info)) >= 0; slot++)
        if (r > 0 && info.pid == getpid())
            report(key, info.table_frames, 0);
}

/* Frames for page tables, both views, in the column of the instructions. */
static void report_all_tables(void) {
    report_tables("tables_small");
    begin_32m();
    report_tables("tables_32m");
    end_32m();
    begin_scattered(32 * MIB);
    report_tables("tables_32m_4k");
    end_32m();
}
#endif

/* ---- all together ------------------------------------------------------------------- */

struct operation {
    const char *key;
    int count;
    int parts; /* what is reported is one part of the operation */
    void (*one)(void);
    void (*begin)(void), (*end)(void);
};

static const struct operation operations[] = {
    {"getpid", 1000, 1, one_getpid, 0, 0},
    {"byte_in", 100, 1, one_byte_in, begin_own, end_own},
    {"byte_out", 100, 1, one_byte_out, begin_own, end_own},
    {"copy_in_64k", 10, 1, one_copy_in, begin_copy, end_copy},
    {"copy_out_64k", 10, 1, one_copy_out, begin_copy, end_copy},
    {"open_missing", 100, 1, one_missing, begin_missing, 0},
    {"pipe_self", 200, 1, one_pipe_byte, begin_own, end_own},
    {"pipe_512", 512, 1, one_stream_512, begin_stream_512, end_stream_512},
    {"pipe_4k", 128, 1, one_stream_4k, begin_stream_4k, end_stream_4k},
    {"pipe_64k", 16, 1, one_stream_64k, begin_stream_64k, end_stream_64k},
    {"pingpong", 200, 1, one_pingpong, begin_pingpong, end_pingpong},
    {"fork", 20, 1, one_fork, 0, 0},
    {"fork_1m", 10, 1, one_fork, begin_1m, end_1m},
    {"fork_8m", 5, 1, one_fork, begin_8m, end_8m},
    {"fork_32m", 3, 1, one_fork, begin_32m, end_32m},
    {"fork_8m_4k", 5, 1, one_fork, begin_scattered_8m, end_8m},
    {"exec", 20, 1, one_exec, 0, 0},
    {"grow_8m", 3, 1, one_grow, 0, 0},
    {"grow_page", 50, 1, one_grow_page, 0, 0},
    {"fault_zero", 5, FAULT_PAGES, one_fault_zero, 0, 0},
    {"fault_copy", 5, FAULT_PAGES, one_fault_copy, 0, 0},
    {"fault_own", 5, FAULT_PAGES, one_fault_own, 0, 0},
#ifndef XV6
    {"map_64k", 20, 1, one_map, begin_map, end_map},
    {"fault_file", 20, MAP_PAGES, one_fault_file, begin_map, end_map},
    {"fault_alone", 20, 1, one_fault_alone, begin_alone, end_alone},
    {"fault_store", 5, MAP_PAGES, one_fault_store, begin_map, end_map},
#endif
    {"create_unlink", 20, 1, one_create, begin_create, end_create},
    {"create_fsync", 20, 1, one_create_durable, begin_create, end_create},
    {"write_1k", 3, 1, one_write_short, begin_write, end_write},
    {"write_200k", 5, 1, one_write_long, begin_write, end_write},
    {"read_1k", 10, 1, one_read_short, begin_read, end_read},
    {"read_200k", 10, 1, one_read_long, begin_read, end_read},
    {"open_800", 100, 1, one_open_last, begin_800_names, end_names},
    {"open_10k", 100, 1, one_open_last, begin_10k_names, end_names},
#ifndef XV6
    {"signal", 100, 1, one_signal, begin_signal, end_signal},
    {"segv", 400, 1, one_fault_passed, begin_fault_passed, end_guarded},
    {"segv_protect", 400, 1, one_fault_permitted, begin_fault_permitted, end_guarded},
    {"thread", 50, 1, one_thread, 0, 0},
    {"mutex", 10, LOCK_PAIRS, one_mutex, 0, 0},
    {"mutex_awaited", 50, 1, one_contended, begin_contended, end_contended},
    {"futex", 100, 1, one_turn, begin_partner, end_partner},
    {"storm_own", 5, STORM_THREADS *STORM_PAGES, one_storm_own, 0, 0},
    {"storm_same", 5, STORM_THREADS *STORM_PAGES, one_storm_same, 0, 0},
    {"unmap", 20, FAULT_PAGES, one_unmap, begin_change, end_change},
    {"map_page", 400, 1, one_map_page, begin_change, end_change},
    {"protect", 400, 1, one_protect, begin_change, end_change},
#endif
};

static void run(const struct operation *op) {
    if (op->begin)
        op->begin();
    measure(op->one, 2); /* warms up */
    struct counts c = measure(op->one, op->count);
    if (op->end)
        op->end();
    uint64 n = op->count * op->parts;
    report(op->key, (less(c.instructions, op->count * empty_cost.instructions) + n / 2) / n,
           c.time * NS_PER_TICK / n);
}

static int wanted(const char *key, int argc, char *argv[]) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], key) == 0)
            return 1;
    return argc < 2;
}

int main(int argc, char *argv[]) {
    calibrate();
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (wanted(operations[i].key, argc, argv))
            run(&operations[i]);
    if (wanted("page_constant", argc, argv) || wanted("page_data", argc, argv))
        report_program_pages();
#ifndef XV6
    if (wanted("tables", argc, argv))
        report_all_tables();
#endif
    printf("bench: done\n");
    exit(0);
}
