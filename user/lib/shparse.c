/* The shell's grammar: recursive descent, one function a rule. Recursion is only
 * as deep as parentheses are, which is limited. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shparse.h"
#include "shwords.h"

#define MAX_DEPTH 20 /* of parentheses */

struct chunk {
    struct chunk *next;
    long data[];
};

struct parser {
    struct script *script;
    const char *at;
    int depth;
    enum parse_result result;
};

static struct node *parse_list(struct parser *p);

/* ---- errors and memory --------------------------------------------------- */

static void *fail(struct parser *p, const char *what) {
    if (p->result == PARSE_OK) {
        p->result = PARSE_ERROR;
        snprintf(p->script->error, sizeof p->script->error, "%s", what);
    }
    return NULL;
}

static void *incomplete(struct parser *p) {
    if (p->result == PARSE_OK) {
        p->result = PARSE_INCOMPLETE;
        snprintf(p->script->error, sizeof p->script->error, "syntax error: unexpected end");
    }
    return NULL;
}

static void *unexpected(struct parser *p) {
    char what[40];
    if (*p->at == 0)
        return incomplete(p);
    if (*p->at == '\n')
        return fail(p, "syntax error: unexpected end of line");
    size_t n = (p->at[0] == p->at[1]) && strchr("&|<>", p->at[0]) ? 2 : 1;
    snprintf(what, sizeof what, "syntax error near '%.*s'", (int)n, p->at);
    return fail(p, what);
}

static void *allocate(struct parser *p, size_t n) {
    struct chunk *chunk = calloc(1, sizeof *chunk + n);
    if (!chunk)
        return fail(p, "out of memory");
    chunk->next = p->script->chunks;
    p->script->chunks = chunk;
    return chunk->data;
}

static struct node *new_node(struct parser *p, enum node_kind kind) {
    struct node *node = allocate(p, sizeof *node);
    if (node)
        node->kind = kind;
    return node;
}

/* ---- characters ---------------------------------------------------------- */

bool is_word_end(char c) { return c == 0 || strchr(" \t\n;&|()<>", c); }

/* Skips blanks, comments and joined lines; newlines too if asked. */
static void skip(struct parser *p, bool newlines) {
    for (;;) {
        if (*p->at == ' ' || *p->at == '\t' || *p->at == '\r' || (newlines && *p->at == '\n'))
            p->at++;
        else if (p->at[0] == '\\' && p->at[1] == '\n')
            p->at += 2;
        else if (*p->at == '#')
            p->at += strcspn(p->at, "\n");
        else
            return;
    }
}

/* The end of the quoted string whose quote stands at s; NULL: not closed. */
static const char *skip_quoted(const char *s) {
    char quote = *s++;
    while (*s && *s != quote) {
        if (quote == '"' && *s == '\\' && s[1])
            s++;
        s++;
    }
    return *s ? s + 1 : NULL;
}

const char *skip_word(const char *s) {
    while (s && !is_word_end(*s)) {
        if (*s == '\'' || *s == '"')
            s = skip_quoted(s);
        else if (*s == '\\' && (!s[1] || (s[1] == '\n' && !s[2])))
            s = NULL;
        else
            s += *s == '\\' ? 2 : 1;
    }
    return s;
}

/* ---- words and redirections ---------------------------------------------- */

static struct word *parse_word(struct parser *p) {
    if (is_word_end(*p->at))
        return unexpected(p);
    const char *end = skip_word(p->at);
    if (!end)
        return incomplete(p);
    size_t n = (size_t)(end - p->at);
    struct word *word = allocate(p, sizeof *word + n + 1);
    if (word)
        memcpy(word->text, p->at, n);
    p->at = end;
    return word;
}

/* Whether a redirection starts here: a digit or nothing, then < or >. */
static bool at_redirect(const struct parser *p) {
    const char *s = p->at;
    if (*s >= '0' && *s <= '9')
        s++;
    return *s == '<' || *s == '>';
}

static struct redirect *parse_redirect(struct parser *p) {
    struct redirect *r = allocate(p, sizeof *r);
    if (!r)
        return NULL;
    r->fd = -1;
    if (*p->at >= '0' && *p->at <= '9')
        r->fd = *p->at++ - '0';
    bool in = *p->at++ == '<';
    if (r->fd < 0)
        r->fd = in ? 0 : 1;
    r->kind = in ? REDIRECT_READ : REDIRECT_WRITE;
    if (*p->at == '&') {
        r->kind = REDIRECT_DUP;
        p->at++;
    } else if (!in && *p->at == '>') {
        r->kind = REDIRECT_APPEND;
        p->at++;
    }
    skip(p, false);
    r->target = parse_word(p);
    return r->target ? r : NULL;
}

/* ---- commands ------------------------------------------------------------ */

static struct node *parse_group(struct parser *p) {
    struct node *group = new_node(p, NODE_GROUP);
    if (!group)
        return NULL;
    if (++p->depth > MAX_DEPTH)
        return fail(p, "parentheses nested too deep");
    p->at++;
    group->child = parse_list(p);
    if (p->result != PARSE_OK)
        return NULL;
    if (*p->at != ')')
        return unexpected(p);
    p->at++;
    p->depth--;
    return group;
}

/* A group, or a command's words; redirections anywhere. */
static struct node *parse_command(struct parser *p) {
    bool is_group = *p->at == '(';
    struct node *node = is_group ? parse_group(p) : new_node(p, NODE_COMMAND);
    if (!node)
        return NULL;
    struct word **word = &node->words;
    struct redirect **redirect = &node->redirects;
    for (skip(p, false);; skip(p, false)) {
        if (at_redirect(p)) {
            if (!(*redirect = parse_redirect(p)))
                return NULL;
            redirect = &(*redirect)->next;
        } else if (!is_word_end(*p->at)) {
            if (is_group)
                return unexpected(p);
            if (!(*word = parse_word(p)))
                return NULL;
            word = &(*word)->next;
        } else {
            break;
        }
    }
    if (*p->at == '(')
        return unexpected(p);
    if (!is_group && !node->words && !node->redirects)
        return unexpected(p);
    return node;
}

/* A parent for parts, or the part itself when there is only one. */
static struct node *wrap(struct parser *p, enum node_kind kind, struct node *first) {
    if (!first || !first->next)
        return first;
    struct node *parent = new_node(p, kind);
    if (parent)
        parent->child = first;
    return parent;
}

static struct node *parse_pipeline(struct parser *p) {
    struct node *first = NULL, **link = &first;
    for (;;) {
        *link = parse_command(p);
        if (!*link)
            return NULL;
        if (p->at[0] != '|' || p->at[1] == '|')
            return wrap(p, NODE_PIPELINE, first);
        p->at++;
        skip(p, true);
        link = &(*link)->next;
    }
}

static struct node *parse_and_or(struct parser *p) {
    struct node *first = NULL, **link = &first;
    enum join join = JOIN_FIRST;
    for (;;) {
        *link = parse_pipeline(p);
        if (!*link)
            return NULL;
        (*link)->join = join;
        if ((p->at[0] != '&' && p->at[0] != '|') || p->at[0] != p->at[1])
            return wrap(p, NODE_AND_OR, first);
        join = p->at[0] == '&' ? JOIN_AND : JOIN_OR;
        p->at += 2;
        skip(p, true);
        link = &(*link)->next;
    }
}

/* A part of a list goes on to where p is. */
static void keep_text(struct parser *p, struct node *node, const char *start) {
    size_t n = (size_t)(p->at - start);
    while (n > 0 && strchr(" \t", start[n - 1]))
        n--;
    char *text = allocate(p, n + 1);
    if (text)
        memcpy(text, start, n);
    node->text = text;
}

/* Up to the end of the text or a ')', which the caller judges; NULL: empty. */
static struct node *parse_list(struct parser *p) {
    struct node *first = NULL, **link = &first;
    for (;;) {
        skip(p, true);
        if (*p->at == 0 || *p->at == ')')
            break;
        const char *start = p->at;
        *link = parse_and_or(p);
        if (!*link)
            return NULL;
        keep_text(p, *link, start);
        if (*p->at == '&' || *p->at == ';') {
            (*link)->background = *p->at == '&';
            p->at++;
        } else if (*p->at != '\n' && *p->at != ')' && *p->at != 0) {
            return unexpected(p);
        }
        link = &(*link)->next;
    }
    if (!first)
        return NULL;
    struct node *list = new_node(p, NODE_LIST);
    if (list)
        list->child = first;
    return list;
}

enum parse_result script_parse(struct script *s, const char *text) {
    struct parser p = {.script = s, .at = text};
    *s = (struct script){0};
    p.result = words_check(text, s->error, sizeof s->error);
    s->refused = p.result != PARSE_OK;
    struct node *root = s->refused ? NULL : parse_list(&p);
    if (p.result == PARSE_OK && *p.at)
        unexpected(&p);
    if (p.result == PARSE_OK)
        s->root = root;
    return p.result;
}

void script_free(struct script *s) {
    while (s->chunks) {
        struct chunk *next = s->chunks->next;
        free(s->chunks);
        s->chunks = next;
    }
    s->root = NULL;
}
