/* What threadtests tests: threads, futexes and signals, POSIX threads, and the C library among
 * them. A program of its own, since a file of xv6's holds no more tests than usertests has. */
#include "../tests/subjects.h"
#include "signals.h"
#include <string.h>

const char program[] = "threadtests";
const char *const roles_from = THREADTESTS;

const struct subject subjects[] = {
    {"threads", threads_tests},   {"futex", futex_tests},   {"life", life_tests},
    {"locks", locks_tests},       {"signal", signal_tests}, {"sigcalls", sigcalls_tests},
    {"sigfault", sigfault_tests},
};
const unsigned subject_count = sizeof(subjects) / sizeof(subjects[0]);

int run_role(int argc, char **argv) {
    if (strcmp(argv[0], "signals") == 0)
        return role_signals(argc, argv);
    FAIL("no role: %s", argv[0]);
}
