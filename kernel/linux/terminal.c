/* The terminal: ioctl, of the console. */
#include "dev/chardev.h"
#include "dev/console.h"
#include "dev/screen.h"
#include "dev/uart.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/group.h"
#include "vfs/open.h"

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCSBRK 0x5409
#define TCXONC 0x540a
#define TCFLSH 0x540b
#define TIOCSCTTY 0x540e
#define TIOCGPGRP 0x540f
#define TIOCSPGRP 0x5410
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define FIONREAD 0x541b
#define TCGETS2 0x802c542a
#define TCSETS2 0x402c542b
#define TCSETSW2 0x402c542c
#define TCSETSF2 0x402c542d

#define TCIFLUSH 0
#define TCIOFLUSH 2

/* The same with speeds as numbers; which the console does not have. */
struct termios2 {
    struct terminal t;
    uint32_t speeds[2];
};

struct winsize {
    struct screen_size screen;
    uint16_t pixels[2];
};

static bool is_console(const struct file *f) {
    const struct chardev_ops *device = devfile_device(f);
    return device && device == chardev_find(MAJOR_CONSOLE);
}

/* ---- modes ---- */

static int tell_modes(uint64_t address, size_t bytes) {
    struct termios2 all = {.speeds = {38400, 38400}};
    console_get_modes(&all.t);
    return copyout(UA(address), &all, bytes);
}

static int set_modes(uint64_t address, bool drain, bool drop_input) {
    struct terminal t;
    int err = copyin(&t, UA(address), sizeof(t));
    if (err)
        return err;
    if (drain)
        uart_flush();
    return console_set_modes(&t, drop_input);
}

static int flush(uint64_t which) {
    if (which > TCIOFLUSH)
        return -K_EINVAL;
    /* Output that was written gets out. */
    return which == TCIFLUSH || which == TCIOFLUSH ? console_drop_input() : 0;
}

static int drain(void) {
    uart_flush();
    return 0;
}

/* ---- whose it is ---- */

static int set_foreground(uint64_t address) {
    int32_t group;
    bool interrupted;
    int err = copyin(&group, UA(address), sizeof(group));
    if (err)
        return err;
    if (group < 0)
        return -K_EINVAL;
    err = proc_from_background(ABI_SIGTTOU);
    return err ? err : proc_set_foreground(group, false, &interrupted);
}

static int tell_foreground(uint64_t address) {
    int32_t group = proc_foreground();
    return copyout(UA(address), &group, sizeof(group));
}

/* There is one session, and this is its terminal: what is left to do is what the first group of a
 * new one gets. */
static int take_terminal(void) {
    int32_t group;
    bool interrupted;
    int err = proc_get_group(0, &group);
    if (err || group != proc_self()->pid)
        return err ? err : -K_EPERM;
    return proc_set_foreground(group, false, &interrupted);
}

/* ---- how large it is, and what waits there ---- */

static int tell_size(uint64_t address) {
    struct winsize size = {.screen = screen_size()};
    return copyout(UA(address), &size, sizeof(size));
}

static int set_size(uint64_t address) {
    struct winsize size;
    int err = copyin(&size, UA(address), sizeof(size));
    if (!err)
        screen_set_size(size.screen);
    return err;
}

static int tell_ready(uint64_t address) {
    uint32_t n = console_bytes_ready();
    return copyout(UA(address), &n, sizeof(n));
}

int linux_terminal(struct file *f, const uint64_t arg[6], uint64_t *result) {
    uint64_t at = arg[2];
    if (!is_console(f))
        return -K_ENOTTY;
    switch ((uint32_t)arg[1]) {
    case TCGETS: return tell_modes(at, sizeof(struct terminal));
    case TCGETS2: return tell_modes(at, sizeof(struct termios2));
    case TCSETS:
    case TCSETS2: return set_modes(at, false, false);
    case TCSETSW:
    case TCSETSW2: return set_modes(at, true, false);
    case TCSETSF:
    case TCSETSF2: return set_modes(at, true, true);
    case TCSBRK: return drain(); /* and no break is sent */
    case TCXONC: return at <= 3 ? 0 : -K_EINVAL;
    case TCFLSH: return flush(at);
    case TIOCSCTTY: return take_terminal();
    case TIOCGPGRP: return tell_foreground(at);
    case TIOCSPGRP: return set_foreground(at);
    case TIOCGWINSZ: return tell_size(at);
    case TIOCSWINSZ: return set_size(at);
    case FIONREAD: return tell_ready(at);
    default: return -K_ENOTTY;
    }
}
