/* What /proc says of the machine. */
#include "arch/cpu.h"
#include "arch/hart.h"
#include "arch/layout.h"
#include "mm/frame.h"
#include "proc/clock.h"
#include "proc/proc.h"
#include "proc/sched.h"
#include "procfs/contents.h"

#define SECOND 1000000000UL
#define CENTISECOND (SECOND / 100)

static uint64_t kib(uint64_t frames) { return frames * (PAGE_SIZE / 1024); }

static int meminfo(struct text *t, int32_t pid, int32_t tid) {
    struct frame_stats f;
    frame_stats(&f);
    const struct {
        const char *name;
        uint64_t frames;
    } lines[] = {
        {"MemTotal", f.total},
        {"MemFree", f.free},
        {"MemAvailable", f.free + f.cached},
        {"Buffers", 0},
        {"Cached", f.cached},
        {"SwapCached", 0},
        {"SwapTotal", 0},
        {"SwapFree", 0},
        {"Shmem", 0},
        {"CommitLimit", f.total},
        {"Committed_AS", f.committed},
    };
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++)
        text_print(t, "%s: %lu kB\n", lines[i].name, (unsigned long)kib(lines[i].frames));
    return 0;
}

static int cpuinfo(struct text *t, int32_t pid, int32_t tid) {
    for (uint32_t i = 0; i < hart_count; i++)
        text_print(t, "processor\t: %u\nhart\t\t: %lu\nisa\t\t: rv64imafdc\nmmu\t\t: sv%u\n\n", i,
                   (unsigned long)harts[i].hartid, 12 + 9 * paging.levels);
    return 0;
}

static uint64_t idle_centiseconds(void) {
    return clock_microseconds(sched_idle_time()) * 1000 / CENTISECOND;
}

static uint32_t processes_in(enum abi_procstate state) {
    struct abi_procinfo info;
    uint32_t n = 0;
    for (uint32_t slot = 0; slot < proc_slots; slot++)
        n += !proc_info(slot, &info) && info.state == (uint32_t)state;
    return n;
}

/* All that is not idle counts as a program's own. */
static int stat(struct text *t, int32_t pid, int32_t tid) {
    uint64_t now = clock_nanoseconds(), all = now / CENTISECOND * hart_count;
    uint64_t idle = MIN(idle_centiseconds(), all);
    text_print(t, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", (unsigned long)(all - idle),
               (unsigned long)idle);
    for (uint32_t i = 0; i < hart_count; i++)
        text_print(t, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", i,
                   (unsigned long)((all - idle) / hart_count), (unsigned long)(idle / hart_count));
    text_print(t, "intr 0\nctxt 0\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
               (unsigned long)((clock_date() - now) / SECOND), proc_count(),
               processes_in(ABI_P_RUNNING) + processes_in(ABI_P_RUNNABLE));
    return 0;
}

static int uptime(struct text *t, int32_t pid, int32_t tid) {
    uint64_t now = clock_nanoseconds() / CENTISECOND, idle = idle_centiseconds();
    text_print(t, "%lu.%02lu %lu.%02lu\n", (unsigned long)(now / 100), (unsigned long)(now % 100),
               (unsigned long)(idle / 100), (unsigned long)(idle % 100));
    return 0;
}

/* No average is kept. */
static int loadavg(struct text *t, int32_t pid, int32_t tid) {
    text_print(t, "0.00 0.00 0.00 %u/%u %d\n", processes_in(ABI_P_RUNNING), proc_count(),
               proc_self()->pid);
    return 0;
}

static int version(struct text *t, int32_t pid, int32_t tid) {
    text_print(t, "Linux version 6.6.0-trellis (Trellis)\n");
    return 0;
}

const struct contents system_contents[] = {
    {"meminfo", meminfo},    {"cpuinfo", cpuinfo},
    {"stat", stat},          {"uptime", uptime},
    {"loadavg", loadavg},    {"version", version},
    {"mounts", mounts_text}, {"filesystems", filesystems_text},
};
const unsigned system_contents_count = ARRAY_LEN(system_contents);
