/* Programs that show what happens to the memory of a process and of its child. Three processes
 * take part. The two that are looked at, parent and child, do nothing but their steps: a process
 * that printed its own tables would change them by that. The third, the watcher, orders each step
 * through a pipe and goes on when it has been reported done; both then sleep until the next one.
 * The parent is executed anew, as otherwise it would share its memory with the watcher. */
#pragma once
#include <stddef.h>

#define WATCHED "-watched" /* the argument of the two that are looked at */

/* ---- the two that are looked at: orders come from input, reports go to output. No stdio and no
 * static data, so that nothing is written but what the step writes, and the stack. ---- */

/* Waits for an order, or for a byte of the other one's on fd. Ends the process when there is
 * none to come. */
void watched_await(int fd);

/* A report, or a byte to the other one. Ends the process when nobody reads it. */
void watched_say(int fd, const void *what, size_t n);

/* ---- the watcher ---- */

/* Starts the parent: this program, with the argument WATCHED. */
void watch_start(const char *program);

/* Orders a step; gets a report. Without success the watcher ends with status 1, and says why. */
void watch_order(void);
void watch_report(void *to, size_t n);

/* Has the shell run the command, which the log shows as one would type it. */
void watch_run(const char *command);

/* Ends with this status when the two, who get no more orders, have ended. */
void watch_finish(int status) __attribute__((noreturn));
