/* The parts of the user library that the shell is made of: patterns, its grammar and its
 * expansions. On the host's malloc, so that the sanitizer sees each allocation. */
/* sources: user/lib/pattern.c user/lib/shparse.c user/lib/shwords.c user/lib/shexpand.c */
/* sources: user/lib/string.c user/lib/environ.c tests/host/hostarch.c */
/* rename: environ getenv setenv unsetenv putenv clearenv memchr memcmp memcpy memmove memset */
/* rename: strcat strchr strcmp strcasecmp strcpy strcspn strdup */
/* rename: strlcat strlcpy strlen strncat strncasecmp strncmp strncpy strndup strnlen */
/* rename: strpbrk strrchr strspn strstr strtok strtok_r */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../user/lib/pattern.h"
#include "../../user/lib/shexpand.h"
#include "../../user/lib/shparse.h"
#include "hostarch.h"

/* ---- patterns ------------------------------------------------------------ */

static bool matches(const char *expression, const char *text) {
    static struct pattern p;
    assert_null(pattern_compile(&p, expression, false));
    return pattern_match(&p, text, strlen(text));
}

/* Another way to match: backtracking, on expressions of letters . * ^ $ only. */
static bool slow_here(const char *re, const char *s) {
    if (!*re)
        return true;
    if (re[0] == '$' && !re[1])
        return !*s;
    if (re[1] == '*') {
        for (;; s++) {
            if (slow_here(re + 2, s))
                return true;
            if (!*s || (re[0] != '.' && re[0] != *s))
                return false;
        }
    }
    return *s && (re[0] == '.' || re[0] == *s) && slow_here(re + 1, s + 1);
}

static bool slow(const char *re, const char *s) {
    if (*re == '^')
        return slow_here(re + 1, s);
    do
        if (slow_here(re, s))
            return true;
    while (*s++);
    return false;
}

static void test_pattern(void **state) {
    static struct pattern p;
    assert_true(matches("a[0-9]*b", "xa123by") && matches("a[0-9]*b", "ab"));
    assert_false(matches("a[0-9]*b", "a12c"));
    assert_true(matches("^[^a-c]$", "d") && !matches("^[^a-c]$", "b"));
    assert_false(matches("^[^a-c]$", "dd"));
    assert_true(matches("[]x]", "]") && matches("[x-]", "-") && matches("a\\.b", "a.b"));
    assert_false(matches("a\\.b", "axb"));
    assert_true(matches("", "") && matches("^$", "") && !matches("^$", "x"));
    assert_true(matches("a$b", "a$b"));
    assert_non_null(pattern_compile(&p, "[abc", false));
    assert_non_null(pattern_compile(&p, "x\\", false));
    assert_null(pattern_compile(&p, "HeL*o", true));
    assert_true(pattern_match(&p, "say hELLLo", 10));
    char longest[PATTERN_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[PATTERN_MAX] = 0;
    assert_null(pattern_compile(&p, longest, false));
    assert_true(pattern_match(&p, longest, PATTERN_MAX));
    assert_false(pattern_match(&p, longest, PATTERN_MAX - 1));
    longest[PATTERN_MAX] = 'a';
    longest[PATTERN_MAX + 1] = 0;
    assert_non_null(pattern_compile(&p, longest, false));
    for (int i = 0; i < 50000; i++) {
        char re[12], text[12];
        size_t n = 0, m = host_random() % 8, t = host_random() % 10;
        if (host_random() % 4 == 0)
            re[n++] = '^';
        for (size_t k = 0; k < m; k++) {
            re[n++] = "ab."[host_random() % 3];
            if (n < 9 && host_random() % 3 == 0)
                re[n++] = '*';
            if (n >= 9)
                break;
        }
        if (host_random() % 4 == 0)
            re[n++] = '$';
        re[n] = 0;
        for (size_t k = 0; k < t; k++)
            text[k] = "ab"[host_random() % 2];
        text[t] = 0;
        if (matches(re, text) != slow(re, text))
            fail_msg("%s on %s", re, text);
    }
}

static void test_glob(void **state) {
    assert_true(glob_match("*.txt", "a.txt") && !glob_match("*.txt", "a.txtx"));
    assert_true(glob_match("a?c*", "abc") && !glob_match("a?c", "ac"));
    assert_true(glob_match("*a*b*", "xxaxxbxx") && !glob_match("*a*b*", "xxbxxaxx"));
    assert_true(glob_match("[a-c]x", "bx") && !glob_match("[a-c]x", "dx"));
    assert_true(glob_match("[!a-c]x", "dx") && !glob_match("[!a-c]x", "ax"));
    assert_true(glob_match("[x", "[x"));
    assert_true(glob_match("\\*", "*") && !glob_match("\\*", "a"));
    assert_true(glob_match("", "") && glob_match("**", "") && !glob_match("?", ""));
}

/* ---- the shell ----------------------------------------------------------- */

/* Writes a tree as text, with all structure visible. */
static void show(const struct node *node, char *to, size_t size) {
    static const char *const names[] = {"list", "andor", "pipe", "group", "cmd"};
    static const char *const redirects[] = {"<", ">", ">>", ">&"};
    size_t n = strlen(to);
    n += (size_t)snprintf(to + n, size - n, "%s%s(",
                          node->join == JOIN_AND  ? "&&"
                          : node->join == JOIN_OR ? "||"
                                                  : "",
                          names[node->kind]);
    for (const struct word *w = node->words; w; w = w->next)
        n += (size_t)snprintf(to + n, size - n, "%s%s", w->text, w->next ? " " : "");
    for (const struct node *c = node->child; c; c = c->next) {
        show(c, to, size);
        n = strlen(to);
        n += (size_t)snprintf(to + n, size - n, "%s", c->next ? " " : "");
    }
    for (const struct redirect *r = node->redirects; r; r = r->next)
        n += (size_t)snprintf(to + n, size - n, " %d%s%s", r->fd, redirects[r->kind],
                              r->target->text);
    snprintf(to + n, size - n, ")%s", node->background ? "&" : "");
}

static void parses_to(const char *text, const char *expected) {
    struct script s;
    char shown[512] = "";
    assert_int_equal(script_parse(&s, text), PARSE_OK);
    if (s.root)
        show(s.root, shown, sizeof shown);
    assert_string_equal(shown, expected);
    script_free(&s);
}

static void parse_fails(const char *text, enum parse_result result) {
    struct script s;
    if (script_parse(&s, text) != result)
        fail_msg("result of: %s", text);
    assert_true(s.error[0] && !s.root);
    script_free(&s);
}

static void test_parse(void **state) {
    parses_to("", "");
    parses_to("  # nothing\n\n", "");
    parses_to("ls -l\n", "list(cmd(ls -l))");
    parses_to("a;b &c", "list(cmd(a) cmd(b)& cmd(c))");
    parses_to("a|b | c", "list(pipe(cmd(a) cmd(b) cmd(c)))");
    parses_to("a && b || c|d", "list(andor(cmd(a) &&cmd(b) ||pipe(cmd(c) cmd(d))))");
    parses_to("a &&\n\n b", "list(andor(cmd(a) &&cmd(b)))");
    parses_to("(a;b)>f | c", "list(pipe(group(list(cmd(a) cmd(b)) 1>f) cmd(c)))");
    parses_to("()", "list(group())");
    parses_to("a>x<y 2>>z 2>&1 b", "list(cmd(a b 1>x 0<y 2>>z 2>&1))");
    parses_to("a2>x", "list(cmd(a2 1>x))");
    parses_to("echo 'a;b' \"c|d\" e\\&f g#h #i", "list(cmd(echo 'a;b' \"c|d\" e\\&f g#h))");
    parses_to("a \\\n b", "list(cmd(a b))");
    parses_to("> f", "list(cmd( 1>f))");
    parses_to("(a & b) &", "list(group(list(cmd(a)& cmd(b)))&)");
}

static void test_parse_errors(void **state) {
    static const char *const incomplete[] = {"a |",  "a &&\n", "(a",   "(",   "'abc", "\"a\\\"",
                                             "a \\", "a ||",   "((a)", "a >", "a\\\n"};
    static const char *const wrong[] = {"|",   "a | | b", ";;",    "a ;; b",  ")",        "a )",
                                        "& a", "a (b)",   "(a) b", "a > | b", "a && ; b", "a >\n"};
    for (size_t i = 0; i < sizeof incomplete / sizeof incomplete[0]; i++)
        parse_fails(incomplete[i], PARSE_INCOMPLETE);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        parse_fails(wrong[i], PARSE_ERROR);
    char deep[200];
    memset(deep, '(', sizeof deep);
    deep[sizeof deep - 1] = 0;
    parse_fails(deep, PARSE_ERROR);
}

/* What other shells have, with all that it encloses; and where such words are none. */
static void test_refused_words(void **state) {
    static const char *const refused[] = {
        "if true; then a; fi",
        "echo a; if x\nthen a\nelif b\nthen c\nelse d\nfi",
        "for i in a b; do rm $i; done",
        "for i do a; done; b",
        "a && while b; do c; done",
        "a | until b\ndo c\ndone",
        "case x in\nif) a;;\n(b|c) d ;;\nfi) e\nesac",
        "case x in esac",
        "select x in a; do b; done",
        "f() { a; }",
        "f ( )\n{\na\n}",
        "f()\n(\na\n)",
        "function f { a; }",
        "function f()\n{ a; }",
        "{ a; b; }",
        "! a",
        "[[ a < b ]] && c",
        "(if a\nthen b\nfi)",
        "( case x in a) b;; esac\nc )",
        "fi",
        "then a",
        "a; do b",
        "a > f; done",
        "while [ 'a;done\ndone' ]\ndo \"fi\"\ndone",
        "if { a\n}\nthen for b\ndo c\ndone\nfi",
        "if a #fi\nthen b \\\nfi\nfi",
        "cat <<E\nrm x\nE",
        "cat <<-'E' | a\nrm x\n\tE",
        "if a; then cat <<E; fi\nfi\nE",
    };
    static const char *const fine[] = {"echo if then fi", "'if' x",    "\\if x",        "i\"f\" x",
                                       "ifx; xif",        "a > if",    "a <for b done", "# if\na",
                                       "echo {}",         "echo ! [[", "echo \\\nif",   "a {} if",
                                       "echo a#b if; (b)"};
    struct script s;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char text[128] = "";
        /* Whole it is an error, and after each line but the last it is incomplete. */
        for (const char *at = refused[i], *end; *at; at = end) {
            end = at + strcspn(at, "\n");
            end += *end == '\n';
            strncat(text, at, (size_t)(end - at));
            enum parse_result r = script_parse(&s, text);
            bool has_word = s.refused;
            script_free(&s);
            if (r != (*end ? PARSE_INCOMPLETE : PARSE_ERROR) && (has_word || !*end))
                fail_msg("result %d of: %s", r, text);
        }
        assert_true(s.refused && strstr(s.error, "in this shell"));
    }
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        if (script_parse(&s, fine[i]) != PARSE_OK)
            fail_msg("refused: %s", fine[i]);
        script_free(&s);
    }
}

/* Any text at all: never a crash, and always a result that fits it. */
static void test_parse_random(void **state) {
    static const char symbols[] = "ab '\"\\|&;()<>#$\n2*if{}!";
    for (int i = 0; i < 100000; i++) {
        char text[24];
        size_t n = host_random() % sizeof text;
        for (size_t k = 0; k < n; k++)
            text[k] = symbols[host_random() % (sizeof symbols - 1)];
        text[n ? n - 1 : 0] = 0;
        struct script s;
        enum parse_result r = script_parse(&s, text);
        assert_true((r == PARSE_OK) == !s.error[0]);
        if (r == PARSE_OK && s.root)
            for (struct node *node = s.root->child; node; node = node->next)
                if (node->kind == NODE_COMMAND) {
                    struct fields f = {0};
                    char *args[] = {"sh", "x y", "", NULL};
                    struct shell_args a = {.argc = 3, .argv = args};
                    assert_true(expand_words(&f, node->words, &a));
                    fields_free(&f);
                }
        script_free(&s);
    }
}

static void expands_to(const char *text, const char *expected) {
    char *args[] = {"script", "one", "two words", "*", NULL};
    struct shell_args a = {.status = 7, .pid = 12, .background = 34, .argc = 4, .argv = args};
    struct script s;
    struct fields f = {0};
    char shown[512] = "";
    size_t n = 0;
    assert_int_equal(script_parse(&s, text), PARSE_OK);
    assert_true(expand_words(&f, s.root->child->words, &a));
    for (size_t i = 0; i < f.n; i++)
        n += (size_t)snprintf(shown + n, sizeof shown - n, "<%s>", f.argv[i]);
    assert_string_equal(shown, expected);
    fields_free(&f);
    script_free(&s);
}

static void test_expand(void **state) {
    expands_to("a 'b c' \"d e\" f\\ g", "<a><b c><d e><f g>");
    expands_to("'' \"\" x''y", "<><><xy>");
    expands_to("$? $$ $# a$?b '$?' \"$?\" \\$?", "<7><12><3><a7b><$?><7><$?>");
    expands_to("$1 $2 \"$2\" $9 x$9 \"$9\"", "<one><two><words><two words><x><>");
    expands_to("\"$@\"", "<one><two words><*>");
    expands_to("a\"$@\"b", "<aone><two words><*b>");
    expands_to("\"$*\"", "<one two words *>");
    expands_to("$3 '*' \\* \"?\"", "<*><*><*><?>");
    expands_to("$NO x$NO \"$NO\" $ a$", "<x><><$><a$>");
    expands_to("$! '$!'", "<34><$!>");
    expands_to("no-such-file-*", "<no-such-file-*>");
    expands_to("\"a\\\"b\\\\c\\d\"", "<a\"b\\c\\d>");
    expands_to("[x \"[\"y]", "<[x><[y]>");
}

static void test_variables(void **state) {
    setenv("NAME", "two  words*", 1);
    setenv("_1", "x", 1);
    expands_to("$NAME \"$NAME\" '$NAME' \\$NAME", "<two><words*><two  words*><$NAME><$NAME>");
    expands_to("a$_1.b $_1$_1 ${_1}y ${NAME", "<ax.b><xx><xy><${NAME>");
    expands_to("$_12 ${} ${_1-} $-", "<${}><${_1-}><$->");
    expands_to("export A=$NAME B$NAME", "<export><A=two  words*><Btwo><words*>");
    expands_to("echo A=$NAME", "<echo><A=two><words*>");
    struct script s;
    struct fields f = {0};
    struct shell_args a = {.argc = 1};
    assert_int_equal(script_parse(&s, "V=\"a b\"$NAME'$'* next"), PARSE_OK);
    const struct word *word = s.root->child->words;
    assert_true(is_assignment(word) && !is_assignment(word->next));
    assert_true(expand_value(&f, word, &a) && f.n == 1);
    assert_string_equal(f.argv[0], "V=a btwo  words*$*");
    fields_free(&f);
    script_free(&s);
    clearenv();
    assert_int_equal(name_length("A_1b=c"), 4);
    assert_int_equal(name_length("1a"), 0);
}

static void test_expand_files(void **state) {
    char dir[] = "/tmp/trellis-glob-XXXXXX", path[64], text[200], expected[300];
    static const char *const names[] = {"b.c", "a.c", "c.h", ".hidden", "a b.c"};
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
    }
    snprintf(text, sizeof text, "%s/*.c %s/'*'.c %s/?.h", dir, dir, dir);
    snprintf(expected, sizeof expected, "<%s/a b.c><%s/a.c><%s/b.c><%s/*.c><%s/c.h>", dir, dir, dir,
             dir, dir);
    expands_to(text, expected);
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

int main(void) {
    host_random_seed(88172645463325252);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern),       cmocka_unit_test(test_glob),
        cmocka_unit_test(test_parse),         cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_parse_random),  cmocka_unit_test(test_expand),
        cmocka_unit_test(test_expand_files),  cmocka_unit_test(test_variables),
        cmocka_unit_test(test_refused_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
