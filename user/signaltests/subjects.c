/* What signaltests tests: a program of its own, since a file of xv6's holds no more tests than
 * usertests has. */
#include "../tests/subjects.h"
#include <string.h>

const char program[] = "signaltests";
const char *const roles_from = "/tests/signaltests";

const struct subject subjects[] = {
    {"handlers", handlers_tests},
    {"calls", calls_tests},
    {"faults", faults_tests},
    {"signals_of_threads", threads_of_signals_tests},
};
const unsigned subject_count = sizeof(subjects) / sizeof(subjects[0]);

int run_role(int argc, char **argv) {
    if (strcmp(argv[0], "signals"))
        FAIL("no role: %s", argv[0]);
    return role_signals(argc, argv);
}
