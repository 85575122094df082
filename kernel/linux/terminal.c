/* Terminals: ioctl. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "pty/pty.h"
#include "vfs/open.h"
#include "vfs/ttyfile.h"

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCGETA 0x5405
#define TCSETA 0x5406
#define TCSETAW 0x5407
#define TCSETAF 0x5408
#define TCSBRK 0x5409
#define TCXONC 0x540a
#define TCFLSH 0x540b
#define TIOCSCTTY 0x540e
#define TIOCGPGRP 0x540f
#define TIOCSPGRP 0x5410
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TIOCNOTTY 0x5422
#define TIOCGSID 0x5429
#define TIOCGPTN 0x80045430
#define TIOCOUTQ 0x5411
#define TIOCSPTLCK 0x40045431
#define TIOCGPTLCK 0x80045439
#define TIOCGPTPEER 0x5441
#define TCGETS2 0x802c542a
#define TCSETS2 0x402c542b
#define TCSETSW2 0x402c542c
#define TCSETSF2 0x402c542d

#define O_NOCTTY 0x100

enum { TCOOFF, TCOON, TCIOFF, TCION };

#define TCIFLUSH 0
#define TCOFLUSH 1
#define TCIOFLUSH 2

/* The same with speeds as numbers, which no terminal here has. */
struct termios2 {
    struct terminal t;
    uint32_t speeds[2];
};

/* And as System V had them: half of each word, and the first of the keys. */
struct termio {
    uint16_t input, output, control, local;
    uint8_t discipline, keys[8];
};
_Static_assert(sizeof(struct termio) == 18, "struct termio");

struct winsize {
    struct screen_size screen;
    uint16_t pixels[2];
};

/* ---- modes ---- */

static int tell_modes(struct tty *t, uint64_t address, size_t bytes) {
    struct termios2 all = {.speeds = {38400, 38400}};
    tty_get_modes(t, &all.t);
    return copyout(UA(address), &all, bytes);
}

static int set_modes(struct tty *t, uint64_t address, bool drain, bool drop_input) {
    struct terminal modes;
    int err = copyin(&modes, UA(address), sizeof(modes));
    return err ? err : tty_set_modes(t, &modes, drain, drop_input);
}

static int tell_old_modes(struct tty *t, uint64_t address) {
    struct terminal modes;
    tty_get_modes(t, &modes);
    struct termio old = {.input = (uint16_t)modes.input,
                         .output = (uint16_t)modes.output,
                         .control = (uint16_t)modes.control,
                         .local = (uint16_t)modes.local,
                         .discipline = modes.discipline};
    memcpy(old.keys, modes.keys, sizeof(old.keys));
    return copyout(UA(address), &old, sizeof(old));
}

static void set_half(uint32_t *word, uint16_t half) { *word = (*word & ~0xffffu) | half; }

/* What is not in them stays. */
static int set_old_modes(struct tty *t, uint64_t address, bool drain, bool drop_input) {
    struct terminal modes;
    struct termio old;
    int err = copyin(&old, UA(address), sizeof(old));
    if (err)
        return err;
    tty_get_modes(t, &modes);
    set_half(&modes.input, old.input);
    set_half(&modes.output, old.output);
    set_half(&modes.control, old.control);
    set_half(&modes.local, old.local);
    modes.discipline = old.discipline;
    memcpy(modes.keys, old.keys, sizeof(old.keys));
    return tty_set_modes(t, &modes, drain, drop_input);
}

static int flush(struct tty *t, uint64_t which) {
    if (which > TCIOFLUSH)
        return -K_EINVAL;
    return tty_drop(t, which != TCOFLUSH, which != TCIFLUSH);
}

/* ---- whose it is ---- */

static int set_foreground(struct tty *t, uint64_t address) {
    int32_t group;
    bool interrupted;
    int err = copyin(&group, UA(address), sizeof(group));
    if (err)
        return err;
    if (group < 0)
        return -K_EINVAL;
    err = proc_from_background(&t->control, ABI_SIGTTOU);
    if (err == -K_EIO)
        return -K_ENOTTY;
    return err ? err : proc_set_foreground(&t->control, group, false, &interrupted);
}

/* As tcflow has it: our output, or a character that the other side may know. */
static int control_flow(struct tty *t, uint64_t what) {
    switch (what) {
    case TCOOFF:
    case TCOON: return tty_stop_output(t, what == TCOOFF);
    case TCIOFF: return tty_send_key(t, TERMINAL_VSTOP);
    case TCION: return tty_send_key(t, TERMINAL_VSTART);
    default: return -K_EINVAL;
    }
}

static int tell_unsent(struct tty *t, uint64_t address) {
    uint32_t n = tty_bytes_unsent(t);
    return copyout(UA(address), &n, sizeof(n));
}

static int tell_foreground(struct tty *t, bool any, uint64_t address) {
    int32_t group;
    int err = proc_get_foreground(&t->control, any, &group);
    return err ? err : copyout(UA(address), &group, sizeof(group));
}

static int tell_session(struct tty *t, bool any, uint64_t address) {
    int32_t session;
    int err = proc_session_of(&t->control, any, &session);
    return err ? err : copyout(UA(address), &session, sizeof(session));
}

void linux_terminal_opened(struct file *f) {
    struct tty *t = ttyfile_tty(f);
    if (t && f->readable)
        proc_offer_terminal(&t->control);
}

/* ---- how large it is ---- */

static int tell_size(struct tty *t, uint64_t address) {
    struct winsize size = {.screen = tty_size(t)};
    return copyout(UA(address), &size, sizeof(size));
}

static int set_size(struct tty *t, uint64_t address) {
    struct winsize size;
    int err = copyin(&size, UA(address), sizeof(size));
    if (!err)
        tty_set_size(t, size.screen);
    return err;
}

/* any: of a pseudo-terminal, by its master, whose own terminal it need not be. */
static int control(struct tty *t, bool any, uint32_t what, uint64_t at) {
    switch (what) {
    case TCGETS: return tell_modes(t, at, sizeof(struct terminal));
    case TCGETS2: return tell_modes(t, at, sizeof(struct termios2));
    case TCSETS:
    case TCSETS2: return set_modes(t, at, false, false);
    case TCSETSW:
    case TCSETSW2: return set_modes(t, at, true, false);
    case TCSETSF:
    case TCSETSF2: return set_modes(t, at, true, true);
    case TCGETA: return tell_old_modes(t, at);
    case TCSETA: return set_old_modes(t, at, false, false);
    case TCSETAW: return set_old_modes(t, at, true, false);
    case TCSETAF: return set_old_modes(t, at, true, true);
    case TCSBRK: return tty_drain(t); /* and no break is sent */
    case TCXONC: return control_flow(t, at);
    case TCFLSH: return flush(t, at);
    case TIOCOUTQ: return tell_unsent(t, at);
    case TIOCSCTTY: return proc_take_terminal(&t->control, at == 1);
    case TIOCNOTTY: return proc_leave_terminal(&t->control);
    case TIOCGPGRP: return tell_foreground(t, any, at);
    case TIOCSPGRP: return set_foreground(t, at);
    case TIOCGSID: return tell_session(t, any, at);
    case TIOCGWINSZ: return tell_size(t, at);
    case TIOCSWINSZ: return set_size(t, at);
    default: return -K_ENOTTY;
    }
}

/* ---- the master of a pseudo-terminal ---- */

static int tell_number(struct pty *p, uint64_t address) {
    uint32_t number = pty_number(p);
    return copyout(UA(address), &number, sizeof(number));
}

static int set_lock(struct pty *p, uint64_t address) {
    int32_t locked;
    int err = copyin(&locked, UA(address), sizeof(locked));
    if (!err)
        pty_lock(p, locked != 0);
    return err;
}

static int tell_lock(struct pty *p, uint64_t address) {
    int32_t locked = pty_has_lock(p);
    return copyout(UA(address), &locked, sizeof(locked));
}

static int make_slave(void *pty, struct file **out) {
    char path[sizeof("/dev/pts/4294967295")];
    int err = file_open_node(pty_node(pty), ABI_O_RDWR, out);
    if (err)
        return err;
    snprintf(path, sizeof(path), "/dev/pts/%u", pty_number(pty));
    file_set_path(*out, path);
    return 0;
}

static int make_own_slave(void *pty, struct file **out) {
    int err = make_slave(pty, out);
    if (!err)
        linux_terminal_opened(*out);
    return err;
}

static int open_slave(struct pty *p, uint64_t flags, uint64_t *result) {
    return linux_open_made(flags & O_NOCTTY ? make_slave : make_own_slave, p, flags, result);
}

/* What is of the master alone; all else is of its slave's terminal. What it reads is what that has
 * written. */
static int master(struct pty *p, const uint64_t arg[6], uint64_t *result) {
    uint64_t at = arg[2];
    switch ((uint32_t)arg[1]) {
    case TIOCGPTN: return tell_number(p, at);
    case TIOCSPTLCK: return set_lock(p, at);
    case TIOCGPTLCK: return tell_lock(p, at);
    case TIOCGPTPEER: return open_slave(p, at, result);
    case TCFLSH:
        return flush(pty_tty(p), at == TCIFLUSH ? TCOFLUSH : at == TCOFLUSH ? TCIFLUSH : at);
    default: return control(pty_tty(p), true, (uint32_t)arg[1], at);
    }
}

int linux_terminal(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct tty *t = ttyfile_tty(f);
    struct pty *p = pty_of_master(f);
    if (p)
        return master(p, arg, result);
    if (!t)
        return -K_ENOTTY;
    return tty_is_hung_up(t) ? -K_EIO : control(t, false, (uint32_t)arg[1], arg[2]);
}
