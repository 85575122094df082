/* What the modes of a terminal make of what is typed: see terminal.h. */
#include "tty/terminal.h"
#include "lib/abi.h"

#define CTRL(letter) ((letter) - '@')
#define DEL 0x7f

static bool is_key(const struct terminal *t, char c, enum terminal_key key) {
    return c && (uint8_t)c == t->keys[key];
}

char terminal_editors_key(const struct terminal *t, char c) {
    static const struct {
        enum terminal_key key;
        char usual;
    } keys[] = {{TERMINAL_VEOF, CTRL('D')},
                {TERMINAL_VERASE, DEL},
                {TERMINAL_VKILL, CTRL('U')},
                {TERMINAL_VWERASE, CTRL('W')}};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (is_key(t, c, keys[i].key))
            return keys[i].usual;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (c == keys[i].usual)
            return '\0';
    return c;
}

int32_t terminal_signal(const struct terminal *t, char c) {
    if (!(t->local & TERMINAL_ISIG))
        return 0;
    return is_key(t, c, TERMINAL_VINTR)   ? ABI_SIGINT
           : is_key(t, c, TERMINAL_VSUSP) ? ABI_SIGTSTP
           : is_key(t, c, TERMINAL_VQUIT) ? ABI_SIGQUIT
                                          : 0;
}

enum terminal_flow terminal_flow(const struct terminal *t, char c) {
    if (!(t->input & TERMINAL_IXON))
        return TERMINAL_GOES_ON;
    return is_key(t, c, TERMINAL_VSTART)                               ? TERMINAL_STARTS
           : is_key(t, c, TERMINAL_VSTOP)                              ? TERMINAL_STOPS
           : (t->input & TERMINAL_IXANY) || terminal_signal(t, c) != 0 ? TERMINAL_STARTS_TOO
                                                                       : TERMINAL_GOES_ON;
}

bool terminal_translate(const struct terminal *t, char *c) {
    if (*c == '\r' && (t->input & TERMINAL_IGNCR))
        return false;
    if (*c == '\r' && (t->input & TERMINAL_ICRNL))
        *c = '\n';
    else if (*c == '\n' && (t->input & TERMINAL_INLCR))
        *c = '\r';
    return true;
}

uint32_t terminal_least(const struct terminal *t, size_t n) {
    uint32_t least = t->keys[TERMINAL_VMIN] ? t->keys[TERMINAL_VMIN] : t->keys[TERMINAL_VTIME] > 0;
    return terminal_has_lines(t) ? 1 : (uint32_t)MIN(least, n);
}

uint32_t terminal_least_for_ever(const struct terminal *t) {
    bool waits_less = terminal_has_lines(t) || t->keys[TERMINAL_VTIME];
    return waits_less ? 1 : MAX(t->keys[TERMINAL_VMIN], 1);
}
