/* What a guest prints, and what of it says that something is wrong: the words of xv6, and of
 * kernels that took them over. */
#include "machine/doctor/inside.h"
#include <string.h>

/* The hexadecimal number behind the word: "sepc=0x80001234", "scause 0x000000000000000d". Old
 * printfs do not write 0x. */
static bool number_after(const char *line, const char *word, uint64_t *value) {
    const char *at = letters_find(line, word);
    if (at == NULL)
        return false;
    at += strlen(word);
    while (*at == ' ' || *at == '=' || *at == ':')
        at++;
    return letters_hex(at, value);
}

/* usertrap() prints the same three lines for a process that it kills: these are no panic's. */
static void read_trap(struct console *c, const char *line) {
    if (number_after(line, "scause", &c->scause) && letters_find(line, "usertrap") == NULL)
        c->trapped = true;
    number_after(line, "sepc", &c->sepc);
    number_after(line, "stval", &c->stval);
}

static void read_panic(struct console *c, const char *line, uint64_t now) {
    static const char *const words[] = {"panic: ", "PANIC: ", "panic("};
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *at = letters_find(line, words[i]);
        if (at != NULL && c->panic[0] == 0 && at[strlen(words[i])] != 0) {
            letters_copy(c->panic, LINE_ROOM, at + strlen(words[i]));
            c->panic_at = now;
        }
    }
}

/* "test sbrkmuch: sbrkmuch: ..." and then "FAILED", or all of it in one line. */
static void read_test(struct console *c, const char *line) {
    size_t name = letters_until(line, ":");
    if (letters_begin(line, "test ") && line[name] == ':') {
        letters_copy(c->test, LINE_ROOM, line + 5);
        c->test[name - 5] = 0;
    }
    if (letters_find(line, "FAILED") != NULL && c->failed[0] == 0)
        letters_copy(c->failed, LINE_ROOM, c->test[0] ? c->test : line);
}

static void end_line(struct console *c, uint64_t now) {
    while (c->length > 0 && c->line[c->length - 1] == '\r')
        c->length--;
    c->line[c->length] = 0;
    letters_copy(c->lines[c->line_count++ % LINES_KEPT], LINE_ROOM, c->line);
    c->killed += letters_begin(c->line, "usertrap()");
    read_trap(c, c->line);
    read_panic(c, c->line, now);
    read_test(c, c->line);
    c->length = 0;
}

void console_put(struct console *c, uint8_t byte, uint64_t now) {
    c->bytes++;
    if (byte == '\n')
        end_line(c, now);
    else if (c->length < LINE_ROOM - 1)
        c->line[c->length++] = (char)byte;
}
