/* Finds what other shells would take for more than a command: see shwords.h. It only has to find
 * the end of it, so it keeps the closing words that are still to come, and asks for nothing else
 * of their grammar. When in doubt more is taken in: what is not run does no harm. */
#include "shwords.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_OPEN 64

/* The kinds of what is open are the last letters of the words that close it. */
enum closes { NOTHING, FI = 'i', DONE = 'e', ESAC = 'c', BRACE = '}', PAREN = ')' };

static const struct refused {
    const char *word;
    enum closes opens, closes;
    bool more; /* a command's name may follow */
} refused_words[] = {
    {"if", FI, NOTHING, true},        {"then", NOTHING, NOTHING, true},
    {"elif", NOTHING, NOTHING, true}, {"else", NOTHING, NOTHING, true},
    {"fi", NOTHING, FI, false},       {"for", DONE, NOTHING, false},
    {"select", DONE, NOTHING, false}, {"while", DONE, NOTHING, true},
    {"until", DONE, NOTHING, true},   {"do", NOTHING, NOTHING, true},
    {"done", NOTHING, DONE, false},   {"case", ESAC, NOTHING, false},
    {"esac", NOTHING, ESAC, false},   {"{", BRACE, NOTHING, true},
    {"}", NOTHING, BRACE, false},     {"!", NOTHING, NOTHING, true},
    {"[[", NOTHING, NOTHING, false},  {"function", NOTHING, NOTHING, false},
};

struct scan {
    const char *at;     /* NULL: in an open quote */
    bool command;       /* a command's name may stand here */
    bool target;        /* of a redirection: the next word is no command */
    bool function_name; /* the next word is one */
    bool wants_body;    /* a function's */
    char open[MAX_OPEN];
    size_t depth;
    const char *document; /* a here-document's last line; NULL: none begins in this line */
    size_t document_bytes;
    char *error; /* empty: nothing was found */
    size_t size;
};

static void found(struct scan *s, const char *what, size_t n, const char *quote) {
    if (!s->error[0])
        snprintf(s->error, s->size, "there is no %s%.*s%s in this shell; nothing was run", quote,
                 (int)(n < 16 ? n : 16), what, quote);
}

static void open_one(struct scan *s, enum closes what) {
    if (what && s->depth < MAX_OPEN)
        s->open[s->depth++] = (char)what;
}

static bool close_one(struct scan *s, enum closes what) {
    bool is = what && s->depth > 0 && s->open[s->depth - 1] == (char)what;
    s->depth -= is;
    return is;
}

static bool inside(const struct scan *s, enum closes what) {
    return s->depth > 0 && s->open[s->depth - 1] == (char)what;
}

/* Behind "()" with blanks before and in it; NULL: something else stands at p. */
static const char *skip_empty_parentheses(const char *p) {
    p += strspn(p, " \t");
    if (*p++ != '(')
        return NULL;
    p += strspn(p, " \t");
    return *p == ')' ? p + 1 : NULL;
}

/* The word of n bytes at p is where a command's name stands. */
static void command_word(struct scan *s, const char *p, size_t n) {
    s->command = s->wants_body = false;
    for (size_t i = 0; i < sizeof refused_words / sizeof refused_words[0]; i++) {
        const struct refused *r = &refused_words[i];
        if (strlen(r->word) != n || memcmp(r->word, p, n) != 0)
            continue;
        found(s, p, n, "'");
        open_one(s, r->opens);
        close_one(s, r->closes);
        s->command = r->more;
        s->function_name = !strcmp(r->word, "function");
        return;
    }
    const char *end = skip_empty_parentheses(p + n);
    if (end) {
        found(s, "functions", 9, "");
        s->at = end;
        s->command = s->wants_body = true;
    }
}

static void word(struct scan *s) {
    const char *start = s->at;
    s->at = skip_word(start);
    if (!s->at)
        return;
    size_t n = (size_t)(s->at - start);
    if (s->target) {
        s->target = false;
    } else if (s->function_name) {
        const char *end = skip_empty_parentheses(s->at);
        s->at = end ? end : s->at;
        s->function_name = false;
        s->command = s->wants_body = true;
    } else if (s->command) {
        command_word(s, start, n);
    } else if (inside(s, ESAC) && n == 2 && memcmp(start, "in", n) == 0) {
        s->command = true; /* esac may follow */
    }
}

/* At "<<": the word behind it, without quotes, is the document's last line. */
static void begin_document(struct scan *s) {
    const char *start = s->at + 2 + (s->at[2] == '-');
    start += strspn(start, " \t");
    start += *start == '\'' || *start == '"' || *start == '\\';
    s->document = start;
    s->document_bytes = strcspn(start, "'\" \t\n;&|()<>");
    found(s, "<<", 2, "'");
    s->at = start + s->document_bytes;
    s->at += *s->at == '\'' || *s->at == '"';
}

/* At the start of a document's lines. False: it does not end in the text. */
static bool skip_document(struct scan *s) {
    while (*s->at) {
        const char *line = s->at + strspn(s->at, "\t");
        size_t n = strcspn(line, "\n");
        s->at = line + n + (line[n] == '\n');
        if (n == s->document_bytes && memcmp(line, s->document, n) == 0) {
            s->document = NULL;
            return true;
        }
    }
    return false;
}

/* What stands between words. */
static void operator_or_blank(struct scan *s) {
    char c = *s->at;
    if (c == '<' && s->at[1] == '<' && s->at[2] != '<') {
        begin_document(s);
        return;
    }
    s->at++;
    if (c == '<' || c == '>') {
        s->at += *s->at == '&';
        s->target = true;
    } else if (c != ' ' && c != '\t') {
        s->command = true;
        s->target = s->function_name = false;
    }
    if (c == '(') {
        open_one(s, PAREN);
        s->wants_body = false;
    } else if (c == ')') {
        close_one(s, PAREN); /* or it stands behind a pattern of case */
    }
    if (c == '\n' && s->document)
        skip_document(s);
}

enum parse_result words_check(const char *text, char *error, size_t size) {
    struct scan s = {.at = text, .command = true, .error = error, .size = size};
    error[0] = 0;
    while (s.at && *s.at) {
        if (s.at[0] == '\\' && s.at[1] == '\n')
            s.at += 2;
        else if (*s.at == '#')
            s.at += strcspn(s.at, "\n");
        else if (*s.at == '\r')
            s.at++;
        else if (is_word_end(*s.at))
            operator_or_blank(&s);
        else
            word(&s);
    }
    if (!error[0])
        return PARSE_OK;
    return !s.at || s.depth > 0 || s.wants_body || s.document ? PARSE_INCOMPLETE : PARSE_ERROR;
}
