/* The shell's grammar, from text to a tree.
 *
 *     list     = and-or { (";" | "&" | newline) and-or }
 *     and-or   = pipeline { ("&&" | "||") pipeline }
 *     pipeline = command { "|" command }
 *     command  = "(" list ")" { redirection } | (word | redirection) ...
 *     redirection = [n] ("<" | ">" | ">>" | ">&" | "<&") word
 *
 * What other shells' grammar has besides is refused (shwords.h), with all that it encloses.
 *
 * Words are kept as they stand, with their quotes; expanding them is the
 * shell's business, when the command runs. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum node_kind { NODE_LIST, NODE_AND_OR, NODE_PIPELINE, NODE_GROUP, NODE_COMMAND };
enum join { JOIN_FIRST, JOIN_AND, JOIN_OR };
enum redirect_kind { REDIRECT_READ, REDIRECT_WRITE, REDIRECT_APPEND, REDIRECT_DUP };

struct word {
    struct word *next;
    char text[];
};

struct redirect {
    struct redirect *next;
    enum redirect_kind kind;
    int fd;
    struct word *target;
};

struct node {
    enum node_kind kind;
    struct node *next;          /* the next part of the same parent */
    struct node *child;         /* first part; of a group: its list, NULL when empty */
    enum join join;             /* how a part of an and-or hangs on the one before */
    bool background;            /* a part of a list that & follows */
    const char *text;           /* of a part of a list: as it was typed */
    struct word *words;         /* of a command */
    struct redirect *redirects; /* of a command or group, in order */
};

struct script {
    struct node *root;    /* a list; NULL: nothing to do */
    char error[64];       /* unless PARSE_OK */
    bool refused;         /* the error is a word of a grammar that this shell does not have */
    struct chunk *chunks; /* all memory of the tree */
};

enum parse_result {
    PARSE_OK,
    PARSE_INCOMPLETE, /* more lines are needed: open quote, ( or operator at the end, or what
                       * a refused word encloses goes on */
    PARSE_ERROR,
};

/* Parses text. The tree is to be given back by script_free in every case; it
 * does not point into text. */
enum parse_result script_parse(struct script *s, const char *text);
void script_free(struct script *s);

/* Whether c ends a word when it is not quoted. */
bool is_word_end(char c);
/* The end of the word at s; NULL when more text is needed. */
const char *skip_word(const char *s);
