/* The first line of a script: see script.h. */
#include "syscall/script.h"
#include "lib/string.h"

#define BEGIN 2 /* behind "#!" */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* A zero ends a path and an argument, too. */
static size_t line_end(const char *line, size_t n) {
    size_t end = BEGIN;
    while (end < n && line[end] != '\n' && line[end])
        end++;
    return end;
}

static size_t skip_blanks(const char *line, size_t at, size_t end) {
    while (at < end && is_blank(line[at]))
        at++;
    return at;
}

static size_t skip_word(const char *line, size_t at, size_t end) {
    while (at < end && !is_blank(line[at]))
        at++;
    return at;
}

void script_parse(const char *bytes, size_t n, struct script *s) {
    s->name = s->argument = 0;
    if (n < BEGIN || bytes[0] != '#' || bytes[1] != '!')
        return;
    n = MIN(n, (size_t)SCRIPT_LINE);
    memcpy(s->line, bytes, n);
    size_t end = line_end(s->line, n);
    size_t name = skip_blanks(s->line, BEGIN, end), behind = skip_word(s->line, name, end);
    if (name == end || behind == SCRIPT_LINE)
        return;
    end = MIN(end, (size_t)SCRIPT_LINE - 1);
    size_t argument = skip_blanks(s->line, behind, end);
    while (is_blank(s->line[end - 1]))
        end--;
    s->line[behind] = s->line[end] = '\0';
    s->name = (uint16_t)name;
    s->argument = argument < end ? (uint16_t)argument : 0;
}
