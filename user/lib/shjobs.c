/* The shell's jobs: see shjobs.h. */
#include "shjobs.h"
#include <trellis.h>
#include <unistd.h>

static bool managed;
static bool interrupted; /* since the job in the foreground started */

static void put_in_foreground(pid_t group, bool shell) {
    interrupted |= foreground(group, shell) > 0;
}

bool jobs_managed(void) { return managed; }

void jobs_put_in_foreground(pid_t group) {
    if (managed)
        put_in_foreground(group, false);
}

void jobs_manage(void) { managed = setpgid(0, 0) == 0 && foreground(getpid(), true) >= 0; }

/* Both processes do it, since the other may not have got to it when it matters. */
void job_join(struct job *job, pid_t pid) {
    if (!managed || pid < 0)
        return;
    setpgid(pid, job->group);
    if (job->group == 0 && !job->background)
        put_in_foreground(pid ? pid : getpid(), false);
    if (job->group == 0)
        job->group = pid;
    if (pid == 0)
        managed = false;
}

bool jobs_end_foreground(void) {
    if (managed)
        put_in_foreground(getpid(), true);
    bool was = interrupted;
    interrupted = false;
    return was;
}
