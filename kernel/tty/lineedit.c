/* Editing of a line: see lineedit.h. Each change writes what has changed, from there to the end of
 * the line, and goes back. */
#include "tty/lineedit.h"
#include "lib/string.h"

#define CTRL(letter) ((letter) - '@')
#define ESC 0x1b
#define DEL 0x7f

/* ---- the screen ----------------------------------------------------------*/

static bool continues_character(char c) { return ((unsigned char)c & 0xc0) == 0x80; } /* UTF-8 */
static bool shown_as_two(char c) { return (unsigned char)c < ' ' && c != '\t'; }

/* Shows a byte: text as it is, what would move the cursor in a way that BS cannot take back as ^X,
 * a tab as a blank, ^D not at all. */
void line_echo(const struct line *l, char c) {
    char text[2] = {'^', (char)(c ^ '@')};
    if (c == CTRL('D'))
        return;
    if (c == '\t')
        l->echo(l, " ", 1);
    else if (c == '\n' || !shown_as_two(c))
        l->echo(l, &c, 1);
    else
        l->echo(l, text, 2);
}

/* How many bytes from there on are shown as they are. */
static uint32_t plain_bytes(const struct line *l, uint32_t from, uint32_t to) {
    uint32_t at = from;
    while (at < to && !shown_as_two(l->text[at]) && l->text[at] != '\t')
        at++;
    return at - from;
}

/* As many at once as possible: a key in front of a long line shows all of it, with the lock held.
 */
static void show(const struct line *l, uint32_t from, uint32_t to) {
    while (from < to && !l->silent) {
        uint32_t n = plain_bytes(l, from, to);
        if (n > 0)
            l->echo(l, l->text + from, n);
        else
            line_echo(l, l->text[from]);
        from += MAX(n, 1u);
    }
}

static void repeat(const struct line *l, char c, uint32_t n) {
    char some[32];
    memset(some, c, sizeof(some));
    for (uint32_t at_once; n > 0 && !l->silent; n -= at_once) {
        at_once = MIN(n, (uint32_t)sizeof(some));
        l->echo(l, some, at_once);
    }
}

static uint32_t columns(const struct line *l, uint32_t from, uint32_t to) {
    uint32_t n = 0;
    for (; from < to; from++)
        n += continues_character(l->text[from]) ? 0 : shown_as_two(l->text[from]) ? 2 : 1;
    return n;
}

void line_show(const struct line *l) {
    show(l, 0, l->n);
    repeat(l, '\b', columns(l, l->cursor, l->n));
}

/* ---- positions -----------------------------------------------------------*/

static uint32_t before(const struct line *l, uint32_t at) {
    while (at > 0 && continues_character(l->text[--at]))
        ;
    return at;
}

static uint32_t behind(const struct line *l, uint32_t at) {
    while (at < l->n && continues_character(l->text[++at]))
        ;
    return MIN(at, l->n);
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Where the word in front of the cursor begins. */
static uint32_t word_before(const struct line *l) {
    uint32_t at = l->cursor;
    while (at > 0 && is_blank(l->text[at - 1]))
        at--;
    while (at > 0 && !is_blank(l->text[at - 1]))
        at--;
    return at;
}

static void move(struct line *l, uint32_t to) {
    if (to < l->cursor)
        repeat(l, '\b', columns(l, to, l->cursor));
    else
        show(l, l->cursor, to);
    l->cursor = to;
}

/* ---- changes ---------------------------------------------------------------*/

static void erase(struct line *l, uint32_t from, uint32_t to) {
    move(l, from);
    uint32_t gone = columns(l, from, to);
    memmove(l->text + from, l->text + to, l->n - to);
    l->n -= to - from;
    show(l, from, l->n);
    repeat(l, ' ', gone);
    repeat(l, '\b', columns(l, from, l->n) + gone);
}

/* How many bytes follow the first one of a character. */
static uint32_t bytes_behind(char first) {
    unsigned char c = (unsigned char)first;
    return c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
}

/* What is behind a character is shown when all of the character has come. */
static void insert(struct line *l, char c) {
    memmove(l->text + l->cursor + 1, l->text + l->cursor, l->n - l->cursor);
    l->text[l->cursor++] = c;
    l->n++;
    l->missing = continues_character(c) && l->missing ? l->missing - 1 : bytes_behind(c);
    show(l, l->cursor - 1, l->cursor);
    if (l->missing == 0 && l->cursor < l->n) {
        show(l, l->cursor, l->n);
        repeat(l, '\b', columns(l, l->cursor, l->n));
    }
}

static void recall(struct line *l, bool older, uint32_t most) {
    const char *text;
    uint32_t n;
    bool found = older ? history_older(&l->history, l->text, l->n, &text, &n)
                       : history_newer(&l->history, &text, &n);
    if (!found || n > most)
        return;
    erase(l, 0, l->n);
    memcpy(l->text, text, n);
    l->n = n;
    move(l, n);
}

/* ---- keys --------------------------------------------------------------------*/

/* The last byte of a key of several ones: of an ANSI terminal, or its relatives. */
static void long_key(struct line *l, char c, uint32_t most) {
    static const char numbered[] = {[1] = 'H', [3] = 'P', [4] = 'F', [7] = 'H', [8] = 'F'};
    if (c == '~' && l->parameter < sizeof(numbered))
        c = numbered[l->parameter];
    switch (c) {
    case 'A': recall(l, true, most); break;
    case 'B': recall(l, false, most); break;
    case 'C': move(l, behind(l, l->cursor)); break;
    case 'D': move(l, before(l, l->cursor)); break;
    case 'H': move(l, 0); break;
    case 'F': move(l, l->n); break;
    case 'P': erase(l, l->cursor, behind(l, l->cursor)); break;
    }
}

/* A byte of a key that began with ESC. False: it is none, and stands for itself. */
static bool goes_on(struct line *l, char c, uint32_t most) {
    if (l->key == KEY_ESCAPE) {
        l->key = c == '[' || c == 'O' ? KEY_SEQUENCE : KEY_PLAIN;
        l->parameter = 0;
        return l->key == KEY_SEQUENCE;
    }
    if (c >= '@') {
        l->key = KEY_PLAIN;
        long_key(l, c, most);
    } else if (c >= '0' && c <= '9') {
        l->parameter = l->parameter % 100 * 10 + (uint32_t)(c - '0');
    } else if (c < ' ') {
        l->key = KEY_PLAIN;
        return false;
    }
    return true;
}

bool line_key(struct line *l, char c, uint32_t most) {
    if (l->key != KEY_PLAIN && goes_on(l, c, most))
        return false;
    switch (c) {
    case '\0': return false;
    case ESC: l->key = KEY_ESCAPE; return false;
    case CTRL('A'): move(l, 0); return false;
    case CTRL('E'): move(l, l->n); return false;
    case CTRL('H'):
    case DEL: erase(l, before(l, l->cursor), l->cursor); return false;
    case CTRL('K'): erase(l, l->cursor, l->n); return false;
    case CTRL('U'): erase(l, 0, l->n); return false;
    case CTRL('W'): erase(l, word_before(l), l->cursor); return false;
    }
    if (c == '\n' || c == CTRL('D'))
        move(l, l->n);
    insert(l, c);
    return c == '\n' || c == CTRL('D');
}

void line_begin(struct line *l) {
    l->n = l->cursor = l->missing = 0;
    l->key = KEY_PLAIN;
    history_end(&l->history);
}
