/* What the parts of a terminal do for each other. */
#pragma once
#include "lib/panic.h"
#include "tty/tty.h"

#define CTRL(letter) ((letter) - '@')

static inline char *tty_at(const struct tty *t, uint32_t position) {
    return &t->buffer[position % TTY_BUFFER];
}
static inline uint32_t tty_bytes(const struct tty *t) { return t->committed - t->read; }
static inline bool tty_by_line(const struct tty *t) { return terminal_has_lines(&t->modes); }
static inline bool tty_echoes(const struct tty *t) { return t->modes.local & TERMINAL_ECHO; }
static inline bool tty_has_unseen(const struct tty *t) {
    return (int32_t)(t->unseen_end - t->read) > 0;
}

/* The running process is a shell, or may be one. */
static inline bool tty_is_shell(void) {
    return proc_self()->manages_jobs || proc_self()->depth == 1;
}

/* tty.c. Output goes on, but for what of TTY_STOPPED_... is left. The lock is held. */
void tty_start_locked(struct tty *t, unsigned left);

/* input.c. The lock is held. */
void tty_tell_readers_locked(struct tty *t); /* there is something to be read, or to be learned */
void tty_commit_locked(struct tty *t);       /* what was typed of the line is for readers */
void tty_drop_input_locked(struct tty *t);
void tty_unhold_locked(struct tty *t); /* if there is room again */
