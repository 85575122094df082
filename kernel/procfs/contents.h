/* What the files of /proc say: system.c and process.c have the functions. */
#pragma once
#include "procfs/text.h"

/* Writes what the file says now. pid: of the process whose folder it is in; the machine's have
 * none; tid: of the thread, if it is one's. May sleep. -K_ESRCH: there is no such process or thread
 * (any more). */
typedef int (*contents_fn)(struct text *t, int32_t pid, int32_t tid);

struct contents {
    const char *name;
    contents_fn make;
};

extern const struct contents system_contents[], process_contents[], thread_contents[],
    net_contents[];
extern const unsigned system_contents_count, process_contents_count, thread_contents_count,
    net_contents_count;

/* mounts.c. What is mounted is told as the reader's root sees it, of whichever process. */
int mounts_text(struct text *t, int32_t pid, int32_t tid);
int mountinfo_text(struct text *t, int32_t pid, int32_t tid);
int filesystems_text(struct text *t, int32_t pid, int32_t tid);

/* The slot of a process (proc_info), or -1. */
int process_slot(int32_t pid);
