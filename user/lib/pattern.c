/* Patterns. An expression of n items is an automaton with the states 0 .. n: in
 * state i, items 0 .. i-1 have matched. All states that are possible are
 * followed at once, as a set of bits. */
#include <ctype.h>
#include <string.h>
#include "pattern.h"

static void set_add(struct byte_set *s, unsigned char c) { s->bits[c / 64] |= 1ULL << (c % 64); }

static bool set_has(const struct byte_set *s, unsigned char c) {
    return s->bits[c / 64] >> (c % 64) & 1;
}

static void set_invert(struct byte_set *s) {
    for (int i = 0; i < 4; i++)
        s->bits[i] = ~s->bits[i];
}

/* Parses the set behind a '['; returns what follows its ']', NULL: none. */
static const char *parse_set(const char *text, struct byte_set *s) {
    const unsigned char *p = (const unsigned char *)text;
    bool invert = *p == '^' || *p == '!';
    p += invert;
    *s = (struct byte_set){{0}};
    for (bool first = true; first || *p != ']'; first = false, p++) {
        if (!*p)
            return NULL;
        set_add(s, *p);
        if (p[1] == '-' && p[2] && p[2] != ']') {
            for (unsigned c = *p; c <= p[2]; c++)
                set_add(s, (unsigned char)c);
            p += 2;
        }
    }
    if (invert)
        set_invert(s);
    return (const char *)p + 1;
}

/* Parses one item without its star; NULL with *error set when it is wrong. */
static const char *parse_item(const char *p, struct byte_set *s, const char **error) {
    *s = (struct byte_set){{0}};
    switch (*p) {
    case '.': set_invert(s); return p + 1;
    case '[':
        p = parse_set(p + 1, s);
        if (!p)
            *error = "[ without ]";
        return p;
    case '\\':
        if (!*++p) {
            *error = "\\ at the end";
            return NULL;
        }
        break;
    }
    set_add(s, (unsigned char)*p);
    return p + 1;
}

static void add_other_case(struct byte_set *s) {
    for (unsigned c = 'a'; c <= 'z'; c++) {
        if (set_has(s, (unsigned char)c) || set_has(s, (unsigned char)(c - 32))) {
            set_add(s, (unsigned char)c);
            set_add(s, (unsigned char)(c - 32));
        }
    }
}

const char *pattern_compile(struct pattern *p, const char *text, bool ignore_case) {
    const char *error = NULL;
    p->n = 0;
    p->at_end = false;
    p->at_start = *text == '^';
    text += p->at_start;
    while (*text) {
        if (text[0] == '$' && !text[1]) {
            p->at_end = true;
            return NULL;
        }
        if (p->n == PATTERN_MAX)
            return "too long";
        struct pattern_item *item = &p->item[p->n++];
        text = parse_item(text, &item->set, &error);
        if (!text)
            return error;
        if (ignore_case)
            add_other_case(&item->set);
        item->star = *text == '*';
        while (*text == '*')
            text++;
    }
    return NULL;
}

#define STATE_WORDS (PATTERN_MAX / 64 + 1)

struct states {
    uint64_t bits[STATE_WORDS];
};

/* Adds state i, and those behind starred items, which may match nothing. */
static void enter(const struct pattern *p, struct states *s, unsigned i) {
    for (;; i++) {
        s->bits[i / 64] |= 1ULL << (i % 64);
        if (i == p->n || !p->item[i].star)
            return;
    }
}

static bool accepts(const struct pattern *p, const struct states *s) {
    return s->bits[p->n / 64] >> (p->n % 64) & 1;
}

static void step(const struct pattern *p, struct states *s, unsigned char c) {
    struct states next = {{0}};
    for (unsigned w = 0; w < STATE_WORDS; w++) {
        for (uint64_t left = s->bits[w]; left; left &= left - 1) {
            unsigned i = w * 64;
            for (uint64_t bit = left & -left; bit > 1; bit >>= 1)
                i++;
            if (i < p->n && set_has(&p->item[i].set, c))
                enter(p, &next, p->item[i].star ? i : i + 1);
        }
    }
    *s = next;
}

bool pattern_match(const struct pattern *p, const char *text, size_t n) {
    struct states s = {{0}};
    enter(p, &s, 0);
    for (size_t i = 0; i < n; i++) {
        if (accepts(p, &s) && !p->at_end)
            return true;
        step(p, &s, (unsigned char)text[i]);
        if (!p->at_start)
            enter(p, &s, 0);
    }
    return accepts(p, &s);
}

/* Whether *pattern's first item, which is no star, matches c; *pattern is moved
 * behind it. */
static bool match_one(const char **pattern, unsigned char c) {
    const char *p = *pattern, *behind;
    struct byte_set set;
    if (*p == '[' && (behind = parse_set(p + 1, &set))) {
        *pattern = behind;
        return set_has(&set, c);
    }
    if (*p == '\\' && p[1])
        p++;
    else if (*p == '?') {
        *pattern = p + 1;
        return true;
    }
    *pattern = p + 1;
    return (unsigned char)*p == c;
}

bool glob_match(const char *pattern, const char *name) {
    const char *star = NULL, *star_name = NULL; /* where to try again, one byte later */
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            star_name = name;
            continue;
        }
        if (*pattern && match_one(&pattern, (unsigned char)*name)) {
            name++;
            continue;
        }
        if (!star)
            return false;
        pattern = star;
        name = ++star_name;
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
