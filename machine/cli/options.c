/* See options.h. */
#include "machine/cli/options.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Runs a RISC-V kernel on a strict machine that does the same in every run.\n"
    "\n"
    "    ./sim --kernel FILE [--disk FILE]    a terminal; Ctrl-A X ends the machine\n"
    "    ./sim --kernel FILE -c 'COMMANDS'    types the lines, each at a prompt (\"$ \"), and\n"
    "                                         ends at the prompt after the last\n"
    "\n"
    "    --kernel FILE     an ELF file or a flat image. One that begins at 0x80000000 starts in\n"
    "                      M-mode, as MIT's xv6 does; any other in S-mode, the machine being its\n"
    "                      firmware (SBI)\n"
    "    --mode m|s        the mode, when that is not right\n"
    "    --firmware FILE   begins in M-mode, in place of the machine's own SBI, and starts the\n"
    "                      kernel: OpenSBI's fw_dynamic, of QEMU for example\n"
    "    --disk FILE       a disk (virtio); may be given up to 8 times. What is written is not\n"
    "    --keep-disks      kept, unless this is said\n"
    "    --legacy-disk     disks speak version 1 of virtio-mmio, as older course kernels do\n"
    "    --initrd FILE     stands in memory, and the device tree says where\n"
    "    --harts N         1 to 8; default 1\n"
    "    --mem SIZE        32M to 4G; default 128M\n"
    "    --append WORDS    the kernel's arguments\n"
    "    --seed N          what hardware leaves open is chosen by it; default 1\n"
    "    --seeds A-B       runs once for each seed, and says which had findings or failed\n"
    "    --preempt D       harts go on by random priorities, which change D times, at accesses of\n"
    "                      the kernel: rare interleavings. A first run counts the accesses; with\n"
    "                      --preempt D:N there are N\n"
    "    --races           looks for accesses of two harts to memory that nothing orders\n"
    "    --limit N         ends after so many instructions\n"
    "    --until-finding   ends at the first finding\n"
    "    --fail-request N  the N-th request of the first disk fails\n"
    "    --fail-sectors A-B   requests of it for these sectors fail\n"
    "    --prompt TEXT     what -c waits for; default \"$ \"\n"
    "    --profile FILE    names the functions of the kernel that give and take pages of memory;\n"
    "                      for xv6 and Trellis the machine has one (machine/frames/profile.h)\n"
    "    --no-frames       pages that are used after they were freed, freed twice and so on are\n"
    "                      not looked for\n"
    "    --no-check NAME   without one of these checks:\n"
    "                        entries      page tables in use have entries that are none\n"
    "                        open         user mode may use the kernel's image, page tables, or\n"
    "                                     pages that are free\n"
    "                        wx           the kernel may write to code that it executes\n"
    "                        stack        a stack of the kernel at its end, or none\n"
    "                        user-memory  the kernel uses pages of user mode with SUM off\n"
    "                        marks        A and D are 0 where nobody sets them\n"
    "                        misaligned   accesses of the kernel that trap\n"
    "                        device       a disk is told an address that is no memory, or sees "
    "the\n"
    "                                     index of its ring before the entry\n"
    "                        all          of them\n"
    "    --check NAME      with it; there is also\n"
    "                        user-wx      programs may write to code that they execute\n"
    "    --marks FUNCTION  says at each call of this function of the kernel how many instructions\n"
    "                      all harts have executed: in user mode, in the kernel, in M-mode\n"
    "    --leaks           says at the end which pages were not given back, by who took them\n"
    "    --signature FILE  the memory from the kernel's begin_signature to its end_signature goes\n"
    "                      there at the end, a line of hexadecimal digits for each 4 bytes\n"
    "    --quiet           without the summary at the end\n"
    "\n"
    "    A kernel that does something strange:\n"
    "    --doctor          runs it, and says in plain words what is most likely wrong, with the\n"
    "                      place in its source: ./sim --doctor --help (docs/doctor.md)\n"
    "    --diagnose FILE   the same as records for programs, in a file (machine/doctor/doctor.h)\n"
    "    --patience N      gives up when nothing has happened for so many seconds; default 30\n"
    "\n"
    "    The power fails:\n"
    "    --cut N           before the N-th disk request is done; then the machine starts again "
    "with\n"
    "                      the disks as that left them, and its status is that of this second run\n"
    "    --cut all         runs once, and tries that before each request that writes or flushes,\n"
    "                      and at the end. Status 1: restarts failed. The seed chooses which of\n"
    "                      the sectors that were not flushed are on the disk: --cut N with the\n"
    "                      same --seed does the same again. With --keep-disks each restart\n"
    "                      leaves its disks as FILE.N\n"
    "    --append-after WORDS  the kernel's arguments in the second run; default: as in the first\n"
    "    --then 'COMMANDS' typed in the second run; default: none. In both, {} stands for the\n"
    "                      last whole line that was printed before the cut. Keys reach the second\n"
    "                      run of --cut N alone, and that without -c and --then\n"
    "\n"
    "    What hardware may do, and this machine does unless told not to:\n"
    "    --no-keep         harts forget entries of page tables when memory changes\n"
    "    --no-speculate    harts keep what they were asked for, and read nothing ahead\n"
    "    --no-stale-code   instructions that were changed are fetched anew without fence.i\n"
    "    --svadu           harts set A and D in entries; else they fault\n"
    "    --no-misaligned   misaligned accesses trap. In M-mode they do so unless --misaligned is\n"
    "    --misaligned      said; in S-mode the firmware repairs them\n"
    "    --no-sstc         there is no stimecmp\n"
    "    --asid-bits N     0 to 16; default 16\n"
    "    --levels N        of page tables at most: 3 (Sv39), 4, 5; default 5\n"
    "\n"
    "Status: what the kernel told the finisher or the firmware; 1 when it broke a rule (a\n"
    "finding); 2 for a mistake in the command line or a file; 3 when all harts wait for ever.\n";

static int complain(const char *what, const char *text) {
    fprintf(stderr, "sim: %s %s; ./sim --help lists the options\n", what, text);
    return STATUS_USAGE;
}

static int wrong(const char *name, const char *value, const char *text) {
    return complain(name, *value ? text : "needs a value");
}

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *value >= least &&
           *value <= most;
}

/* "A-B", both included; *end is one more than B. */
static bool range(const char *text, uint64_t *start, uint64_t *end) {
    char first[24];
    size_t length = strcspn(text, "-");
    if (length >= sizeof(first) || text[length] == 0)
        return false;
    memcpy(first, text, length);
    first[length] = 0;
    if (!number(first, 0, UINT64_MAX - 1, start) ||
        !number(text + length + 1, *start, UINT64_MAX - 1, end))
        return false;
    ++*end;
    return true;
}

/* "D" or "D:N" */
static bool preempt(const char *text, struct sim_options *o) {
    char first[24];
    uint64_t changes;
    size_t length = strcspn(text, ":");
    if (length >= sizeof(first))
        return false;
    memcpy(first, text, length);
    first[length] = 0;
    if (!number(first, 1, SIM_PREEMPT_MAX, &changes) ||
        (text[length] && !number(text + length + 1, 1, UINT64_MAX - 1, &o->preempt_length)))
        return false;
    o->preempt = (uint32_t)changes;
    return true;
}

static bool size(const char *text, uint64_t *bytes) {
    char *end;
    uint64_t value = strtoull(text, &end, 10), unit = 1ull << 20;
    if (*end == 'G' || *end == 'g')
        unit <<= 10;
    if (*end != 0 && strchr("GgMm", *end) != NULL)
        end++;
    *bytes = value * unit;
    return *text >= '0' && *text <= '9' && *end == 0 && value <= 4096;
}

/* An option that takes a value. -1: done; -2: there is none of this name. */
static int valued(struct cli *cli, const char *name, const char *value) {
    uint64_t n;
    if (strcmp(name, "--kernel") == 0) {
        cli->kernel = value;
    } else if (strcmp(name, "--disk") == 0) {
        if (cli->disk_count == SIM_DISKS_MAX)
            return complain(name, "was given more than 8 times");
        cli->disks[cli->disk_count++] = value;
    } else if (strcmp(name, "--initrd") == 0) {
        cli->initrd = value;
    } else if (strcmp(name, "--firmware") == 0) {
        cli->firmware = value;
    } else if (strcmp(name, "--marks") == 0) {
        cli->marks = value;
    } else if (strcmp(name, "--profile") == 0) {
        cli->profile = value;
    } else if (strcmp(name, "--signature") == 0) {
        cli->signature = value;
    } else if (strcmp(name, "--append") == 0) {
        cli->sim.append = value;
    } else if (strcmp(name, "-c") == 0) {
        cli->commands = value;
    } else if (strcmp(name, "--prompt") == 0) {
        if (*value == 0 || strlen(value) > PROMPT_BYTES || strchr(value, '\n') != NULL)
            return wrong(name, value, "is one line of at most 64 bytes");
        cli->prompt = value;
    } else if (strcmp(name, "--mode") == 0) {
        if (strcmp(value, "m") != 0 && strcmp(value, "s") != 0)
            return wrong(name, value, "is m or s");
        cli->mode_given = true;
        cli->sim.machine_mode = value[0] == 'm';
    } else if (strcmp(name, "--harts") == 0) {
        if (!number(value, 1, SIM_HARTS_MAX, &n))
            return wrong(name, value, "is a number from 1 to 8");
        cli->sim.harts = (unsigned)n;
    } else if (strcmp(name, "--mem") == 0) {
        if (!size(value, &cli->sim.ram_bytes))
            return wrong(name, value, "is a size like 128M or 2G");
    } else if (strcmp(name, "--seed") == 0) {
        if (!number(value, 0, UINT64_MAX, &cli->sim.seed))
            return wrong(name, value, "is a number");
    } else if (strcmp(name, "--seeds") == 0) {
        if (!range(value, &cli->seeds, &cli->seeds_end))
            return wrong(name, value, "is a range of seeds like 1-100");
    } else if (strcmp(name, "--preempt") == 0) {
        if (!preempt(value, &cli->sim))
            return wrong(name, value, "is a number of changes, from 1, like 2, or 2:100000");
    } else if (strcmp(name, "--limit") == 0) {
        if (!number(value, 1, UINT64_MAX, &cli->limit))
            return wrong(name, value, "is a number of instructions");
    } else if (strcmp(name, "--cut") == 0) {
        cli->cut_all = strcmp(value, "all") == 0;
        if (!cli->cut_all && !number(value, 1, UINT64_MAX, &cli->cut))
            return wrong(name, value, "is the number of a disk request, from 1, or all");
    } else if (strcmp(name, "--append-after") == 0) {
        cli->append_after = value;
    } else if (strcmp(name, "--then") == 0) {
        cli->then = value;
    } else if (strcmp(name, "--fail-request") == 0) {
        if (!number(value, 1, UINT64_MAX, &cli->failures.request))
            return wrong(name, value, "is the number of a disk request, from 1");
    } else if (strcmp(name, "--fail-sectors") == 0) {
        if (!range(value, &cli->failures.from, &cli->failures.to))
            return wrong(name, value, "is a range of sectors like 2-5");
    } else if (strcmp(name, "--check") == 0 || strcmp(name, "--no-check") == 0) {
        unsigned check = sim_check_named(value);
        if (check == 0)
            return wrong(name, value, "is one of the checks that ./sim --help lists");
        cli->sim.checks = name[2] == 'n' ? cli->sim.checks & ~check : cli->sim.checks | check;
    } else if (strcmp(name, "--diagnose") == 0) {
        cli->doctor = value;
    } else if (strcmp(name, "--patience") == 0) {
        if (!number(value, 1, 100000, &cli->patience))
            return wrong(name, value, "is a number of seconds, from 1");
    } else if (strcmp(name, "--asid-bits") == 0) {
        if (!number(value, 0, 16, &n))
            return wrong(name, value, "is a number from 0 to 16");
        cli->sim.asid_bits = (unsigned)n;
    } else if (strcmp(name, "--levels") == 0) {
        if (!number(value, 3, 5, &n))
            return wrong(name, value, "is 3, 4 or 5");
        cli->sim.levels = (unsigned)n;
    } else {
        return -2;
    }
    return -1;
}

static bool flag(struct cli *cli, const char *name) {
    struct sim_options *o = &cli->sim;
    const struct {
        const char *name;
        bool *to, value;
    } flags[] = {
        {"--keep-disks", &cli->keep_disks, true},
        {"--legacy-disk", &o->legacy_disk, true},
        {"--no-keep", &o->keep, false},
        {"--no-speculate", &o->speculate, false},
        {"--no-stale-code", &o->stale_code, false},
        {"--svadu", &o->svadu, true},
        {"--misaligned", &o->misaligned, true},
        {"--no-misaligned", &o->misaligned, false},
        {"--no-sstc", &o->sstc, false},
        {"--until-finding", &cli->until_finding, true},
        {"--no-frames", &o->frames, false},
        {"--races", &o->races, true},
        {"--leaks", &cli->leaks, true},
        {"--quiet", &cli->quiet, true},
    };
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(name, flags[i].name) == 0) {
            *flags[i].to = flags[i].value;
            cli->misaligned_given |= flags[i].to == &o->misaligned;
            return true;
        }
    return false;
}

/* What does not go together. */
static int check(const struct cli *cli) {
    bool cuts = cli->cut || cli->cut_all;
    if (cuts && cli->disk_count == 0)
        return complain("--cut", "needs a --disk");
    if (cli->failures.request + cli->failures.to > 0 && cli->disk_count == 0)
        return complain("--fail-request and --fail-sectors", "need a --disk");
    if (cuts && cli->doctor != NULL)
        return complain("--cut", "and the doctor: only one of them");
    if (cli->firmware != NULL && cli->mode_given)
        return complain("--mode", "does not go with --firmware, which begins in M-mode");
    if (cli->marks != NULL && (cuts || cli->seeds_end || cli->doctor != NULL))
        return complain("--marks", "is for one run");
    if (!cuts && cli->append_after != NULL)
        return complain("--append-after", "is for --cut");
    if (!cuts && cli->then != NULL)
        return complain("--then", "is for --cut");
    if (cli->seeds_end && (cuts || cli->keep_disks || cli->leaks))
        return complain("--seeds", "does not go with --cut, --keep-disks and --leaks");
    if (cli->sim.preempt && !cli->sim.preempt_length && cuts)
        return complain("--preempt", "needs D:N with --cut");
    return -1;
}

int options_parse(struct cli *cli, int argc, char **argv) {
    *cli = (struct cli){.sim = sim_defaults(), .prompt = "$ ", .patience = 30, .words = argv};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (flag(cli, argv[i]))
            continue;
        int status = valued(cli, argv[i], i + 1 < argc ? argv[i + 1] : "");
        if (status == -2)
            return complain("there is no option", argv[i]);
        if (status != -1)
            return status;
        if (i + 1 == argc)
            return complain(argv[i], "needs a value");
        i++;
    }
    if (cli->kernel == NULL)
        return complain("--kernel", "is needed");
    return check(cli);
}
