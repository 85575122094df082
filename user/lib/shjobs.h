/* Jobs of the shell at the console: a command, with all that it starts, is a group of
 * processes, so that ^C ends it and nothing else. Without jobs_manage (a script, a
 * subshell, a kernel that has no groups) the calls do nothing: what is started belongs to
 * the group that the shell is in. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct job {
    bool background;
    pid_t group; /* 0: none of its processes has been started */
};

/* This shell manages jobs from here on, and ^C is not for it. */
void jobs_manage(void);

/* After a fork, in both processes, with its result: the child joins the job. */
void job_join(struct job *job, pid_t pid);

bool jobs_managed(void);

/* ^C is for this group, one of the background, from here on. */
void jobs_put_in_foreground(pid_t group);

/* ^C is the shell's again. True when it has ended something since the job started. */
bool jobs_end_foreground(void);
