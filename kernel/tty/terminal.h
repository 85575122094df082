/* What a program can say of a terminal: bits, keys and layout are those that Linux has on RISC-V
 * (struct termios), since other interfaces have none. What is not named here is kept and told, and
 * does nothing: speeds, parity, and IXOFF; and OPOST with ONLCR at the console, since whatever is
 * at the other end of the serial line makes a new line of a NL. */
#pragma once
#include "lib/types.h"

/* input */
#define TERMINAL_INLCR 0x40  /* a NL becomes a CR */
#define TERMINAL_IGNCR 0x80  /* a CR is dropped */
#define TERMINAL_ICRNL 0x100 /* a CR becomes a NL */
#define TERMINAL_IXON 0x400  /* VSTOP stops the output, and VSTART or a signal lets it go on */
#define TERMINAL_IXANY 0x800 /* so does any other key */
/* output */
#define TERMINAL_OPOST 1
#define TERMINAL_ONLCR 4
/* control: 38400 baud, 8 bits, receives */
#define TERMINAL_USUAL_CONTROL 0xbf
/* local */
#define TERMINAL_ISIG 1 /* VINTR, VQUIT and VSUSP are signals for the foreground */
#define TERMINAL_ICANON \
    2                   /* lines, edited by the kernel; else each byte, and no other key is one \
                         */
#define TERMINAL_ECHO 8 /* what is typed is shown */
#define TERMINAL_ECHOE 0x10
#define TERMINAL_ECHOK 0x20
#define TERMINAL_NOFLSH 0x80  /* these signals do not drop what nobody has read */
#define TERMINAL_TOSTOP 0x100 /* the background must not write */
#define TERMINAL_ECHOCTL 0x200
#define TERMINAL_ECHOKE 0x800
#define TERMINAL_IEXTEN 0x8000

/* Which character is which key; 0: none is. The last two are numbers, and count without ICANON: a
 * read waits until there are VMIN bytes, or as many as it asks for. VTIME limits that, in tenths of
 * a second: to so much after each byte; with a VMIN of 0, from the beginning on, for one byte.
 * VTIME 0 is no limit, and both 0 no wait. */
enum terminal_key {
    TERMINAL_VINTR,
    TERMINAL_VQUIT,
    TERMINAL_VERASE,
    TERMINAL_VKILL,
    TERMINAL_VEOF,
    TERMINAL_VTIME,
    TERMINAL_VMIN,
    TERMINAL_VSTART = 8,
    TERMINAL_VSTOP,
    TERMINAL_VSUSP,
    TERMINAL_VWERASE = 14,
    TERMINAL_KEYS = 19,
};

struct terminal {
    uint32_t input, output, control, local;
    uint8_t discipline, keys[TERMINAL_KEYS];
};
_Static_assert(sizeof(struct terminal) == 36, "struct termios");

/* As at boot: an initializer. */
#define TERMINAL_SANE \
    { \
        .input = TERMINAL_ICRNL | TERMINAL_IXON, .output = TERMINAL_OPOST | TERMINAL_ONLCR, \
        .control = TERMINAL_USUAL_CONTROL, \
        .local = TERMINAL_ISIG | TERMINAL_ICANON | TERMINAL_ECHO | TERMINAL_ECHOE | \
                 TERMINAL_ECHOK | TERMINAL_ECHOCTL | TERMINAL_ECHOKE | TERMINAL_IEXTEN, \
        .keys = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22}, \
    }

static inline bool terminal_has_lines(const struct terminal *t) {
    return t->local & TERMINAL_ICANON;
}

/* What a key is for the editor of lines, which knows each by the character that it has at first.
 * '\0': nothing, as for one that another key has taken the place of. */
char terminal_editors_key(const struct terminal *t, char c);
/* What a key does to the output. TERMINAL_STARTS_TOO: and it is what else it is. */
enum terminal_flow { TERMINAL_GOES_ON, TERMINAL_STOPS, TERMINAL_STARTS, TERMINAL_STARTS_TOO };
enum terminal_flow terminal_flow(const struct terminal *t, char c);
/* The signal that a key is for; 0: it is text. */
int32_t terminal_signal(const struct terminal *t, char c);
/* The ends of lines as programs want them; false: nothing is left of it. */
bool terminal_translate(const struct terminal *t, char *c);
/* How many bytes end the wait of a read of n: one where there are lines, since they are no more. */
uint32_t terminal_least(const struct terminal *t, size_t n);
/* How many make a terminal readable for who asks without reading: as many as a read would wait for,
 * if it would wait for them for ever; else one. */
uint32_t terminal_least_for_ever(const struct terminal *t);
