/* The size of the screen: see screen.h. It is one word, read and written at once: there is nothing
 * to lock. */
#include "dev/screen.h"
#include "dev/bootargs.h"
#include "lib/abi.h"
#include "proc/group.h"
#include "proc/signal.h"

#define USUAL_ROWS 24
#define USUAL_COLUMNS 80

static struct screen_size now = {USUAL_ROWS, USUAL_COLUMNS}; /* atomic */

static uint16_t said(const char *argument, uint16_t usual) {
    uint64_t n;
    return !bootarg_number(argument, &n) && n > 0 && n <= UINT16_MAX ? (uint16_t)n : usual;
}

void screen_init(void) {
    now = (struct screen_size){.rows = said("rows", USUAL_ROWS),
                               .columns = said("columns", USUAL_COLUMNS)};
}

struct screen_size screen_size(void) {
    struct screen_size size;
    __atomic_load(&now, &size, __ATOMIC_RELAXED);
    return size;
}

void screen_set_size(struct screen_size size) {
    static const struct signal_info info = {.code = ABI_SI_KERNEL};
    struct screen_size before;
    __atomic_exchange(&now, &size, &before, __ATOMIC_RELAXED);
    if (size.rows != before.rows || size.columns != before.columns)
        (void)!proc_signal_group(proc_foreground(), ABI_SIGWINCH, &info); /* perhaps nobody's */
}
