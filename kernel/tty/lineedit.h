/* The line that is being typed at a terminal, and its cursor. The caller has the lock.
 *
 * Keys: left, right, home, end, delete; ^A and ^E, to the beginning and the end; ^H and DEL take
 * back a character, ^W a word, ^K what is behind the cursor, ^U the line; up and down recall lines
 * (linehistory.h). A key that sends several bytes begins with ESC; what is not known, and ESC by
 * itself, does nothing. All else is text, and goes where the cursor is.
 *
 * On the screen only BS moves the cursor to the left, so a line that goes on in the next row of the
 * screen is not shown right there. */
#pragma once
#include "tty/linehistory.h"

struct line {
    uint32_t n, cursor; /* bytes; the cursor's position among them */
    bool silent;        /* nothing is shown */
    uint32_t missing;   /* bytes of the character at the cursor that have not come (UTF-8) */
    enum { KEY_PLAIN, KEY_ESCAPE, KEY_SEQUENCE } key; /* what has come of a key of several bytes */
    uint32_t parameter;                               /* its number */
    struct line_history history;
    char *text; /* TTY_BUFFER bytes of room */
    /* Shows n bytes at the terminal. */
    void (*echo)(const struct line *l, const char *text, size_t n);
};

/* A byte comes, and the screen shows what it does. True: it has ended the line, whose text it is
 * the last byte of: a newline or a ^D. most: how long a line may get that is recalled; there has to
 * be room for one byte. */
bool line_key(struct line *l, char c, uint32_t most);

/* Empty, with nothing shown: it has been taken, or dropped. */
void line_begin(struct line *l);

/* The line once more, behind what is on the screen. */
void line_show(const struct line *l);

/* One character as it is shown where it is typed. */
void line_echo(const struct line *l, char c);
