/* Children of the shell in the background, each with a number, %1, %2 and so on. A child is one
 * process, which starts the others of a pipeline; or, of one that was stopped in the foreground,
 * the last one of it. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct background {
    int number;
    pid_t pid;
    pid_t group; /* when the shell manages jobs; that of its first process */
    bool ended, stopped;
    int status; /* when it has ended */
    char *command;
};

/* Before a child is started: room for it; false: out of memory. Then what was started. The command
 * is copied; without memory for it, it is not known. */
bool background_reserve(void);
void background_add(pid_t pid, const char *command);
/* The same for one that has stopped in the foreground; says so. */
void background_add_stopped(pid_t pid, pid_t group, const char *command);
/* It goes on. */
void background_continue(struct background *job);

/* A child has been waited for. False: it was not in the background. */
bool background_ended(pid_t pid, int status);

/* Waits for those that have ended already, so that an idle shell leaves no zombies. */
void background_reap(void);

/* Which one text means: %N, a process number, %% %+ or NULL the last one started that has not been
 * forgotten. NULL: none, and a sentence has said so, for this command. */
struct background *background_find(const char *command, const char *text);

/* Waits until it has ended or stopped; its status, or JOB_STOPPED. */
#define JOB_STOPPED 148
int background_wait(struct background *job);

/* One that has ended is kept until somebody was told, or until there are many. */
void background_forget(struct background *job);
void background_forget_all(void); /* a child's: they are its parent's */

/* One line each: number, processes, state, command. Forgets those that have ended. */
void background_print(void);
