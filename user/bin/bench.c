/* Measures what operations cost: one line "KEY INSTRUCTIONS NANOSECONDS" for each.
 *
 *     bench          all operations
 *     bench KEY...   these alone
 *
 * The counters are the machine's own. In QEMU with -icount shift=0 instret counts
 * guest instructions and time is no measure; without it, instret counts the host's
 * ticks and time is the host's. tools/bench.py does both.
 *
 * An operation is done some times to warm up, then count times, and the mean is
 * printed, less what an empty operation costs. What prepares or tidies up stands
 * between pause_count() and resume_count() and is not counted. Under -icount the instruction
 * counter goes on with the host's clock while a hart waits for the disk, so the time
 * that harts have waited is taken off, where the kernel tells it (Trellis does).
 *
 * Only xv6's system calls are used, so that one source measures both: see bench.h. */
#include "bench.h"

#define MISSING_LENGTH 100
#define FILE_BYTES (200 * 1024)
#define SHORT_CALL 1024
#define FAULT_PAGES 64
#define GROW_BYTES (8 * MIB)
#define NS_PER_TICK 100 /* the time counter of QEMU's virt: 10 MHz */

static void die(const char *what) {
    printf("bench: %s failed\n", what);
    exit(1);
}

static void need(int ok, const char *what) {
    if (!ok)
        die(what);
}

/* ---- counting ------------------------------------------------------------------ */

struct counts {
    uint64 instructions, time, idle;
};

static struct counts sum, since;
static uint64 pauses; /* in the running measurement */
static uint64 instructions_per_tick;

/* What a pause, and what an empty operation costs; measured first. */
static struct counts pause_cost, empty_cost;

static uint64 idle_time(void) {
#ifdef XV6
    return 0; /* its harts spin */
#else
    struct abi_sysinfo info;
    need(sysinfo(&info) == 0, "sysinfo");
    return info.idle;
#endif
}

static void resume_count(void) {
    since.idle = idle_time();
    since.time = counter_time();
    since.instructions = counter_instructions();
}

static void pause_count(void) {
    uint64 instructions = counter_instructions(), time = counter_time();
    sum.instructions += instructions - since.instructions;
    sum.time += time - since.time;
    sum.idle += idle_time() - since.idle;
    pauses++;
}

static uint64 less(uint64 a, uint64 b) { return a > b ? a - b : 0; }

/* The counts of n calls of one(). */
static struct counts measure(void (*one)(void), int n) {
    sum.instructions = sum.time = sum.idle = pauses = 0;
    resume_count();
    for (int i = 0; i < n; i++)
        one();
    pause_count();
    struct counts c = sum;
    c.instructions = less(c.instructions, c.idle * instructions_per_tick);
    c.instructions = less(c.instructions, pauses * pause_cost.instructions);
    c.time = less(c.time, pauses * pause_cost.time);
    return c;
}

static void nothing(void) { __asm__ volatile(""); }

static void only_pause(void) {
    pause_count();
    resume_count();
}

static void calibrate(void) {
    struct counts c = measure(nothing, 100000);
    instructions_per_tick = c.instructions / c.time;
    measure(only_pause, 10);
    pause_cost = measure(only_pause, 100);
    pause_cost.instructions /= pauses;
    pause_cost.time /= pauses;
    empty_cost = measure(nothing, 1000);
    empty_cost.instructions /= 1000;
}

/* xv6's printf has no 64-bit conversion that all versions know. */
static char *decimal(uint64 n, char text[24]) {
    char *p = text + 23;
    *p = 0;
    do
        *--p = '0' + n % 10;
    while (n /= 10);
    return p;
}

static void report(const char *key, uint64 instructions, uint64 ns) {
    char a[24], b[24];
    printf("%s %s %s\n", key, decimal(instructions, a), decimal(ns, b));
}

/* ---- memory and processes that operations use ------------------------------------ */

static char *heap; /* what grow() got last */

static void grow(int bytes) {
    heap = sbrk(bytes);
    need(heap != (char *)-1, "sbrk");
}

static void touch_heap(int bytes) {
    for (int i = 0; i < bytes; i += PAGE)
        touch(heap + i);
}

static void give_back(int bytes) { need(sbrk(-bytes) != (char *)-1, "sbrk"); }

static void make_pipe(int fd[2]) { need(pipe(fd) == 0, "pipe"); }

static void close_pipe(int fd[2]) {
    close(fd[0]);
    close(fd[1]);
}

static int must_fork(void) {
    int pid = fork();
    need(pid >= 0, "fork");
    return pid;
}

static void must_wait(void) {
    int status;
    need(wait(&status) > 0 && status == 0, "a child");
}

static void must_read(int fd, void *p, int n) {
    for (int done = 0, got; done < n; done += got) {
        got = read(fd, (char *)p + done, n - done);
        need(got > 0, "read");
    }
}

static void must_write(int fd, const void *p, int n) { need(write(fd, p, n) == n, "write"); }

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

static void begin_touched(int bytes) {
    grow(bytes);
    touch_heap(bytes);
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

/* ---- files ------------------------------------------------------------------------- */

static void create(int durable) {
    int fd = open("bench.tmp", O_CREAT | O_RDWR);
    need(fd >= 0, "open");
    must_write(fd, heap, SHORT_CALL);
    if (durable)
        need(fsync(fd) == 0, "fsync");
    close(fd);
    need(unlink("bench.tmp") == 0, "unlink");
}

static void one_create(void) { create(0); }
static void one_create_durable(void) { create(1); }

static void begin_create(void) { begin_touched(SHORT_CALL); }
static void end_create(void) { give_back(SHORT_CALL); }

static void write_file(int bytes) {
    int fd = open("bench.tmp", O_CREAT | O_RDWR);
    need(fd >= 0, "open");
    for (int done = 0; done < FILE_BYTES; done += bytes)
        must_write(fd, heap + done, bytes);
    close(fd);
}

static void read_file(int bytes) {
    int fd = open("bench.tmp", O_RDONLY);
    need(fd >= 0, "open");
    for (int done = 0; done < FILE_BYTES; done += bytes)
        must_read(fd, heap + done, bytes);
    close(fd);
}

static void remove_file(void) {
    pause_count();
    need(unlink("bench.tmp") == 0, "unlink");
    resume_count();
}

static void one_write_short(void) {
    write_file(SHORT_CALL);
    remove_file();
}

static void one_write_long(void) {
    write_file(FILE_BYTES);
    remove_file();
}

static void one_read_short(void) { read_file(SHORT_CALL); }
static void one_read_long(void) { read_file(FILE_BYTES); }
static void begin_write(void) { begin_touched(FILE_BYTES); }
static void end_write(void) { give_back(FILE_BYTES); }

static void begin_read(void) {
    begin_write();
    write_file(FILE_BYTES);
}

static void end_read(void) {
    need(unlink("bench.tmp") == 0, "unlink");
    end_write();
}

/* ---- mapped files, of which all is in memory; one file for all rounds. xv6 has none. */

#ifndef XV6
#define MAP_PAGES 16

static int mapped_file;
static char *mapped;

static void begin_map(void) {
    begin_touched(MAP_PAGES * PAGE);
    mapped_file = open("bench.tmp", O_CREAT | O_RDWR);
    need(mapped_file >= 0, "open");
    for (int i = 0; i < MAP_PAGES; i++)
        must_write(mapped_file, heap + i * PAGE, PAGE);
    give_back(MAP_PAGES * PAGE);
}

static void end_map(void) {
    close(mapped_file);
    need(unlink("bench.tmp") == 0, "unlink");
}

static void map_file(int prot) {
    mapped = mmap(0, MAP_PAGES * PAGE, prot, MAP_SHARED, mapped_file, 0);
    need(mapped != MAP_FAILED, "mmap");
}

static void unmap_file(void) { need(munmap(mapped, MAP_PAGES * PAGE) == 0, "munmap"); }

static void read_mapped(void) {
    for (int i = 0; i < MAP_PAGES; i++)
        (void)*(volatile char *)(mapped + i * PAGE);
}

static void one_map(void) {
    map_file(PROT_READ);
    read_mapped();
    unmap_file();
}

static void one_fault_file(void) {
    pause_count();
    map_file(PROT_READ);
    resume_count();
    read_mapped();
    pause_count();
    unmap_file();
    resume_count();
}

/* Pages that are on the disk, and have been read. */
static void one_fault_store(void) {
    pause_count();
    map_file(PROT_READ | PROT_WRITE);
    read_mapped();
    resume_count();
    for (int i = 0; i < MAP_PAGES; i++)
        *(volatile char *)(mapped + i * PAGE) = 1;
    pause_count();
    unmap_file();
    need(fsync(mapped_file) == 0, "fsync");
    resume_count();
}
#endif

/* ---- a directory of many names, all of one file. Its last is opened: the first time
 * somebody must look through all of them, later not. */

#define NAME_LENGTH 24

static char last_name[NAME_LENGTH];
static int names;

static void set_last_name(int k) {
    strcpy(last_name, "bench.d/name00000");
    for (char *p = last_name + strlen(last_name) - 1; k > 0; p--, k /= 10)
        *p = '0' + k % 10;
}

static void begin_names(int n) {
    need(mkdir("bench.d") == 0, "mkdir");
    set_last_name(0);
    int fd = open(last_name, O_CREAT | O_RDWR);
    need(fd >= 0, "open");
    close(fd);
    for (names = 1; names < n; names++) {
        set_last_name(names);
        need(link("bench.d/name00000", last_name) == 0, "link");
    }
}

static void begin_800_names(void) { begin_names(800); }
static void begin_10k_names(void) { begin_names(10000); }

static void one_open_last(void) {
    int fd = open(last_name, O_RDONLY);
    need(fd >= 0, "open");
    close(fd);
}

static void end_names(void) {
    while (names > 0) {
        set_last_name(--names);
        need(unlink(last_name) == 0, "unlink");
    }
    need(unlink("bench.d") == 0, "unlink");
}

/* ---- what is not a matter of repeating ------------------------------------------------ */

static void report_program_pages(void) {
    uint64 each[2];
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
    must_read(there[0], each, sizeof(each));
    close(there[0]);
    must_wait();
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
