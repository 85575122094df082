/* Reading from a terminal, by line and by byte: see tty.h. */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "tty/ttyparts.h"

#define NANOSECONDS 1000000000UL /* in a second */
#define CHUNK 128                /* bytes copied at once; on the stack */

/* Of the ^C that came last, once. */
static bool learns_of_interrupt_locked(struct tty *t) {
    ASSERT_LOCKED(&t->lock);
    bool learns = t->interrupted && tty_is_shell();
    if (learns)
        t->interrupted = false;
    return learns;
}

static bool is_seen(const struct tty *t, uint32_t position) {
    return !tty_has_unseen(t) || (int32_t)(position - t->unseen_start) < 0;
}

/* A shell begins to read the oldest line: it can be recalled, if it was echoed, and another prompt
 * will come. */
static void remember_locked(struct tty *t) {
    ASSERT_LOCKED(&t->lock);
    uint32_t end = t->read;
    while (end != t->committed && *tty_at(t, end) != '\n' && *tty_at(t, end) != CTRL('D'))
        end++;
    uint32_t n = end - t->read;
    bool keeps = n > 0 && end != t->committed && is_seen(t, t->read);
    char *kept = keeps ? history_room(&t->line.history, n) : NULL;
    for (uint32_t i = 0; kept && i < n; i++)
        kept[i] = *tty_at(t, t->read + i);
    if (kept)
        history_keep(&t->line.history, n);
    t->prompt_bytes = 0;
}

/* Moves up to n > 0 bytes of the oldest line to chunk; *end when that was its last.
 * Waits for a line unless the caller has got a part of one. -K_EINTR: killed, or ^C; a shell
 * that knows of no ^C gets an empty line. */
static int take(struct tty *t, char *chunk, size_t n, bool started, bool waits, size_t *taken,
                bool *end) {
    bool interrupted = false;
    *taken = 0;
    spin_lock(&t->lock);
    while (t->read == t->committed && !started && !interrupted && !t->hung_up) {
        if (proc_interrupted()) {
            spin_unlock(&t->lock);
            return -K_EINTR;
        }
        interrupted = learns_of_interrupt_locked(t);
        if (!interrupted && !waits) {
            spin_unlock(&t->lock);
            return -K_EAGAIN;
        }
        if (!interrupted)
            sleep_on(&t->input, &t->lock);
    }
    *end = interrupted || t->read == t->committed;
    if (interrupted && !proc_self()->manages_jobs)
        chunk[(*taken)++] = '\n';
    if (!*end && !t->in_line && tty_is_shell())
        remember_locked(t);
    while (!*end && *taken < n && t->read != t->committed) {
        char c = *tty_at(t, t->read);
        *end = c == '\n' || c == CTRL('D');
        t->in_line = !*end;
        if (c == CTRL('D') && (started || *taken > 0))
            break; /* it stays, and is the next read's end of file */
        t->read++;
        if (c != CTRL('D'))
            chunk[(*taken)++] = c;
    }
    tty_unhold_locked(t);
    spin_unlock(&t->lock);
    return interrupted && *taken == 0 ? -K_EINTR : 0;
}

static int read_by_line(struct tty *t, uaddr_t dst, size_t n, bool waits, size_t *done) {
    char chunk[CHUNK];
    bool end = false;
    while (*done < n && !end) {
        size_t taken;
        int err = take(t, chunk, MIN(n - *done, sizeof(chunk)), *done > 0, waits, &taken, &end);
        if (!err)
            err = copyout(UA(dst.v + *done), chunk, taken);
        if (err)
            return *done > 0 ? 0 : err;
        *done += taken;
    }
    return 0;
}

/* ---- input without lines ---- */

/* Waits for as many bytes as the program has asked for, or can take; no longer than `span` tenths
 * of a second for the first one, or from the first one on for each. Who changes the modes meanwhile
 * changes how many these are. -K_EINTR: there is none yet. */
static int wait_for_bytes_locked(struct tty *t, size_t n) {
    ASSERT_LOCKED(&t->lock);
    const uint8_t *keys = t->modes.keys;
    uint64_t span = keys[TERMINAL_VTIME] * (NANOSECONDS / 10);
    bool whole = keys[TERMINAL_VMIN] == 0; /* the span is for all of the wait */
    bool timed = false, over = false, stop = false;
    for (uint32_t seen = 0;
         tty_bytes(t) < terminal_least(&t->modes, n) && !over && !stop && !t->hung_up;) {
        if (span && (tty_bytes(t) > seen || (whole && !timed))) {
            if (timed)
                clock_end_alarm();
            clock_set_alarm(clock_after(span));
            timed = true;
            seen = tty_bytes(t);
        }
        stop = proc_interrupted();
        over = timed && clock_alarm_rang();
        if (!stop && !over)
            sleep_on(&t->input, &t->lock);
    }
    if (timed)
        clock_end_alarm();
    return stop && tty_bytes(t) == 0 ? -K_EINTR : 0;
}

static size_t take_bytes_locked(struct tty *t, char *chunk, size_t n) {
    ASSERT_LOCKED(&t->lock);
    size_t taken = 0;
    while (taken < n && tty_bytes(t) > 0)
        chunk[taken++] = *tty_at(t, t->read++);
    tty_unhold_locked(t);
    return taken;
}

/* -K_EINTR; -K_EAGAIN: it would wait. */
static int find_bytes_locked(struct tty *t, size_t n, bool waits) {
    ASSERT_LOCKED(&t->lock);
    if (waits)
        return wait_for_bytes_locked(t, n);
    return tty_bytes(t) || !terminal_least(&t->modes, n) || t->hung_up ? 0 : -K_EAGAIN;
}

static int read_by_byte(struct tty *t, uaddr_t dst, size_t n, bool waits, size_t *done) {
    char chunk[CHUNK];
    for (size_t taken = sizeof(chunk); *done < n && taken == sizeof(chunk); *done += taken) {
        spin_lock(&t->lock);
        int err = *done > 0 ? 0 : find_bytes_locked(t, n, waits);
        taken = err ? 0 : take_bytes_locked(t, chunk, MIN(n - *done, sizeof(chunk)));
        spin_unlock(&t->lock);
        if (!err)
            err = copyout(UA(dst.v + *done), chunk, taken);
        if (err)
            return *done > 0 ? 0 : err;
    }
    return 0;
}

int tty_read(struct tty *t, uaddr_t dst, size_t n, bool waits, size_t *done) {
    *done = 0;
    int err = proc_from_background(&t->control, ABI_SIGTTIN);
    if (err)
        return err;
    spin_lock(&t->lock);
    bool lines = tty_by_line(t);
    spin_unlock(&t->lock);
    return lines ? read_by_line(t, dst, n, waits, done) : read_by_byte(t, dst, n, waits, done);
}

/* Where there are no lines, as many bytes make it readable as a read would wait for, if it would
 * wait for them for ever; and a read does not hear of a ^C. */
unsigned tty_ready(struct tty *t, struct watch *w) {
    spin_lock(&t->lock);
    if (w)
        watch_begin(w, &t->watched, &t->lock);
    uint32_t least = terminal_least_for_ever(&t->modes);
    bool news = tty_by_line(t) && t->interrupted && tty_is_shell();
    bool some = tty_bytes(t) >= least, gone = t->hung_up;
    bool room = gone || (!t->stopped && (!t->ops->has_room || t->ops->has_room(t)));
    spin_unlock(&t->lock);
    return (room ? READY_WRITABLE : 0) | (some || news || gone ? READY_READABLE : 0) |
           (gone ? READY_HANGUP | READY_ERROR : 0);
}

uint32_t tty_bytes_ready(struct tty *t) {
    spin_lock(&t->lock);
    uint32_t n = tty_bytes(t);
    spin_unlock(&t->lock);
    return n;
}
