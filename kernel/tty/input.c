/* What is typed at a terminal: see tty.h. */
#include "tty/ttyparts.h"

#define CLEAR_SCREEN "\033[H\033[2J"
_Static_assert((TTY_BUFFER & (TTY_BUFFER - 1)) == 0, "positions wrap with their type");

/* That wait for a reader, or for the end of their line. */
static uint32_t bytes_held_locked(const struct tty *t) {
    ASSERT_LOCKED(&t->lock);
    return tty_bytes(t) + t->line.n;
}

void tty_tell_readers_locked(struct tty *t) {
    ASSERT_LOCKED(&t->lock);
    wakeup(&t->input);
    watched_changed(&t->watched);
}

void tty_commit_locked(struct tty *t) {
    ASSERT_LOCKED(&t->lock);
    if (t->unseen && !tty_has_unseen(t))
        t->unseen_start = t->committed;
    for (uint32_t i = 0; i < t->line.n; i++)
        *tty_at(t, t->committed++) = t->line.text[i];
    if (t->unseen)
        t->unseen_end = t->committed;
    t->unseen = false;
    line_begin(&t->line);
    tty_tell_readers_locked(t);
}

static void type_locked(struct tty *t, char c) {
    ASSERT_LOCKED(&t->lock);
    uint32_t most = TTY_BUFFER - TTY_BATCH;
    t->unseen |= tty_by_line(t) && !tty_echoes(t);
    if (!tty_by_line(t)) {
        if (tty_echoes(t))
            line_echo(&t->line, c);
        *tty_at(t, t->committed++) = c;
        tty_tell_readers_locked(t);
    } else if (c == CTRL('L') && tty_echoes(t)) {
        t->ops->echo(t, CLEAR_SCREEN, sizeof(CLEAR_SCREEN) - 1);
        t->ops->echo(t, t->prompt, t->prompt_bytes);
        line_show(&t->line);
    } else if (line_key(&t->line, terminal_editors_key(&t->modes, c),
                        most - MIN(most, tty_bytes(t)))) {
        tty_commit_locked(t);
    }
}

void tty_unhold_locked(struct tty *t) {
    ASSERT_LOCKED(&t->lock);
    if (t->held && bytes_held_locked(t) <= TTY_BUFFER / 2) {
        t->held = false;
        t->ops->hold(t, false);
    }
}

void tty_drop_input_locked(struct tty *t) {
    ASSERT_LOCKED(&t->lock);
    t->read = t->committed;
    t->in_line = t->unseen = false;
    line_begin(&t->line);
    tty_unhold_locked(t);
}

/* ^C, ^Z and ^\: what was typed, and nobody has read, goes too. A shell that has written its prompt
 * before has to learn of it; for one that writes it afterwards there is nothing to learn. */
static void interrupted_by(struct tty *t, char c, int32_t signal) {
    const char shown[3] = {'^', (char)(c ^ '@'), '\n'};
    spin_lock(&t->lock);
    if (tty_echoes(t))
        t->ops->echo(t, shown, sizeof(shown));
    t->interrupted = true;
    if (!(t->modes.local & TERMINAL_NOFLSH))
        tty_drop_input_locked(t);
    spin_unlock(&t->lock);
    proc_interrupt(&t->control, signal);
    spin_lock(&t->lock);
    tty_tell_readers_locked(t);
    spin_unlock(&t->lock);
}

/* Whether that is all that the key does. */
static bool obey_flow_locked(struct tty *t, char c) {
    ASSERT_LOCKED(&t->lock);
    enum terminal_flow flow = terminal_flow(&t->modes, c);
    if (flow == TERMINAL_STOPS)
        __atomic_store_n(&t->stopped, t->stopped | TTY_STOPPED_BY_KEY, __ATOMIC_RELAXED);
    else if (flow != TERMINAL_GOES_ON)
        tty_start_locked(t, TTY_STOPPED_BY_CALL);
    return flow == TERMINAL_STOPS || flow == TERMINAL_STARTS;
}

/* One byte; the lock is given back while it is a signal. True: it asks for a list. */
static bool take_locked(struct tty *t, char c) {
    ASSERT_LOCKED(&t->lock);
    if (!terminal_translate(&t->modes, &c))
        return false;
    if (obey_flow_locked(t, c))
        return false;
    int32_t signal = terminal_signal(&t->modes, c);
    if (signal) {
        spin_unlock(&t->lock);
        interrupted_by(t, c, signal);
        spin_lock(&t->lock);
    } else if (c == CTRL('P') && tty_by_line(t) && t->ops->list) {
        return true;
    } else {
        type_locked(t, c);
    }
    return false;
}

size_t tty_input(struct tty *t, const char *text, size_t n) {
    bool list = false;
    size_t taken = 0;
    spin_lock(&t->lock);
    while (taken < n && bytes_held_locked(t) < TTY_BUFFER && !t->hung_up)
        list |= take_locked(t, text[taken++]);
    if (bytes_held_locked(t) > TTY_BUFFER - TTY_BATCH && !t->held) {
        t->held = true;
        t->ops->hold(t, true);
        tty_commit_locked(t); /* a line that is longer than the buffer */
    }
    spin_unlock(&t->lock);
    if (list)
        t->ops->list();
    return taken;
}
