/* The shell's words. A field is built as a file name pattern, in which a
 * backslash stands before every character that is not to be special; at its end
 * it is looked up, or the backslashes are taken away. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pattern.h"
#include "shexpand.h"

struct builder {
    struct fields *fields;
    const struct shell_args *args;
    char *text; /* the field so far */
    size_t n, room;
    bool exists; /* even if it has no characters: there was a quote */
    bool is_pattern;
    bool single; /* values are neither split nor looked up */
    bool failed; /* out of memory */
};

/* ---- fields -------------------------------------------------------------- */

static bool fields_add(struct fields *f, const char *text) {
    if (f->n + 2 > f->room) {
        size_t room = f->room ? f->room * 2 : 16;
        char **argv = realloc(f->argv, room * sizeof *argv);
        if (!argv)
            return false;
        f->argv = argv;
        f->room = room;
    }
    char *copy = strdup(text);
    f->argv[f->n] = copy;
    f->n += copy != NULL;
    f->argv[f->n] = NULL;
    return copy != NULL;
}

void fields_free(struct fields *f) {
    for (size_t i = 0; i < f->n; i++)
        free(f->argv[i]);
    free(f->argv);
    *f = (struct fields){0};
}

/* ---- building one field -------------------------------------------------- */

static void add_raw(struct builder *b, char c) {
    if (b->n + 2 > b->room) {
        size_t room = b->room ? b->room * 2 : 64;
        char *text = realloc(b->text, room);
        if (!text) {
            b->failed = true;
            return;
        }
        b->text = text;
        b->room = room;
    }
    b->text[b->n++] = c;
    b->text[b->n] = 0;
    b->exists = true;
}

/* A character that stands for itself, whatever it is. */
static void add_plain(struct builder *b, char c) {
    if (strchr("*?[]\\!^-", c))
        add_raw(b, '\\');
    add_raw(b, c);
}

static void add_unquoted(struct builder *b, char c) {
    if (b->single) {
        add_plain(b, c);
        return;
    }
    if (c == '*' || c == '?' || c == '[')
        b->is_pattern = true;
    add_raw(b, c);
}

static void remove_backslashes(char *s) {
    char *to = s;
    for (; *s; *to++ = *s++)
        if (*s == '\\' && s[1])
            s++;
    *to = 0;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the names that match dir + pattern, sorted; true if there were any. */
static bool add_matches(struct builder *b, const char *dir, const char *pattern) {
    size_t first = b->fields->n;
    DIR *d = opendir(*dir ? dir : ".");
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[256];
        if (e->d_name[0] == '.' && pattern[0] != '.')
            continue;
        if (!glob_match(pattern, e->d_name))
            continue;
        snprintf(path, sizeof path, "%s%s", dir, e->d_name);
        if (!fields_add(b->fields, path))
            b->failed = true;
    }
    if (d)
        closedir(d);
    size_t found = b->fields->n - first;
    if (found > 0)
        qsort(b->fields->argv + first, found, sizeof(char *), compare_names);
    return found > 0;
}

static void end_field(struct builder *b) {
    bool found = false;
    if (b->is_pattern && !b->failed) {
        char *slash = strrchr(b->text, '/');
        char *dir = strndup(b->text, slash ? (size_t)(slash + 1 - b->text) : 0);
        if (dir) {
            remove_backslashes(dir);
            found = add_matches(b, dir, slash ? slash + 1 : b->text);
            free(dir);
        } else {
            b->failed = true;
        }
    }
    if (b->exists && !found && !b->failed) {
        if (b->n > 0)
            remove_backslashes(b->text);
        b->failed = !fields_add(b->fields, b->n > 0 ? b->text : "");
    }
    b->n = 0;
    b->exists = b->is_pattern = false;
}

/* ---- expansion ----------------------------------------------------------- */

static void add_value(struct builder *b, const char *value, bool quoted) {
    for (; *value; value++) {
        if (!quoted && strchr(" \t\n", *value))
            end_field(b);
        else
            add_plain(b, *value);
    }
}

static void add_number(struct builder *b, int n) {
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    add_value(b, text, true);
}

/* "$@" makes a field of each argument, "$*" one field of all. */
static void add_arguments(struct builder *b, bool quoted, bool separate) {
    for (int i = 1; i < b->args->argc; i++) {
        if (i > 1 && quoted && !separate)
            add_plain(b, ' ');
        else if (i > 1)
            end_field(b);
        if (quoted)
            b->exists = true;
        add_value(b, b->args->argv[i], quoted);
    }
}

size_t name_length(const char *text) {
    size_t n = 0;
    while (text[n] == '_' || isalpha((unsigned char)text[n]) ||
           (n > 0 && isdigit((unsigned char)text[n])))
        n++;
    return n;
}

bool is_assignment(const struct word *word) {
    size_t n = name_length(word->text);
    return n > 0 && word->text[n] == '=';
}

/* Handles NAME or {NAME} at s, which a $ stands before; what stands behind it. NULL: it is none. */
static const char *expand_variable(struct builder *b, const char *s, bool quoted) {
    bool braces = *s == '{';
    size_t n = name_length(s + braces);
    if (n == 0 || (braces && s[1 + n] != '}'))
        return NULL;
    char *name = strndup(s + braces, n);
    if (name) {
        const char *value = getenv(name);
        add_value(b, value ? value : "", quoted);
    } else {
        b->failed = true;
    }
    free(name);
    return s + n + 2 * braces;
}

/* Handles the $ at s; returns what stands behind the expansion. */
static const char *expand_dollar(struct builder *b, const char *s, bool quoted) {
    char c = s[1];
    if (c == '?')
        add_number(b, b->args->status);
    else if (c == '$')
        add_number(b, b->args->pid);
    else if (c == '!' && b->args->background)
        add_number(b, b->args->background);
    else if (c == '#')
        add_number(b, b->args->argc > 0 ? b->args->argc - 1 : 0);
    else if (c == '*' || c == '@')
        add_arguments(b, quoted, c == '@');
    else if (c >= '0' && c <= '9')
        add_value(b, c - '0' < b->args->argc ? b->args->argv[c - '0'] : "", quoted);
    else if (c != '!') {
        const char *behind = expand_variable(b, s + 1, quoted);
        if (!behind)
            add_plain(b, '$');
        return behind ? behind : s + 1;
    }
    return s + 2;
}

/* Handles the string whose opening quote stands at s. "$@" without arguments is
 * no field at all, so that only other text makes an empty string one. */
static const char *expand_quoted(struct builder *b, const char *s) {
    char quote = *s++;
    if (*s == quote || !(quote == '"' && s[0] == '$' && s[1] == '@' && s[2] == quote))
        b->exists = true;
    while (*s != quote) {
        if (quote == '"' && *s == '$') {
            s = expand_dollar(b, s, true);
            continue;
        }
        if (quote == '"' && *s == '\\' && strchr("\"\\$\n", s[1]) && *++s == '\n') {
            s++;
            continue;
        }
        add_plain(b, *s++);
    }
    return s + 1;
}

static void expand_word(struct builder *b, const char *s) {
    while (*s) {
        if (*s == '\'' || *s == '"') {
            s = expand_quoted(b, s);
        } else if (*s == '$') {
            s = expand_dollar(b, s, b->single);
        } else if (*s == '\\') {
            if (s[1] != '\n')
                add_plain(b, s[1]);
            s += 2;
        } else {
            add_unquoted(b, *s++);
        }
    }
    end_field(b);
}

bool expand_words(struct fields *f, const struct word *words, const struct shell_args *args) {
    struct builder b = {.fields = f, .args = args};
    bool exports = words && !strcmp(words->text, "export");
    for (; words && !b.failed; words = words->next) {
        b.single = exports && is_assignment(words);
        expand_word(&b, words->text);
    }
    free(b.text);
    return !b.failed;
}

bool expand_value(struct fields *f, const struct word *words, const struct shell_args *args) {
    struct builder b = {.fields = f, .args = args, .single = true};
    expand_word(&b, words->text);
    free(b.text);
    return !b.failed;
}
