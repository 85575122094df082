/* What threadtests tests: POSIX threads, and the C library among them. A program of its own, since
 * a file of xv6's holds no more tests than usertests has. */
#include "../tests/subjects.h"

const char program[] = "threadtests";
const char *const roles_from = NULL;

const struct subject subjects[] = {
    {"life", life_tests},
    {"locks", locks_tests},
};
const unsigned subject_count = sizeof(subjects) / sizeof(subjects[0]);

int run_role(int argc, char **argv) { FAIL("no role: %s", argv[0]); }
