/* From the first C function to the first process. */
#include "arch/made.h"
#include "arch/sbi.h"
#include "arch/timer.h"
#include "arch/cpu.h"
#include "dev/bootargs.h"
#include "dev/dev.h"
#include "dev/fdt.h"
#include "dev/isa.h"
#include "dev/random.h"
#include "fs/fs.h"
#include "fs/log.h"
#include "init/memory.h"
#include "init/root.h"
#include "init/selftest.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/vmprint.h"
#include "mm/sigpage.h"
#include "mm/zeros.h"
#include "proc/clock.h"
#include "proc/group.h"
#include "proc/ids.h"
#include "proc/sched.h"
#include "pty/pty.h"
#include "socket/socket.h"
#include "syscall/exec.h"
#include "tmpfs/tmpfs.h"
#include "trap/panic.h"
#include "trap/trap.h"
#include "vfs/blockfile.h"
#include "vfs/ttyfile.h"

void kernel_main(uint64_t hartid, uint64_t fdt);
void kernel_main_secondary(void);

#define FDT_MAX MIB(1)
#define RAM_MIN MIB(32)

static unsigned asid_limit = 16;
static bool trace_linux;     /* boot argument trace=linux */
static uint32_t harts_ready; /* harts besides the first that wait for boot_done */
static bool boot_done;
static uint64_t began; /* cpu_time */
static uint64_t timebase_hz;

static void early_console(void *ctx, const char *text, size_t n) { sbi_console_write(text, n); }

/* ---- harts ------------------------------------------------------------------- */

/* Floating point needs D on every hart, since any may run any process. */
static void look_for_fpu(fdt_node cpu, uint64_t hartid) {
    if (thread_fpu_present && !isa_has(cpu, "d")) {
        thread_fpu_present = false;
        if (!boot_quiet())
            kprintf("no floating point: the device tree says of hart %lu that it has no D\n",
                    (unsigned long)hartid);
    }
}

static bool usable(fdt_node cpu) {
    const char *type = fdt_string(cpu, "device_type"), *status = fdt_string(cpu, "status");
    const char *mmu = fdt_string(cpu, "mmu-type");
    return type && !strcmp(type, "cpu") && (!status || !strcmp(status, "okay")) && mmu &&
           !strncmp(mmu, "riscv,sv", 8);
}

static void leave_out(uint64_t hartid, const char *why) {
    kprintf("hart %lu is left out: %s\n", (unsigned long)hartid, why);
}

static void start_hart(uint64_t hartid) {
    extern char _start[];
    extern uint32_t hart_refuses; /* entry.S */
    struct hart *h = &harts[hart_count];
    h->index = hart_count;
    h->hartid = hartid;
    uint32_t ready = harts_ready;
    if (sbi_hart_start(hartid, ptr_pa(_start), 0)) {
        leave_out(hartid, "the firmware does not start it");
        return;
    }
    hart_count++;
    for (; __atomic_load_n(&harts_ready, __ATOMIC_ACQUIRE) == ready; cpu_relax())
        if (__atomic_exchange_n(&hart_refuses, 0, __ATOMIC_RELAXED)) {
            hart_count--;
            leave_out(hartid, "its page tables do not have as many levels");
            return;
        }
}

static void start_harts(void) {
    fdt_node cpus = fdt_path("/cpus");
    unsigned more = 0;
    for (fdt_node n = fdt_child(cpus); n != FDT_NONE; n = fdt_sibling(n)) {
        uint32_t id;
        if (fdt_cell(n, "reg", 0, &id) || (id != harts[0].hartid && !usable(n)))
            continue;
        if (id == harts[0].hartid || hart_count < NHART)
            look_for_fpu(n, id);
        if (id == harts[0].hartid)
            continue;
        if (hart_count == NHART)
            more++;
        else
            start_hart(id);
    }
    if (more)
        kprintf("%u hart%s left out: Trellis uses at most %d\n", more, more == 1 ? " is" : "s are",
                NHART);
}

/* A hart besides the first: waits until the kernel stands, then runs processes. */
void kernel_main_secondary(void) {
    trap_init_hart();
    hart_made_init();
    tlb_init_hart(asid_limit);
    __atomic_add_fetch(&harts_ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&boot_done, __ATOMIC_ACQUIRE))
        cpu_relax();
    tlb_fence_kernel(); /* mappings that boot has added meanwhile */
    dev_init_hart();
    sched_idle();
}

/* ---- the first process --------------------------------------------------------- */

static void give_up(const char *what, const char *why) {
    kprintf("Trellis: %s: %s\n", what, why);
    machine_poweroff(1);
}

static unsigned long milliseconds(uint64_t time) { return time * 1000 / timebase_hz; }

static void first_process(void) {
    const char *what, *why = "";
    if (root_mount(&what, &why))
        give_up(what, why);
    const char *command = bootargs_command();
    const char *argv[] = {"/init", command ? "-c" : NULL, command, NULL};
    if (exec_kernel("/init", argv))
        give_up("cannot run /init", "it is missing or no program for this machine");
    /* In debug builds: now that the first program is there, promises of memory fail. */
    if (DEBUG && bootarg_number("fail_commit", &frame_fail_period))
        frame_fail_period = 0;
    uint64_t first;
    if (!bootarg_number("first_id", &first) && first <= ID_LAST)
        id_begin_at((int32_t)first);
    if (fs_mounted() && proc_spawn_kernel("flusher", fs_flusher))
        give_up("there is no room for the process that writes to the disk", "no memory is left");
    selftest_in_process();
    if (!boot_quiet()) {
        vmprint(&proc_self()->as->user);
        kprintf("Trellis: /init runs, %lu ms after the kernel began (idle harts: %lu ms)\n",
                milliseconds(cpu_time() - began), milliseconds(sched_idle_time()));
    }
}

void proc_first_ended(int32_t status) {
    kprintf("Trellis: /init has ended with status %d\n", status);
    fs_quiesce();
    machine_poweroff(status ? status : 1);
}

/* ---- boot ------------------------------------------------------------------------ */

#define DEFAULT_DESIGN "share" /* README.md says why */

static void choose_design(void) {
    char name[ABI_DESIGN_SIZE] = DEFAULT_DESIGN;
    bool asked = bootarg("design", name, sizeof(name));
    design_default = design_named(name);
    if (asked && !design_default)
        panic("design=%s: there is no such design", name);
}

/* ---- paging ---- */

static const char *const paging_names[] = {[3] = "sv39", [4] = "sv48", [5] = "sv57"};

static unsigned paging_wanted(void) {
    char name[16] = "sv39";
    bootarg("paging", name, sizeof(name));
    for (unsigned levels = 3; levels < ARRAY_LEN(paging_names); levels++)
        if (!strcmp(name, paging_names[levels]))
            return levels;
    panic("paging=%s: there are sv39, sv48 and sv57", name);
}

static void set_up_paging(void) {
    kmap_init(paging_wanted());
    if (!tlb_load_first(kernel_satp))
        panic("paging=%s: this hart's page tables do not have %u levels",
              paging_names[paging.levels], paging.levels);
}

/* Whether an option has this value; without it, it has the usual one. Another value is the end: who
 * asked for what there is not would take the usual for it, and nobody sees the boot of `./run -c`.
 */
static bool asked_for(const char *option, const char *special, const char *usual) {
    char value[16];
    if (!bootarg(option, value, sizeof(value)) || !strcmp(value, usual))
        return false;
    if (strcmp(value, special))
        panic("%s=%s: there are %s and %s", option, value, usual, special);
    return true;
}

static void read_options(void) {
    char value[16];
    panic_powers_off = bootarg("panic", value, sizeof(value)) && !strcmp(value, "exit");
    bool traced = bootarg("trace", value, sizeof(value));
    proc_trace_exits = traced && !strcmp(value, "exit");
    proc_trace_poweroff = traced && !strcmp(value, "poweroff");
    trace_linux = traced && !strcmp(value, "linux");
    commit_lazy = asked_for("commit", "lazy", "strict");
    log_sync_always = asked_for("sync", "always", "delayed");
    uint64_t bits;
    if (!bootarg_number("asid", &bits))
        asid_limit = (unsigned)MIN(bits, (uint64_t)16);
}

static void greet(uint64_t ram) {
    kprintf("Trellis %s: %u hart%s, %lu MiB of RAM, %u bits of ASID\n", design_default->name,
            hart_count, hart_count == 1 ? "" : "s", (unsigned long)(ram >> 20), tlb_asid_bits());
}

static void read_timebase(void) {
    uint32_t hz = 0;
    if (fdt_cell(fdt_path("/cpus"), "timebase-frequency", 0, &hz) || hz < 1000)
        panic("the device tree does not say how fast the time counter is");
    timebase_hz = hz;
}

void kernel_main(uint64_t hartid, uint64_t fdt) {
    harts[0].hartid = hartid;
    hart_count = 1;
    kprintf_set_sink(early_console, NULL);
    trap_init_hart();
    bool have_time = timer_probe();
    began = have_time ? cpu_time() : 0;
    if (fdt_init(pa_ptr(PA(fdt)), FDT_MAX))
        panic("the firmware gave no device tree at physical 0x%lx", (unsigned long)fdt);
    read_options();
    if (!have_time)
        panic("the harts have no time counter (rdtime, Zicntr), and the firmware has none for "
              "them");
    choose_design();
    uint64_t ram = memory_init(PA(fdt));
    if (ram < RAM_MIN)
        panic("the machine is too small: it has %lu MiB of RAM, Trellis needs %lu",
              (unsigned long)(ram >> 20), (unsigned long)(RAM_MIN >> 20));
    set_up_paging();
    tlb_init_hart(asid_limit);
    read_timebase();
    clock_init(timebase_hz);
    hart_made_init();
    start_harts();
    greet(ram);
    proc_init(ram);
    dev_init();
    ttyfile_boot_init();
    blockfile_boot_init();
    pty_boot_init();
    socket_boot_init();
    if (fs_boot_init(ram) || tmpfs_boot_init(ram))
        panic("the machine is too small: no memory for the file system's tables");
    kmap_boot_done();
    frame_init();
    zeros_boot_init();
    signal_page_boot_init();
    if (commit_spares(hart_count))
        panic("the machine is too small: no memory is left");
    frame_keep_reserve(RESERVE_FRAMES, proc_reserve_granted);
    uint64_t seed;
    if (!bootarg_number("random", &seed))
        random_repeat(seed);
    linux_init(trace_linux);
    selftest();
    if (proc_spawn_first(first_process))
        panic("the machine is too small: no memory for the first process");
    dev_init_hart();
    __atomic_store_n(&boot_done, true, __ATOMIC_RELEASE);
    sched_idle();
}
