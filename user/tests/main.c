/* The runner of usertests, threadtests and signaltests: [-q] [-v] [-l] [NAME...]
 *
 * Each test runs in a child, in an empty directory. After it, the system must
 * be as it was: the same number of free and promised frames, processes, inodes,
 * blocks and open files. What takes a moment (init reaps orphans) is waited for
 * with a deadline. */
#include "subjects.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LEAK_DEADLINE 50 /* ticks for orphans to be reaped */

unsigned paging_levels;

static const char *running = "warm-up"; /* the test's name */
static bool quick, verbose;
static const struct test *failed[256];
static unsigned nfailed, nrun, nskipped;
static struct abi_sysinfo before, after; /* the running test */

/* One write a line: lines of several processes do not mix. Cut when too long. */
static void say(const char *prefix, const char *fmt, va_list ap, const char *suffix) {
    static char line[512];
    int n = snprintf(line, sizeof(line), "test %s: %s", running, prefix);
    int m = vsnprintf(line + n, 300, fmt, ap);
    n += m < 300 ? m : 299;
    n += snprintf(line + n, sizeof(line) - n, "%s\n", suffix);
    sys_write(1, line, n);
}

void fail_at(const char *file, int line, const char *fmt, ...) {
    static char where[80];
    const char *slash = strrchr(file, '/');
    snprintf(where, sizeof(where), " (%s:%d)", slash ? slash + 1 : file, line);
    va_list ap;
    va_start(ap, fmt);
    say("FAILED: ", fmt, ap, where);
    va_end(ap);
    sys_exit(STATUS_FAILED);
}

void note(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    say("note: ", fmt, ap, "");
    va_end(ap);
}

static void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void report(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    say("", fmt, ap, "");
    va_end(ap);
}

static void print(const char *s) { sys_write(1, s, strlen(s)); }

/* ---- before and after ---- */
struct counted {
    const char *unit;
    size_t offset;
};
#define COUNTED(member, unit) \
    { unit, offsetof(struct abi_sysinfo, member) }
static const struct counted counted[] = {
    COUNTED(procs, "processes"),    COUNTED(files_open, "open files"),
    COUNTED(inodes_free, "inodes"), COUNTED(blocks_free, "blocks"),
    COUNTED(frames_free, "frames"), COUNTED(frames_committed, "promised frames"),
};
#define NCOUNTED (sizeof(counted) / sizeof(counted[0]))

static uint64_t count_of(const struct abi_sysinfo *si, const struct counted *c) {
    return *(const uint64_t *)((const char *)si + c->offset);
}

static const struct counted *difference(const struct abi_sysinfo *a, const struct abi_sysinfo *b) {
    for (unsigned i = 0; i < NCOUNTED; i++)
        if (count_of(a, &counted[i]) != count_of(b, &counted[i]))
            return &counted[i];
    return NULL;
}

/* Whether the system came back to what it was; says what did not. */
static bool nothing_leaked(void) {
    int start = sys_uptime();
    const struct counted *c;
    sys_sync(); /* else pages and blocks are in use until the flusher comes */
    for (;;) {
        if (sys_sysinfo(&after) < 0) {
            report("FAILED: sysinfo failed after the test");
            return false;
        }
        if (!(c = difference(&before, &after)))
            return true;
        if (sys_uptime() - start > LEAK_DEADLINE)
            break;
        sys_sleep(1);
    }
    for (unsigned i = 0; i < NCOUNTED; i++) {
        long diff = count_of(&after, &counted[i]) - count_of(&before, &counted[i]);
        if (diff != 0)
            report("FAILED: leak: %ld %s (%lu before, %lu after)", diff < 0 ? -diff : diff,
                   counted[i].unit, (unsigned long)count_of(&before, &counted[i]),
                   (unsigned long)count_of(&after, &counted[i]));
    }
    return false;
}

/* ---- one test ---- */
/* Leaves the current directory at WORK_DIR, which is empty then. */
static void clean_work_dir(void) {
    sys_chdir("/");
    sys_mkdir(WORK_DIR);
    if (sys_chdir(WORK_DIR) < 0)
        FAIL("cannot use the directory " WORK_DIR);
    remove_all_here();
}

static int run_alone(const struct test *t) {
    int status = 0;
    int pid = sys_fork();
    if (pid == 0) {
        t->run();
        sys_exit(0);
    }
    if (pid < 0 || sys_wait(&status) != pid) {
        report("FAILED: the runner's fork or wait failed");
        return STATUS_FAILED;
    }
    return status;
}

static bool run_test(const struct test *t) {
    running = t->name;
    if (verbose)
        report("starts");
    clean_work_dir();
    sys_chdir("/");
    sys_unlink(WORK_DIR);
    sys_sync();
    if (sys_sysinfo(&before) < 0) {
        report("FAILED: sysinfo failed before the test");
        return false;
    }
    clean_work_dir();
    int start = sys_uptime();
    int status = run_alone(t);
    int ticks = sys_uptime() - start;
    clean_work_dir();
    sys_chdir("/");
    if (sys_unlink(WORK_DIR) < 0)
        report("note: its directory cannot be removed");
    if (status == KILLED)
        report("FAILED: the test's process was killed");
    else if (status != 0 && status != STATUS_FAILED)
        report("FAILED: exit status %d", status);
    bool ok = nothing_leaked() && status == 0;
    if (ok && verbose)
        report("OK (%d ticks)", ticks);
    else if (ok)
        report("OK");
    return ok;
}

static void do_nothing(void) {}

/* The first fork, the first directory and the first of every page that the
 * runner writes to take memory once; not to be taken for a leak of some test. */
static void warm_up(void) {
    static const struct test nothing = {"warm-up", do_nothing, false};
    for (int i = 0; i < 2; i++) {
        sys_sysinfo(&before);
        clean_work_dir();
        run_alone(&nothing);
        sys_chdir("/");
        sys_unlink(WORK_DIR);
        sys_sysinfo(&after);
    }
}

/* ---- the list ---- */
static bool selected(const struct subject *s, const struct test *t, int n, char **names) {
    if (n == 0)
        return !(quick && t->slow);
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], t->name) == 0 || strcmp(names[i], s->name) == 0)
            return true;
    return false;
}

static bool known(const char *name) {
    for (unsigned i = 0; i < subject_count; i++) {
        if (strcmp(name, subjects[i].name) == 0)
            return true;
        for (const struct test *t = subjects[i].tests; t->name; t++)
            if (strcmp(name, t->name) == 0)
                return true;
    }
    return false;
}

static void list_tests(void) {
    for (unsigned i = 0; i < subject_count; i++) {
        for (const struct test *t = subjects[i].tests; t->name; t++) {
            print(subjects[i].name);
            print(" ");
            print(t->name);
            print(t->slow ? " slow\n" : "\n");
        }
    }
}

static void run_selected(int n, char **names) {
    for (unsigned i = 0; i < subject_count; i++) {
        for (const struct test *t = subjects[i].tests; t->name; t++) {
            if (!selected(&subjects[i], t, n, names)) {
                nskipped += n == 0;
                continue;
            }
            nrun++;
            if (!run_test(t) && nfailed < sizeof(failed) / sizeof(failed[0]))
                failed[nfailed++] = t;
        }
    }
}

static void say_skipped(void) {
    static char line[40];
    snprintf(line, sizeof(line), "%u slow tests left out:", nskipped);
    print(line);
    for (unsigned i = 0; i < subject_count; i++) {
        for (const struct test *t = subjects[i].tests; t->name; t++) {
            if (t->slow) {
                print(" ");
                print(t->name);
            }
        }
    }
    print("\n");
}

static int finish(void) {
    static char line[40];
    if (quick && nskipped > 0)
        say_skipped();
    snprintf(line, sizeof(line), "%u tests run\n", nrun);
    print(line);
    if (nfailed == 0) {
        print("ALL TESTS PASSED\n");
        return 0;
    }
    print("SOME TESTS FAILED:");
    for (unsigned i = 0; i < nfailed; i++) {
        print(" ");
        print(failed[i]->name);
    }
    print("\n");
    return 1;
}

static int usage(const char *what) {
    if (what) {
        print(program);
        print(": no such test or option: ");
        print(what);
        print("\n");
    }
    print("usage: ");
    print(program);
    print(" [-q] [-v] [NAME...]    run all, the quick ones, or some\n"
          "or with -l: list them: subject, name, slow. A NAME is a test's or a subject's.\n");
    return 2;
}

int main(int argc, char **argv) {
    if (sys_sysinfo(&before) == 0)
        paging_levels = before.levels;
    if (argc >= 3 && strcmp(argv[1], "--role") == 0)
        return run_role(argc - 2, argv + 2);
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-q") == 0) {
            quick = true;
        } else if (strcmp(argv[i], "-v") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "-l") == 0) {
            list_tests();
            return 0;
        } else {
            return usage(argv[i]);
        }
    }
    for (int j = i; j < argc; j++)
        if (!known(argv[j]))
            return usage(argv[j]);
    if (roles_from && !exists(roles_from)) {
        print(program);
        print(": ");
        print(roles_from);
        print(" is not there, and tests run it\n");
        return 1;
    }
    warm_up();
    run_selected(argc - i, argv + i);
    return finish();
}
