/* The console's line discipline.
 *
 * The buffer is a ring, with positions that only grow:
 *     read <= committed <= read + CONSOLE_BUFFER
 * [read, committed) is for readers. The line being typed (lineedit.h) goes there when it ends; both
 * together have at most CONSOLE_BUFFER bytes. A ^D stands in the buffer as itself.
 *
 * Lock: console.lock guards all of it; under it the UART's lock is taken, and
 * those of the processes that are woken. Neither kprintf takes it, nor ^C while it
 * looks for whom to end. */
#include "dev/console.h"
#include "arch/layout.h"
#include "dev/bootargs.h"
#include "dev/chardev.h"
#include "dev/lineedit.h"
#include "dev/uart.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/uaccess.h"
#include "proc/group.h"

#define CTRL(letter) ((letter) - '@')
#define CHUNK 128 /* bytes copied at once; on the stack */
#define PROMPT 32 /* bytes */
#define CLEAR_SCREEN "\033[H\033[2J"

static struct {
    struct spinlock lock;
    struct wait_channel input;
    struct watched watched; /* the same */
    bool held;              /* input stays in the UART */
    bool interrupted;       /* by ^C, and no shell has written or read since */
    bool in_line;           /* some of the oldest line has been read */
    uint32_t read, committed;
    char prompt[PROMPT]; /* what a shell has written since it read a line, and since its newline */
    uint32_t prompt_bytes;
    struct line line;
    char buffer[CONSOLE_BUFFER];
} console = {
    .lock = SPINLOCK_INIT(RANK_CONSOLE),
    .input = {LIST_INIT(console.input.sleepers)},
};
_Static_assert((CONSOLE_BUFFER & (CONSOLE_BUFFER - 1)) == 0, "positions wrap with their type");

static char *at(uint32_t position) { return &console.buffer[position % CONSOLE_BUFFER]; }

/* ---- input ---------------------------------------------------------------*/

static uint32_t bytes_held(void) { return console.committed - console.read + console.line.n; }

static void commit_locked(void) {
    ASSERT_LOCKED(&console.lock);
    for (uint32_t i = 0; i < console.line.n; i++)
        *at(console.committed++) = console.line.text[i];
    line_begin(&console.line);
    wakeup(&console.input);
    watched_changed(&console.watched);
}

static void type_locked(char c) {
    ASSERT_LOCKED(&console.lock);
    uint32_t waiting = console.committed - console.read, most = CONSOLE_BUFFER - UART_BATCH;
    if (c == CTRL('L')) {
        uart_echo(CLEAR_SCREEN, sizeof(CLEAR_SCREEN) - 1);
        uart_echo(console.prompt, console.prompt_bytes);
        line_show(&console.line);
    } else if (line_key(&console.line, c, most - MIN(most, waiting))) {
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

/* ^C, ^Z and ^\: what was typed, and nobody has read, goes too. A shell that has written its prompt
 * before has to learn of it; for one that writes it afterwards there is nothing to learn. */
static void interrupted_by(char c) {
    const char shown[3] = {'^', (char)(c ^ '@'), '\n'};
    spin_lock(&console.lock);
    uart_echo(shown, sizeof(shown));
    console.interrupted = true;
    console.read = console.committed;
    console.in_line = false;
    line_begin(&console.line);
    unhold_locked();
    spin_unlock(&console.lock);
    proc_interrupt(c == CTRL('C') ? ABI_SIGINT : c == CTRL('Z') ? ABI_SIGTSTP : ABI_SIGQUIT);
    spin_lock(&console.lock);
    wakeup(&console.input);
    watched_changed(&console.watched);
    spin_unlock(&console.lock);
}

/* From the UART's interrupt. There is room for UART_BATCH characters, else the
 * input would be held. */
static void console_input(const char *text, size_t n) {
    bool list = false;
    spin_lock(&console.lock);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == CTRL('P')) {
            list = true;
        } else if (text[i] == CTRL('C') || text[i] == CTRL('Z') || text[i] == CTRL('\\')) {
            spin_unlock(&console.lock);
            interrupted_by(text[i]);
            spin_lock(&console.lock);
        } else {
            type_locked(text[i]);
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

/* A shell begins to read the oldest line: it can be recalled, and another prompt will come. */
static void remember_locked(void) {
    ASSERT_LOCKED(&console.lock);
    uint32_t end = console.read;
    while (end != console.committed && *at(end) != '\n' && *at(end) != CTRL('D'))
        end++;
    uint32_t n = end - console.read;
    char *kept = n > 0 && end != console.committed ? history_room(&console.line.history, n) : NULL;
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

static int read_some(uaddr_t dst, size_t n, bool waits, size_t *done) {
    char chunk[CHUNK];
    bool end = false;
    *done = 0;
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

static int console_read(uaddr_t dst, size_t n, size_t *done) {
    return read_some(dst, n, true, done);
}

static int console_read_now(uaddr_t dst, size_t n, size_t *done) {
    return read_some(dst, n, false, done);
}

/* Output is always taken, in the end. */
static unsigned console_ready(struct watch *w) {
    spin_lock(&console.lock);
    if (w)
        watch_begin(w, &console.watched, &console.lock);
    bool news = console.interrupted && is_shell();
    bool line = console.read != console.committed;
    spin_unlock(&console.lock);
    return READY_WRITABLE | (line || news ? READY_READABLE : 0);
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
    uart_start(console_input);
    if (!have_uart && !boot_quiet())
        kprintf("console: no UART that Trellis has a driver for; it is the firmware's\n");
}
