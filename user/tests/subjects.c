/* What usertests tests. */
#include "subjects.h"

const char program[] = "usertests";
const char *const roles_from = SELF;

const struct subject subjects[] = {
    {"args", args_tests},       {"errno", errno_tests},
    {"bounds", bounds_tests},   {"sbrk", sbrk_tests},
    {"lazy", lazy_tests},       {"mmap", mmap_tests},
    {"mapfile", mapfile_tests}, {"mapstore", mapstore_tests},
    {"views", views_tests},     {"protect", protect_tests},
    {"regs", regs_tests},       {"fork", fork_tests},
    {"exec", exec_tests},       {"elf", elf_tests},
    {"running", running_tests}, {"elfbad", elfbad_tests},
    {"wait", wait_tests},       {"sched", sched_tests},
    {"pipe", pipe_tests},       {"fd", fd_tests},
    {"fdcalls", fdcalls_tests}, {"file", file_tests},
    {"names", names_tests},     {"dir", dir_tests},
    {"disk", disk_tests},       {"info", info_tests},
    {"inspect", inspect_tests}, {"inspectbusy", inspectbusy_tests},
    {"stress", stress_tests},   {"group", group_tests},
    {"design", design_tests},   {"threads", threads_tests},
    {"futex", futex_tests},     {"remap", remap_tests},
};
const unsigned subject_count = sizeof(subjects) / sizeof(subjects[0]);
