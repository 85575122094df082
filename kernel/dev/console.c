/* The console's line discipline.
 *
 * The buffer is a ring, with positions that only grow:
 *     read <= committed <= read + CONSOLE_BUFFER
 * [read, committed) is for readers. The line being typed (lineedit.h) goes there when it ends; both
 * together have at most CONSOLE_BUFFER bytes. The end of the input stands in the buffer as a ^D.
 * While programs edit lines themselves (terminal.h), all goes there as it comes.
 *
 * Lock: console.lock guards all of it; under it the UART's lock is taken, and
 * those of the processes that are woken. Neither kprintf takes it, nor ^C while it
 * looks for whom to end. */
#include "dev/console.h"
#include "arch/layout.h"
#include "dev/bootargs.h"
#include "dev/chardev.h"
#include "dev/lineedit.h"
#include "dev/screen.h"
#include "dev/uart.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/group.h"
#include "proc/watch.h"

#define CTRL(letter) ((letter) - '@')
#define NANOSECONDS 1000000000UL /* in a second */
#define CHUNK 128                /* bytes copied at once; on the stack */
#define PROMPT 32                /* bytes */
#define CLEAR_SCREEN "\033[H\033[2J"

static struct {
    struct spinlock lock;
    struct wait_channel input;
    struct watched watched; /* of the same */
    bool held;              /* input stays in the UART */
    bool interrupted;       /* by ^C, and no shell has written or read since */
    bool in_line;           /* some of the oldest line has been read */
    struct terminal modes;
    uint32_t read, committed;
    /* Some of the line that is typed was not echoed; and in the buffer, from where to where there
     * are such lines: nobody is to see them later. */
    bool unseen;
    uint32_t unseen_start, unseen_end;
    char prompt[PROMPT]; /* what a shell has written since it read a line, and since its newline */
    uint32_t prompt_bytes;
    struct line line;
    char buffer[CONSOLE_BUFFER];
} console = {
    .lock = SPINLOCK_INIT(RANK_CONSOLE),
    .input = {LIST_INIT(console.input.sleepers)},
    .modes = TERMINAL_SANE,
};
_Static_assert((CONSOLE_BUFFER & (CONSOLE_BUFFER - 1)) == 0, "positions wrap with their type");

static char *at(uint32_t position) { return &console.buffer[position % CONSOLE_BUFFER]; }

static bool by_line(void) { return terminal_has_lines(&console.modes); }
static bool echoes(void) { return console.modes.local & TERMINAL_ECHO; }

/* ---- input ---------------------------------------------------------------*/

static uint32_t bytes_ready(void) { return console.committed - console.read; }
static uint32_t bytes_held(void) { return bytes_ready() + console.line.n; }

/* There is something to be read, or to be learned. */
static void tell_readers_locked(void) {
    ASSERT_LOCKED(&console.lock);
    wakeup(&console.input);
    watched_changed(&console.watched);
}

static bool has_unseen(void) { return (int32_t)(console.unseen_end - console.read) > 0; }

static void commit_locked(void) {
    ASSERT_LOCKED(&console.lock);
    if (console.unseen && !has_unseen())
        console.unseen_start = console.committed;
    for (uint32_t i = 0; i < console.line.n; i++)
        *at(console.committed++) = console.line.text[i];
    if (console.unseen)
        console.unseen_end = console.committed;
    console.unseen = false;
    line_begin(&console.line);
    tell_readers_locked();
}

static void type_locked(char c) {
    ASSERT_LOCKED(&console.lock);
    uint32_t most = CONSOLE_BUFFER - UART_BATCH;
    console.unseen |= by_line() && !echoes();
    if (!by_line()) {
        if (echoes())
            line_echo(c);
        *at(console.committed++) = c;
        tell_readers_locked();
    } else if (c == CTRL('L') && echoes()) {
        uart_echo(CLEAR_SCREEN, sizeof(CLEAR_SCREEN) - 1);
        uart_echo(console.prompt, console.prompt_bytes);
        line_show(&console.line);
    } else if (line_key(&console.line, terminal_editors_key(&console.modes, c),
                        most - MIN(most, bytes_ready()))) {
        commit_locked();
    }
}

static void unhold_locked(void) {
    ASSERT_LOCKED(&console.lock);
    if (console.held && bytes_held() <= CONSOLE_BUFFER / 2) {
        console.held = false;
        uart_hold_input(false);
    }
}

static void drop_input_locked(void) {
    ASSERT_LOCKED(&console.lock);
    console.read = console.committed;
    console.in_line = console.unseen = false;
    line_begin(&console.line);
    unhold_locked();
}

/* ^C, ^Z and ^\: what was typed, and nobody has read, goes too. A shell that has written its prompt
 * before has to learn of it; for one that writes it afterwards there is nothing to learn. */
static void interrupted_by(char c, int32_t signal) {
    const char shown[3] = {'^', (char)(c ^ '@'), '\n'};
    spin_lock(&console.lock);
    if (echoes())
        uart_echo(shown, sizeof(shown));
    console.interrupted = true;
    if (!(console.modes.local & TERMINAL_NOFLSH))
        drop_input_locked();
    spin_unlock(&console.lock);
    proc_interrupt(signal);
    spin_lock(&console.lock);
    tell_readers_locked();
    spin_unlock(&console.lock);
}

/* From the UART's interrupt. There is room for UART_BATCH characters, else the
 * input would be held. */
static void console_input(const char *text, size_t n) {
    bool list = false;
    spin_lock(&console.lock);
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (!terminal_translate(&console.modes, &c))
            continue;
        int32_t signal = terminal_signal(&console.modes, c);
        if (signal) {
            spin_unlock(&console.lock);
            interrupted_by(c, signal);
            spin_lock(&console.lock);
        } else if (c == CTRL('P') && by_line()) {
            list = true;
        } else {
            type_locked(c);
        }
    }
    if (bytes_held() > CONSOLE_BUFFER - UART_BATCH) {
        console.held = true;
        uart_hold_input(true);
        commit_locked(); /* a line that is longer than the buffer */
    }
    spin_unlock(&console.lock);
    if (list)
        proc_dump(); /* prints */
}

static bool is_shell(void) { return proc_self()->manages_jobs || proc_self()->depth == 1; }

/* Of the ^C that came last, once. */
static bool learns_of_interrupt_locked(void) {
    ASSERT_LOCKED(&console.lock);
    bool learns = console.interrupted && is_shell();
    if (learns)
        console.interrupted = false;
    return learns;
}

static bool is_seen(uint32_t position) {
    return !has_unseen() || (int32_t)(position - console.unseen_start) < 0;
}

/* A shell begins to read the oldest line: it can be recalled, if it was echoed, and another prompt
 * will come. */
static void remember_locked(void) {
    ASSERT_LOCKED(&console.lock);
    uint32_t end = console.read;
    while (end != console.committed && *at(end) != '\n' && *at(end) != CTRL('D'))
        end++;
    uint32_t n = end - console.read;
    bool keeps = n > 0 && end != console.committed && is_seen(console.read);
    char *kept = keeps ? history_room(&console.line.history, n) : NULL;
    for (uint32_t i = 0; kept && i < n; i++)
        kept[i] = *at(console.read + i);
    if (kept)
        history_keep(&console.line.history, n);
    console.prompt_bytes = 0;
}

/* Moves up to n > 0 bytes of the oldest line to chunk; *end when that was its last.
 * Waits for a line unless the caller has got a part of one. -K_EINTR: killed, or ^C; a shell
 * that knows of no ^C gets an empty line. */
static int take(char *chunk, size_t n, bool started, bool waits, size_t *taken, bool *end) {
    bool interrupted = false;
    *taken = 0;
    spin_lock(&console.lock);
    while (console.read == console.committed && !started && !interrupted) {
        if (proc_interrupted()) {
            spin_unlock(&console.lock);
            return -K_EINTR;
        }
        interrupted = learns_of_interrupt_locked();
        if (!interrupted && !waits) {
            spin_unlock(&console.lock);
            return -K_EAGAIN;
        }
        if (!interrupted)
            sleep_on(&console.input, &console.lock);
    }
    *end = interrupted || console.read == console.committed;
    if (interrupted && !proc_self()->manages_jobs)
        chunk[(*taken)++] = '\n';
    if (!*end && !console.in_line && is_shell())
        remember_locked();
    while (!*end && *taken < n && console.read != console.committed) {
        char c = *at(console.read);
        *end = c == '\n' || c == CTRL('D');
        console.in_line = !*end;
        if (c == CTRL('D') && (started || *taken > 0))
            break; /* it stays, and is the next read's end of file */
        console.read++;
        if (c != CTRL('D'))
            chunk[(*taken)++] = c;
    }
    unhold_locked();
    spin_unlock(&console.lock);
    return interrupted && *taken == 0 ? -K_EINTR : 0;
}

static int read_by_line(uaddr_t dst, size_t n, bool waits, size_t *done) {
    char chunk[CHUNK];
    bool end = false;
    while (*done < n && !end) {
        size_t taken;
        int err = take(chunk, MIN(n - *done, sizeof(chunk)), *done > 0, waits, &taken, &end);
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
static int wait_for_bytes_locked(size_t n) {
    ASSERT_LOCKED(&console.lock);
    const uint8_t *keys = console.modes.keys;
    uint64_t span = keys[TERMINAL_VTIME] * (NANOSECONDS / 10);
    bool whole = keys[TERMINAL_VMIN] == 0; /* the span is for all of the wait */
    bool timed = false, over = false, stop = false;
    for (uint32_t seen = 0; bytes_ready() < terminal_least(&console.modes, n) && !over && !stop;) {
        if (span && (bytes_ready() > seen || (whole && !timed))) {
            if (timed)
                clock_end_alarm();
            clock_set_alarm(clock_after(span));
            timed = true;
            seen = bytes_ready();
        }
        stop = proc_interrupted();
        over = timed && clock_alarm_rang();
        if (!stop && !over)
            sleep_on(&console.input, &console.lock);
    }
    if (timed)
        clock_end_alarm();
    return stop && bytes_ready() == 0 ? -K_EINTR : 0;
}

static size_t take_bytes_locked(char *chunk, size_t n) {
    ASSERT_LOCKED(&console.lock);
    size_t taken = 0;
    while (taken < n && bytes_ready() > 0)
        chunk[taken++] = *at(console.read++);
    unhold_locked();
    return taken;
}

/* -K_EINTR; -K_EAGAIN: it would wait. */
static int find_bytes_locked(size_t n, bool waits) {
    ASSERT_LOCKED(&console.lock);
    if (waits)
        return wait_for_bytes_locked(n);
    return bytes_ready() || !terminal_least(&console.modes, n) ? 0 : -K_EAGAIN;
}

static int read_by_byte(uaddr_t dst, size_t n, bool waits, size_t *done) {
    char chunk[CHUNK];
    for (size_t taken = sizeof(chunk); *done < n && taken == sizeof(chunk); *done += taken) {
        spin_lock(&console.lock);
        int err = *done > 0 ? 0 : find_bytes_locked(n, waits);
        taken = err ? 0 : take_bytes_locked(chunk, MIN(n - *done, sizeof(chunk)));
        spin_unlock(&console.lock);
        if (!err)
            err = copyout(UA(dst.v + *done), chunk, taken);
        if (err)
            return *done > 0 ? 0 : err;
    }
    return 0;
}

static int read_some(uaddr_t dst, size_t n, bool waits, size_t *done) {
    *done = 0;
    int err = proc_from_background(ABI_SIGTTIN);
    if (err)
        return err;
    spin_lock(&console.lock);
    bool lines = by_line();
    spin_unlock(&console.lock);
    return lines ? read_by_line(dst, n, waits, done) : read_by_byte(dst, n, waits, done);
}

static int console_read(uaddr_t dst, size_t n, size_t *done) {
    return read_some(dst, n, true, done);
}

static int console_read_now(uaddr_t dst, size_t n, size_t *done) {
    return read_some(dst, n, false, done);
}

/* Output is always taken, in the end. Where there are no lines, as many bytes make it readable as a
 * read would wait for, if it would wait for them for ever; and a read does not hear of a ^C. */
static unsigned console_ready(struct watch *w) {
    spin_lock(&console.lock);
    if (w)
        watch_begin(w, &console.watched, &console.lock);
    uint32_t least = terminal_least_for_ever(&console.modes);
    bool news = by_line() && console.interrupted && is_shell();
    bool some = bytes_ready() >= least;
    spin_unlock(&console.lock);
    return READY_WRITABLE | (some || news ? READY_READABLE : 0);
}

/* ---- output --------------------------------------------------------------*/

static void note_prompt_locked(const char *chunk, size_t n) {
    ASSERT_LOCKED(&console.lock);
    for (size_t i = 0; i < n; i++) {
        if (chunk[i] == '\n')
            console.prompt_bytes = 0;
        else if (console.prompt_bytes < PROMPT)
            console.prompt[console.prompt_bytes++] = chunk[i];
    }
}

/* A shell's prompt stands in front of a ^C's echo, or behind it: then the ^C is no news. */
static int write_chunk(const char *chunk, size_t n, size_t *done) {
    size_t sent = 0;
    *done = 0;
    if (is_shell()) {
        spin_lock(&console.lock);
        console.interrupted = false;
        note_prompt_locked(chunk, n);
        sent = uart_write_some(chunk, n);
        spin_unlock(&console.lock);
    }
    int err = sent < n ? uart_write(chunk + sent, n - sent, done) : 0;
    *done += sent;
    return err;
}

static int console_write(uaddr_t src, size_t n, size_t *done) {
    char chunk[CHUNK];
    *done = 0;
    bool stops = __atomic_load_n(&console.modes.local, __ATOMIC_RELAXED) & TERMINAL_TOSTOP;
    int stopped = stops ? proc_from_background(ABI_SIGTTOU) : 0;
    if (stopped)
        return stopped;
    while (*done < n) {
        /* No chunk crosses a page, so all before a bad one gets out. */
        uint64_t from = src.v + *done;
        size_t length = MIN(n - *done, sizeof(chunk));
        length = MIN(length, PAGE_SIZE - from % PAGE_SIZE);
        size_t sent = 0;
        int err = copyin(chunk, UA(from), length);
        if (!err)
            err = write_chunk(chunk, length, &sent);
        *done += sent;
        if (err)
            return *done > 0 ? 0 : err;
    }
    return 0;
}

/* ---- modes ----------------------------------------------------------------*/

void console_get_modes(struct terminal *t) {
    spin_lock(&console.lock);
    *t = console.modes;
    spin_unlock(&console.lock);
}

static void set_modes_locked(const struct terminal *t) {
    ASSERT_LOCKED(&console.lock);
    bool lines = by_line();
    console.modes = *t;
    console.line.silent = !echoes();
    if (lines && !by_line() && console.line.n > 0)
        commit_locked();
    console.in_line &= by_line();
    tell_readers_locked(); /* what they wait for may be there now */
}

int console_set_modes(const struct terminal *t, bool drop_input) {
    int err = proc_from_background(ABI_SIGTTOU);
    if (err)
        return err;
    spin_lock(&console.lock);
    if (drop_input)
        drop_input_locked();
    set_modes_locked(t);
    spin_unlock(&console.lock);
    return 0;
}

void console_make_sane(void) {
    static const struct terminal sane = TERMINAL_SANE;
    spin_lock(&console.lock);
    set_modes_locked(&sane);
    spin_unlock(&console.lock);
}

int console_drop_input(void) {
    int err = proc_from_background(ABI_SIGTTOU);
    if (err)
        return err;
    spin_lock(&console.lock);
    drop_input_locked();
    spin_unlock(&console.lock);
    return 0;
}

uint32_t console_bytes_ready(void) {
    spin_lock(&console.lock);
    uint32_t n = bytes_ready();
    spin_unlock(&console.lock);
    return n;
}

/* ---- the kernel's own, and boot --------------------------------------------*/

/* kprintf's. A panic may come from anywhere; else nobody waits for the device with a lock. */
static void console_sink(void *ctx, const char *text, size_t n) {
    if (DEBUG && !kprintf_lock_broken())
        spin_expect_none("kprintf");
    uart_write_now(text, n);
}

static const struct chardev_ops console_ops = {.read = console_read,
                                               .read_now = console_read_now,
                                               .write = console_write,
                                               .ready = console_ready};

void console_init(void) {
    bool have_uart = uart_init();
    kprintf_set_sink(console_sink, NULL);
    chardev_register(MAJOR_CONSOLE, &console_ops);
    screen_init();
    uart_start(console_input);
    if (!have_uart && !boot_quiet())
        kprintf("console: no UART that Trellis has a driver for; it is the firmware's\n");
}
