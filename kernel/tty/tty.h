/* Terminals: what stands between who is at one and the programs that read and write it. The console
 * is one (dev/console.c), and each pseudo-terminal (pty/pty.h).
 *
 * Input is edited by line (lineedit.h); CR and NL end it, wherever the cursor is. What shells have
 * read can be recalled, where lines are kept, and ^L clears the screen. ^D ends it too: a read gets
 * what stands before it, and the next one, or the same when nothing stands before it, gets end of
 * file, as in xv6. ^C ends the foreground's processes (proc/session.h), and drops the input that
 * nobody has read. A shell that manages jobs gets -K_EINTR from read when there was nobody to end,
 * another one an empty line. Lines wait for a reader in a buffer of TTY_BUFFER bytes; when it is
 * full, who is at the terminal has to hold what more there is. A line longer than the buffer
 * reaches its reader in pieces.
 *
 * read gives at most one line and waits for one; write waits until all is taken. Both end with
 * -K_EINTR for a signal. All this is so at first, and programs can change it (terminal.h). Of one
 * in the background, a read is SIGTTIN for its group, and a change of the modes, and with TOSTOP a
 * write, SIGTTOU: see proc_from_background (proc/session.h), whose errors they have, too.
 *
 * When nobody will be at it again it is hung up: reads are at the end, and all else is -K_EIO.
 *
 * The buffer is a ring, with positions that only grow:
 *     read <= committed <= read + TTY_BUFFER
 * [read, committed) is for readers. The line being typed goes there when it ends; both together
 * have at most TTY_BUFFER bytes. The end of the input stands in the buffer as a ^D. While programs
 * edit lines themselves all goes there as it comes.
 *
 * Lock: tty.lock guards all that is not said to be constant or atomic; under it the operations take
 * their device's, and wake-ups those of processes. Neither kprintf takes it, nor ^C while it looks
 * for whom to end. */
#pragma once
#include "proc/session.h"
#include "proc/watch.h"
#include "tty/lineedit.h"
#include "tty/terminal.h"

#define TTY_BUFFER 4096
#define TTY_BATCH 16 /* input is held while there is not room for so many bytes */

struct screen_size {
    _Alignas(uint32_t) uint16_t rows; /* in characters; 0: unknown; the same of columns */
    uint16_t columns;
};

struct tty;

/* What is at the other side. Those that may be NULL do nothing. */
struct tty_ops {
    /* Shows n bytes, all of them unless it fails; may sleep, and no lock is held. *done is how many
     * were taken. -K_EINTR; -K_EAGAIN: it would wait, and is not to; -K_EIO: hung up. */
    int (*write)(struct tty *t, const char *text, size_t n, bool waits, size_t *done);
    /* As many as there is room for; the lock is held. */
    size_t (*write_some)(struct tty *t, const char *text, size_t n);
    /* As many as possible, from an interrupt handler; the lock is held. */
    void (*echo)(struct tty *t, const char *text, size_t n);
    /* Whether a write would not wait; the lock is held. NULL: always. */
    bool (*has_room)(const struct tty *t);
    /* Input is to wait, or may come again; the lock is held. */
    void (*hold)(struct tty *t, bool hold);
    void (*drain)(struct tty *t);            /* waits until all is shown. May be NULL. */
    uint32_t (*unsent)(const struct tty *t); /* bytes written that are not shown yet; lock held */
    void (*drop_output)(struct tty *t);      /* what is not shown yet goes. May be NULL. */
    void (*list)(void);             /* what ^P does, with no lock held. NULL: it is text. */
    void (*opened)(struct tty *t);  /* one more has it open; may be NULL. */
    void (*closed)(struct tty *t);  /* one less; may be NULL. */
    void (*hold_it)(struct tty *t); /* one more reference, from any context. May be NULL. */
    void (*put)(struct tty *t);     /* one less. May be NULL. */
};

#define TTY_STOPPED_BY_KEY 1U
#define TTY_STOPPED_BY_CALL 2U /* VSTART does not end that */

struct tty {
    const struct tty_ops *ops; /* constant */
    struct control control;    /* proc/session.h */
    struct screen_size screen; /* atomic: one word */
    struct spinlock lock;
    struct wait_channel input;
    struct watched watched;      /* of the same, and of room for output */
    struct wait_channel started; /* who waits to write, while the output is stopped */
    uint8_t stopped;             /* TTY_STOPPED_...; atomic */
    bool hung_up;
    bool held;        /* no input comes */
    bool interrupted; /* by ^C, and no shell has written or read since */
    bool in_line;     /* some of the oldest line has been read */
    struct terminal modes;
    uint32_t read, committed;
    /* Some of the line that is typed was not echoed; and in the buffer, from where to where there
     * are such lines: nobody is to see them later. */
    bool unseen;
    uint32_t unseen_start, unseen_end;
    char prompt[32]; /* what a shell has written since it read a line, and since its newline */
    uint32_t prompt_bytes;
    struct line line;
    char *buffer; /* TTY_BUFFER bytes */
};

/* A new one, with sane modes and the size of the terminals of old. buffer and line have TTY_BUFFER
 * bytes, history has HISTORY_BYTES, or is NULL. */
struct tty_memory {
    char *buffer, *line, *history;
};
void tty_init(struct tty *t, const struct tty_ops *ops, const struct tty_memory *memory);

/* Who is at the terminal has typed n bytes; takes all of them if there is room, else as many as
 * there is; returns how many. From an interrupt handler, no lock held. */
size_t tty_input(struct tty *t, const char *text, size_t n);

/* As file_ops. -K_EAGAIN: it would wait, and is not to. */
int tty_read(struct tty *t, uaddr_t dst, size_t n, bool waits, size_t *done) must_check;
int tty_write(struct tty *t, uaddr_t src, size_t n, bool waits, size_t *done) must_check;
unsigned tty_ready(struct tty *t, struct watch *w);
uint32_t tty_bytes_ready(struct tty *t); /* that a read would find now */

/* The modes that are in force; and others, from the next byte on that comes. What was typed of a
 * line is for the next read, when lines end; drain: after all output; drop_input: all goes that
 * nobody has read. -K_EINTR, -K_EIO, as above: nothing changed. */
void tty_get_modes(struct tty *t, struct terminal *modes);
int tty_set_modes(struct tty *t, const struct terminal *modes, bool drain,
                  bool drop_input) must_check;
/* As at first, whoever asks. */
void tty_make_sane(struct tty *t);

/* Output stops: writers wait, and what is typed is shown still. Or it goes on, whatever has stopped
 * it. Or a character is shown at once, which tells the other side to stop or to go on. Errors as
 * above. */
int tty_stop_output(struct tty *t, bool stop) must_check;
int tty_send_key(struct tty *t, enum terminal_key key) must_check;

/* What was typed, and nobody has read, goes; or what was written, and is not shown. Errors as
 * above. */
int tty_drop(struct tty *t, bool input, bool output) must_check;
int tty_drain(struct tty *t) must_check;
uint32_t tty_bytes_unsent(struct tty *t); /* that were written, and nobody at it has */

/* A new size is SIGWINCH for the foreground. */
struct screen_size tty_size(struct tty *t);
void tty_set_size(struct tty *t, struct screen_size size);

/* The caller's controlling terminal, with a reference. NULL: it has none. */
struct tty *tty_own(void);
static inline void tty_put(struct tty *t) {
    if (t->ops->put)
        t->ops->put(t);
}

/* Nobody will be at it again: see above, and proc_hang_up. */
void tty_hang_up(struct tty *t);
bool tty_is_hung_up(struct tty *t);
