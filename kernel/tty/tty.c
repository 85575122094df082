/* Writing to a terminal, its modes and its size, and its end: see tty.h. */
#include "arch/layout.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "tty/ttyparts.h"

#define CHUNK 128 /* bytes copied at once; on the stack */
#define USUAL_ROWS 24
#define USUAL_COLUMNS 80

static void note_prompt_locked(struct tty *t, const char *chunk, size_t n) {
    ASSERT_LOCKED(&t->lock);
    for (size_t i = 0; i < n; i++) {
        if (chunk[i] == '\n')
            t->prompt_bytes = 0;
        else if (t->prompt_bytes < sizeof(t->prompt))
            t->prompt[t->prompt_bytes++] = chunk[i];
    }
}

/* A shell's prompt stands in front of a ^C's echo, or behind it: then the ^C is no news. */
static int write_chunk(struct tty *t, const char *chunk, size_t n, bool waits, size_t *done) {
    size_t sent = 0;
    *done = 0;
    if (tty_is_shell()) {
        spin_lock(&t->lock);
        t->interrupted = false;
        note_prompt_locked(t, chunk, n);
        sent = t->ops->write_some(t, chunk, n);
        spin_unlock(&t->lock);
    }
    int err = sent < n ? t->ops->write(t, chunk + sent, n - sent, waits, done) : 0;
    *done += sent;
    return err;
}

/* ---- output that is stopped ---- */

/* 0: the caller may change it. */
static int may_change(struct tty *t) {
    int err = proc_from_background(&t->control, ABI_SIGTTOU);
    return err ? err : tty_is_hung_up(t) ? -K_EIO : 0;
}

void tty_start_locked(struct tty *t, unsigned left) {
    ASSERT_LOCKED(&t->lock);
    unsigned before = t->stopped;
    __atomic_store_n(&t->stopped, (uint8_t)(before & left), __ATOMIC_RELAXED);
    if (before && !t->stopped) {
        wakeup(&t->started);
        watched_changed(&t->watched);
    }
}

/* -K_EINTR; -K_EAGAIN: it would wait, and is not to. A shell heeds no program that stops the
 * output, since nothing that is typed could end that. */
static int wait_until_started(struct tty *t, bool waits) {
    int err = 0;
    unsigned heeds = TTY_STOPPED_BY_KEY | (tty_is_shell() ? 0 : TTY_STOPPED_BY_CALL);
    spin_lock(&t->lock);
    while ((t->stopped & heeds) && !t->hung_up && !err) {
        err = !waits ? -K_EAGAIN : proc_interrupted() ? -K_EINTR : 0;
        if (!err)
            sleep_on(&t->started, &t->lock);
    }
    spin_unlock(&t->lock);
    return err;
}

int tty_stop_output(struct tty *t, bool stop) {
    int err = may_change(t);
    if (err)
        return err;
    spin_lock(&t->lock);
    if (stop)
        __atomic_store_n(&t->stopped, t->stopped | TTY_STOPPED_BY_CALL, __ATOMIC_RELAXED);
    else if (t->stopped & TTY_STOPPED_BY_CALL)
        tty_start_locked(t, 0);
    spin_unlock(&t->lock);
    return 0;
}

int tty_send_key(struct tty *t, enum terminal_key key) {
    int err = may_change(t);
    if (err)
        return err;
    spin_lock(&t->lock);
    char c = (char)t->modes.keys[key];
    if (c && !t->hung_up)
        (void)t->ops->write_some(t, &c, 1);
    spin_unlock(&t->lock);
    return 0;
}

/* ---- writing ---- */

int tty_write(struct tty *t, uaddr_t src, size_t n, bool waits, size_t *done) {
    char chunk[CHUNK];
    *done = 0;
    bool stops = __atomic_load_n(&t->modes.local, __ATOMIC_RELAXED) & TERMINAL_TOSTOP;
    int stopped = stops ? proc_from_background(&t->control, ABI_SIGTTOU) : 0;
    if (stopped)
        return stopped;
    while (*done < n) {
        /* No chunk crosses a page, so all before a bad one gets out. */
        uint64_t from = src.v + *done;
        size_t length = MIN(n - *done, sizeof(chunk));
        length = MIN(length, PAGE_SIZE - from % PAGE_SIZE);
        size_t sent = 0;
        int err = copyin(chunk, UA(from), length);
        if (!err && __atomic_load_n(&t->stopped, __ATOMIC_RELAXED))
            err = wait_until_started(t, waits);
        if (!err)
            err = write_chunk(t, chunk, length, waits, &sent);
        *done += sent;
        if (err)
            return *done > 0 ? 0 : err;
    }
    return 0;
}

/* ---- modes ----------------------------------------------------------------*/

void tty_get_modes(struct tty *t, struct terminal *modes) {
    spin_lock(&t->lock);
    *modes = t->modes;
    spin_unlock(&t->lock);
}

static void set_modes_locked(struct tty *t, const struct terminal *modes) {
    ASSERT_LOCKED(&t->lock);
    bool lines = tty_by_line(t);
    t->modes = *modes;
    if (!(modes->input & TERMINAL_IXON)) /* no key would let it go on */
        tty_start_locked(t, TTY_STOPPED_BY_CALL);
    t->line.silent = !tty_echoes(t);
    if (lines && !tty_by_line(t) && t->line.n > 0)
        tty_commit_locked(t);
    t->in_line &= tty_by_line(t);
    tty_tell_readers_locked(t); /* what they wait for may be there now */
}

int tty_set_modes(struct tty *t, const struct terminal *modes, bool drain, bool drop_input) {
    int err = drain ? tty_drain(t) : may_change(t);
    if (err)
        return err;
    spin_lock(&t->lock);
    if (drop_input)
        tty_drop_input_locked(t);
    set_modes_locked(t, modes);
    spin_unlock(&t->lock);
    return 0;
}

void tty_make_sane(struct tty *t) {
    static const struct terminal sane = TERMINAL_SANE;
    spin_lock(&t->lock);
    set_modes_locked(t, &sane);
    tty_start_locked(t, 0);
    spin_unlock(&t->lock);
}

int tty_drop(struct tty *t, bool input, bool output) {
    int err = may_change(t);
    if (err)
        return err;
    spin_lock(&t->lock);
    if (input)
        tty_drop_input_locked(t);
    if (output && t->ops->drop_output)
        t->ops->drop_output(t);
    spin_unlock(&t->lock);
    return 0;
}

int tty_drain(struct tty *t) {
    int err = may_change(t);
    if (!err && t->ops->drain)
        t->ops->drain(t);
    return err;
}

uint32_t tty_bytes_unsent(struct tty *t) {
    spin_lock(&t->lock);
    uint32_t n = t->ops->unsent(t);
    spin_unlock(&t->lock);
    return n;
}

struct screen_size tty_size(struct tty *t) {
    struct screen_size size;
    __atomic_load(&t->screen, &size, __ATOMIC_RELAXED);
    return size;
}

void tty_set_size(struct tty *t, struct screen_size size) {
    struct screen_size before;
    __atomic_exchange(&t->screen, &size, &before, __ATOMIC_RELAXED);
    if (size.rows != before.rows || size.columns != before.columns)
        proc_signal_foreground(&t->control, ABI_SIGWINCH);
}

/* ---- beginning and end ---- */

static void show(const struct line *l, const char *text, size_t n) {
    struct tty *t = CONTAINER_OF((struct line *)l, struct tty, line);
    t->ops->echo(t, text, n);
}

void tty_init(struct tty *t, const struct tty_ops *ops, const struct tty_memory *memory) {
    *t = (struct tty){
        .ops = ops,
        .screen = {USUAL_ROWS, USUAL_COLUMNS},
        .lock = SPINLOCK_INIT(RANK_TTY),
        .modes = TERMINAL_SANE,
        .line = {.text = memory->line, .history = {.text = memory->history}, .echo = show},
        .buffer = memory->buffer,
    };
    wait_channel_init(&t->input);
    wait_channel_init(&t->started);
}

static void hold_it(struct control *c) {
    struct tty *t = CONTAINER_OF(c, struct tty, control);
    if (t->ops->hold_it)
        t->ops->hold_it(t);
}

struct tty *tty_own(void) {
    struct control *c = proc_terminal(hold_it);
    return c ? CONTAINER_OF(c, struct tty, control) : NULL;
}

void tty_hang_up(struct tty *t) {
    spin_lock(&t->lock);
    t->hung_up = true;
    wakeup(&t->started);
    tty_drop_input_locked(t);
    tty_tell_readers_locked(t);
    spin_unlock(&t->lock);
    proc_hang_up(&t->control);
}

bool tty_is_hung_up(struct tty *t) {
    spin_lock(&t->lock);
    bool gone = t->hung_up;
    spin_unlock(&t->lock);
    return gone;
}
