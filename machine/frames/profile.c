/* See profile.h. */
#include "machine/frames/profile.h"
#include "machine/profiles/profiles.h"
#include <stdio.h>
#include <string.h>

enum { WORDS = 10, LINE_BYTES = 200, PAGES_MOST = 1 << 20 };

/* A line taken apart; words behind the last are empty. */
struct words {
    char text[LINE_BYTES];
    const char *word[WORDS + 1];
    unsigned count, next;
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == 0; }

/* false: it is too long. */
static bool split(struct words *w, const char *line, size_t length) {
    *w = (struct words){.count = 0};
    for (size_t i = 0; i < length && line[i] != '#'; i++) {
        if (i == LINE_BYTES - 1)
            return false;
        w->text[i] = is_blank(line[i]) ? 0 : line[i];
    }
    for (unsigned i = 0; i < LINE_BYTES; i++)
        if (w->text[i] && (i == 0 || !w->text[i - 1])) {
            if (w->count == WORDS)
                return false;
            w->word[w->count++] = &w->text[i];
        }
    for (unsigned i = w->count; i <= WORDS; i++)
        w->word[i] = "";
    return true;
}

/* Whether the next word is this one, which is taken then. */
static bool take(struct words *w, const char *word) {
    bool is = strcmp(w->word[w->next], word) == 0;
    w->next += is;
    return is;
}

static bool argument(const char *word, uint32_t *value) {
    *value = (uint32_t)(word[0] == 'a' ? word[1] - '0' : 8);
    return *value < 8 && word[2] == 0;
}

static bool number(const char *word, uint32_t *value) {
    *value = 0;
    for (; *word >= '0' && *word <= '9' && *value <= PAGES_MOST; word++)
        *value = *value * 10 + (uint32_t)(*word - '0');
    return *word == 0 && *value > 0 && *value <= PAGES_MOST;
}

static bool read_where(struct words *w, struct profile_line *line) {
    const char *word = w->word[w->next++];
    uint32_t where;
    line->pointer = word[0] == '*';
    if (!argument(word + line->pointer, &where))
        return false;
    line->where = (uint8_t)where;
    return true;
}

static bool read_count(struct words *w, struct profile_line *line) {
    line->count = 1;
    if (strcmp(w->word[w->next + 1], "pages") != 0)
        return true;
    const char *word = w->word[w->next];
    w->next += 2;
    line->count_is = word[0] == '2' && word[1] == '^' ? PAGES_ORDER
                     : word[0] == 'a'                 ? PAGES_ARGUMENT
                                                      : PAGES_NUMBER;
    if (line->count_is == PAGES_NUMBER)
        return number(word, &line->count);
    return argument(line->count_is == PAGES_ORDER ? word + 2 : word, &line->count);
}

/* What is wrong with a line; NULL: nothing. */
static const char *read_line(struct words *w, struct profile_line *line, const char **function) {
    *line = (struct profile_line){.what = PROFILE_ALLOC};
    if (take(w, "may")) {
        line->what = PROFILE_TOUCH;
        if (!take(w, "touch") || !take(w, "free"))
            return "`may` goes on with `touch free` and a function";
        *function = w->word[w->next++];
        return NULL;
    }
    if (!take(w, "alloc")) {
        line->what = PROFILE_FREE;
        if (!take(w, "free"))
            return "a line begins with `alloc`, `free`, `may touch free`, `racy`, `processes` or "
                   "`process`";
    }
    *function = w->word[w->next++];
    if (line->what == PROFILE_ALLOC && !take(w, "->"))
        return "`alloc` goes on with a function, `->` and where the page is, as in "
               "`alloc kalloc -> a0`";
    if (!read_where(w, line))
        return "where the page is, is said by a0 to a7 or *a0 to *a7";
    if (line->what == PROFILE_ALLOC && !line->pointer && line->where != 0)
        return "a function returns a page in a0";
    if (line->what == PROFILE_FREE && line->pointer)
        return "`free` goes on with a function and one of a0 to a7";
    if (!read_count(w, line))
        return "before `pages` stands a number, an argument like a1, or an order like 2^a1";
    if (take(w, "if")) {
        line->if_zero = line->what == PROFILE_ALLOC && take(w, "zero");
        line->if_written = line->what == PROFILE_FREE && take(w, "written");
        if (!line->if_zero && !line->if_written)
            return "`if` goes on with `zero` for an alloc, with `written` for a free";
    }
    return NULL;
}

/* Whether a symbol is what the source calls `name`: a compiler adds .part.0 and the like. */
static bool is_called(const char *symbol, const char *name) {
    size_t length = strlen(name);
    return strncmp(symbol, name, length) == 0 && (symbol[length] == 0 || symbol[length] == '.');
}

static bool is_file(const char *name) {
    size_t length = strlen(name);
    return length > 2 && name[length - 2] == '.' && strchr("chS", name[length - 1]) != NULL;
}

static const char *add_racy_file(struct profile *profile, const char *name) {
    if (profile->racy_file_count == PROFILE_FILES || strlen(name) >= PROFILE_NAME)
        return "more than 16 files are racy, or a name is too long";
    strcpy(profile->racy_files[profile->racy_file_count++], name);
    return NULL;
}

/* The line `racy NAME`: all that has the name. What is wrong with it; NULL: nothing. */
static const char *add_racy(struct profile *profile, const struct words *w,
                            const struct symbols *symbols, bool optional) {
    bool found = optional;
    if (w->count != 2)
        return "`racy` goes on with one name";
    if (is_file(w->word[1]))
        return add_racy_file(profile, w->word[1]);
    for (size_t i = 0; i < symbols->count; i++) {
        const struct symbol *s = &symbols->list[i];
        if (!is_called(s->name, w->word[1]))
            continue;
        if (profile->racy_count == PROFILE_RACY)
            return "more than 64 things are racy";
        profile->racy[profile->racy_count++] = (struct profile_range){s->address,
                                                                      s->end - s->address};
        found = true;
    }
    return found ? NULL : "the kernel has nothing of this name";
}

/* ---- processes ---- */
static bool copy_name(char to[PROFILE_NAME], const char *name, size_t length) {
    if (length == 0 || length >= PROFILE_NAME)
        return false;
    memcpy(to, name, length);
    to[length] = 0;
    return true;
}

/* "proc.pid" */
static bool read_field(struct profile_field *field, const char *word) {
    const char *dot = strchr(word, '.');
    return dot && copy_name(field->of, word, (size_t)(dot - word)) &&
           copy_name(field->name, dot + 1, strlen(dot + 1));
}

static const char *add_processes(struct profile_processes *p, const struct words *w,
                                 const struct symbols *symbols, bool own) {
    uint64_t value;
    const char *array = w->word[1];
    p->pointer = array[0] == '*';
    array += p->pointer;
    if (w->count != (p->pointer ? 3u : 2u) || !copy_name(p->array, array, strlen(array)) ||
        (p->pointer && !copy_name(p->count, w->word[2], strlen(w->word[2]))))
        return "`processes` goes on with an array, or with *, a pointer to it, and a datum that "
               "says "
               "how many there are";
    if (!symbols_address(symbols, p->array, &value) ||
        (p->pointer && !symbols_address(symbols, p->count, &value))) {
        p->array[0] = 0;
        return own ? NULL : "the kernel has nothing of this name";
    }
    return NULL;
}

static const char *add_process(struct profile_processes *p, const struct words *w) {
    const char *what = w->word[1];
    bool good = false;
    if (strcmp(what, "table") == 0 && p->tables < PROFILE_TABLES) {
        struct profile_field *steps = p->table[p->tables++];
        good = w->count >= 3 && w->count <= 2 + PROFILE_STEPS;
        for (unsigned i = 2; good && i < w->count; i++)
            good = read_field(&steps[i - 2], w->word[i]);
    } else if (strcmp(what, "pid") == 0 || strcmp(what, "name") == 0) {
        good = w->count == 3 && read_field(what[0] == 'p' ? &p->pid : &p->name, w->word[2]);
    }
    return good
               ? NULL
               : "`process` goes on with `pid`, `name` or `table`, and a field like proc.pid; four "
                 "tables at most, by one pointer at most";
}

/* The lines that say no function of pages. false: it is none of them. */
static bool add_other(struct profile *profile, const struct words *w, const struct symbols *symbols,
                      bool own, const char **wrong) {
    if (strcmp(w->word[0], "racy") == 0)
        *wrong = add_racy(profile, w, symbols, own);
    else if (strcmp(w->word[0], "processes") == 0)
        *wrong = add_processes(&profile->processes, w, symbols, own);
    else if (strcmp(w->word[0], "process") == 0)
        *wrong = add_process(&profile->processes, w);
    else
        return false;
    return true;
}

/* Of one of the machine's own profiles, not all that is racy has to be there, nor processes. */
static bool add(struct profile *profile, struct words *w, const struct symbols *symbols, bool own,
                char *error, size_t error_size) {
    struct profile_line line;
    const char *function = "", *wrong;
    if (add_other(profile, w, symbols, own, &wrong)) {
        if (wrong)
            snprintf(error, error_size, "%s", wrong);
        return !wrong;
    }
    wrong = read_line(w, &line, &function);
    if (!wrong && w->next < w->count) {
        snprintf(error, error_size, "there is too much: '%.40s'", w->word[w->next]);
        return false;
    }
    if (!wrong && profile->count == PROFILE_LINES)
        wrong = "a profile has at most 32 functions";
    if (!wrong && *function == 0)
        wrong = "the name of a function is missing";
    if (wrong) {
        snprintf(error, error_size, "%s", wrong);
        return false;
    }
    if (!symbols_address(symbols, function, &line.function)) {
        snprintf(error, error_size, "the kernel has no function '%.60s'", function);
        return false;
    }
    profile->lines[profile->count++] = line;
    return true;
}

static bool read_text(struct profile *profile, const char *name, const char *text, size_t size,
                      const struct symbols *symbols, bool own, char *error, size_t error_size) {
    unsigned number = 0;
    char wrong[200] = "it is too long";
    *profile = (struct profile){.count = 0};
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        struct words w;
        number++;
        if (!split(&w, text + at, length) ||
            (w.count > 0 && !add(profile, &w, symbols, own, wrong, sizeof(wrong)))) {
            snprintf(error, error_size, "%s, line %u: %s", name, number, wrong);
            return false;
        }
        at += length + 1;
    }
    bool any = profile->count + profile->racy_count + profile->racy_file_count > 0 ||
               profile->processes.array[0];
    if (!any)
        snprintf(error, error_size, "%s: it names no function", name);
    return any;
}

bool profile_read(struct profile *profile, const char *name, const char *text, size_t size,
                  const struct symbols *symbols, char *error, size_t error_size) {
    return read_text(profile, name, text, size, symbols, false, error, error_size);
}

bool profile_choose(struct profile *profile, const struct symbols *symbols) {
    char error[256];
    for (unsigned i = 0; profiles[i].name; i++)
        if (read_text(profile, profiles[i].name, profiles[i].text, strlen(profiles[i].text),
                      symbols, true, error, sizeof(error)))
            return true;
    *profile = (struct profile){.count = 0};
    return false;
}
