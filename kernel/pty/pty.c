/* Pairs, from the first open to the last close, and what the slave's terminal does with its other
 * side: see pty.h. */
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "pty/pair.h"
#include "vfs/descriptor.h"

#define MAJOR_SLAVE 136
#define FRAMES 3 /* the terminal's buffer and line, and the queue */
_Static_assert(TTY_BUFFER == PAGE_SIZE && PTY_QUEUE == PAGE_SIZE, "a frame for each");
_Static_assert(PTY_MOST + 1 <= CONTROLS_MAX, "with the console");

static struct slab records = SLAB_INIT(records, sizeof(struct pty));
static struct spinlock table_lock = SPINLOCK_INIT(RANK_PTYS);
static struct pty *table[PTY_MOST]; /* by number; each from its making to its end */

static struct pty *pty_of(const struct tty *t) {
    return CONTAINER_OF((struct tty *)t, struct pty, tty);
}

/* ---- the queue ---------------------------------------------------------------- */

static uint32_t room(const struct pty *p) { return PTY_QUEUE - pty_queued(p); }

static void push(struct pty *p, char c) { p->queue[p->tail++ % PTY_QUEUE] = c; }

static void tell_master_locked(struct pty *p) {
    ASSERT_LOCKED(&p->tty.lock);
    wakeup(&p->output);
    watched_changed(&p->watched);
}

/* As many of n bytes as there is room for, as the modes want them to be shown. */
static size_t show_locked(struct pty *p, const char *text, size_t n) {
    ASSERT_LOCKED(&p->tty.lock);
    const uint32_t both = TERMINAL_OPOST | TERMINAL_ONLCR;
    bool returns = (p->tty.modes.output & both) == both;
    size_t shown = 0;
    for (; shown < n; shown++) {
        bool two = returns && text[shown] == '\n';
        if (room(p) < 1u + two)
            break;
        if (two)
            push(p, '\r');
        push(p, text[shown]);
    }
    if (shown > 0)
        tell_master_locked(p);
    return shown;
}

static bool has_room(const struct tty *t) {
    const struct pty *p = pty_of(t);
    return pty_queued(p) <= PTY_QUEUE / 2;
}

static void tell_writers_locked(struct pty *p) {
    ASSERT_LOCKED(&p->tty.lock);
    wakeup(&p->room);
    watched_changed(&p->tty.watched);
}

size_t pty_take_locked(struct pty *p, char *to, size_t n) {
    ASSERT_LOCKED(&p->tty.lock);
    bool had_room = has_room(&p->tty);
    size_t taken = 0;
    while (taken < n && pty_queued(p) > 0)
        to[taken++] = p->queue[p->head++ % PTY_QUEUE];
    if (!had_room && has_room(&p->tty))
        tell_writers_locked(p);
    return taken;
}

/* ---- the terminal's other side --------------------------------------------------- */

static int wait_for_room_locked(struct pty *p, bool waits) {
    ASSERT_LOCKED(&p->tty.lock);
    if (p->tty.hung_up)
        return -K_EIO;
    if (!waits)
        return -K_EAGAIN;
    if (proc_interrupted())
        return -K_EINTR;
    sleep_on(&p->room, &p->tty.lock);
    return 0;
}

static int slave_write(struct tty *t, const char *text, size_t n, bool waits, size_t *done) {
    struct pty *p = pty_of(t);
    int err = 0;
    *done = 0;
    spin_lock(&t->lock);
    while (*done < n && !err) {
        *done += t->hung_up ? 0 : show_locked(p, text + *done, n - *done);
        if (*done < n)
            err = wait_for_room_locked(p, waits);
    }
    spin_unlock(&t->lock);
    return err;
}

static size_t slave_write_some(struct tty *t, const char *text, size_t n) {
    return t->hung_up ? 0 : show_locked(pty_of(t), text, n);
}

/* Who types is who reads the master, and cannot be waited for. */
static void slave_echo(struct tty *t, const char *text, size_t n) {
    (void)!show_locked(pty_of(t), text, n);
}

static void slave_hold(struct tty *t, bool hold) {
    struct pty *p = pty_of(t);
    if (!hold) {
        wakeup(&p->unheld);
        watched_changed(&p->watched);
    }
}

static uint32_t slave_unsent(const struct tty *t) { return pty_queued(pty_of(t)); }

static void slave_drop_output(struct tty *t) {
    struct pty *p = pty_of(t);
    p->head = p->tail;
    tell_writers_locked(p);
}

static void slave_opened(struct tty *t) {
    struct pty *p = pty_of(t);
    spin_lock(&t->lock);
    p->slaves++;
    p->was_open = true;
    spin_unlock(&t->lock);
}

static void slave_closed(struct tty *t) {
    struct pty *p = pty_of(t);
    spin_lock(&t->lock);
    p->slaves--;
    if (pty_is_left(p)) {
        wakeup(&p->unheld);
        tell_master_locked(p);
    }
    spin_unlock(&t->lock);
}

static void slave_get(struct tty *t) { pty_get(pty_of(t)); }
static void slave_put(struct tty *t) { pty_put(pty_of(t)); }

static const struct tty_ops slave_ops = {
    .write = slave_write,
    .write_some = slave_write_some,
    .echo = slave_echo,
    .has_room = has_room,
    .hold = slave_hold,
    .unsent = slave_unsent,
    .drop_output = slave_drop_output,
    .opened = slave_opened,
    .closed = slave_closed,
    .hold_it = slave_get,
    .put = slave_put,
};

/* ---- from its making to its end ---------------------------------------------------- */

/* A number that no pair has; false: there is none, or those that are left are kept for others. */
static bool take_number(struct pty *p) {
    uint32_t kept = fd_in_reserve() ? 0 : PTY_KEPT, left = 0;
    spin_lock(&table_lock);
    for (uint32_t i = PTY_MOST; i-- > 0;)
        if (!table[i]) {
            p->number = i;
            left++;
        }
    bool may = left > kept;
    if (may)
        table[p->number] = p;
    spin_unlock(&table_lock);
    return may;
}

static char *take_frame(void) { return pa_ptr(frame_take()); }

static void fill(struct pty *p) {
    const struct tty_memory memory = {.buffer = take_frame(), .line = take_frame()};
    p->queue = take_frame();
    tty_init(&p->tty, &slave_ops, &memory);
    control_init(&p->tty.control, false, MAJOR_SLAVE << 8 | p->number);
    wait_channel_init(&p->output);
    wait_channel_init(&p->room);
    wait_channel_init(&p->unheld);
    pty_node_init(p);
}

int pty_create(struct pty **out) {
    int err = frame_commit(FRAMES);
    if (err)
        return err;
    struct pty *p = slab_take(&records);
    if (!p) {
        frame_uncommit(FRAMES);
        return -K_ENOMEM;
    }
    *p = (struct pty){.refs = 1, .locked = true};
    if (!take_number(p)) {
        slab_give(&records, p);
        frame_uncommit(FRAMES);
        return -K_ENOSPC;
    }
    fill(p);
    spin_lock(&table_lock);
    p->named = true;
    spin_unlock(&table_lock);
    *out = p;
    return 0;
}

void pty_get(struct pty *p) { __atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED); }

void pty_put(struct pty *p) {
    if (__atomic_fetch_sub(&p->refs, 1, __ATOMIC_ACQ_REL) > 1)
        return;
    spin_lock(&table_lock);
    table[p->number] = NULL;
    spin_unlock(&table_lock);
    frame_free(ptr_pa(p->queue));
    frame_free(ptr_pa(p->tty.buffer));
    frame_free(ptr_pa(p->tty.line.text));
    slab_give(&records, p);
}

struct pty *pty_next(uint32_t *number) {
    struct pty *found = NULL;
    spin_lock(&table_lock);
    for (; *number < PTY_MOST && !found; ++*number) {
        found = table[*number] && table[*number]->named ? table[*number] : NULL;
        if (found) {
            pty_get(found);
            break;
        }
    }
    spin_unlock(&table_lock);
    return found;
}

void pty_end(struct pty *p) {
    spin_lock(&table_lock);
    p->named = false;
    spin_unlock(&table_lock);
    tty_hang_up(&p->tty);
    spin_lock(&p->tty.lock);
    tell_writers_locked(p);
    spin_unlock(&p->tty.lock);
    pty_put(p);
}

/* ---- what others ask ---------------------------------------------------------------- */

struct tty *pty_tty(struct pty *p) {
    return &p->tty;
}
struct node *pty_node(struct pty *p) {
    return &p->node;
}
uint32_t pty_number(const struct pty *p) { return p->number; }

void pty_lock(struct pty *p, bool locked) {
    spin_lock(&p->tty.lock);
    p->locked = locked;
    spin_unlock(&p->tty.lock);
}

bool pty_has_lock(struct pty *p) {
    spin_lock(&p->tty.lock);
    bool locked = p->locked;
    spin_unlock(&p->tty.lock);
    return locked;
}
