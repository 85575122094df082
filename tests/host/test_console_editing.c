/* How a line is edited at the console, compared with an editor of ours and with a screen. */
/* sources: kernel/dev/fdt.c kernel/dev/chardev.c kernel/dev/bootargs.c kernel/lib/string.c */
/* sources: kernel/dev/ns16550.c kernel/dev/sifive_uart.c kernel/dev/sbi_console.c */
/* sources: kernel/tty/lineedit.c kernel/tty/linehistory.c kernel/tty/terminal.c */
/* sources: kernel/tty/input.c kernel/tty/read.c kernel/tty/tty.c */
/* sources: kernel/lib/printf.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c tests/host/uartsim.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "consoleenv.h"
#include "tty/ttyparts.h"

/* What stands on the screen in the line after these bytes, and the cursor's column. */
static size_t screen_line(const char *sent, size_t n, char *line) {
    size_t column = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        if (sent[i] == '\b') {
            assert_true(column > 0); /* never to the left of what was typed */
            column--;
        } else if (sent[i] == '\n') {
            column = length = 0;
        } else {
            line[column++] = sent[i];
            length = column > length ? column : length;
        }
    }
    line[length] = '\0';
    return column;
}

/* ---- an editor to compare with: of characters, not of bytes and columns */

static struct {
    char text[100];
    size_t n, cursor;
} model;

static void model_erase(size_t from, size_t to) {
    memmove(model.text + from, model.text + to, model.n - to);
    model.n -= to - from;
    model.cursor = from;
}

static size_t model_word(void) {
    size_t at = model.cursor;
    while (at > 0 && strchr(" \t", model.text[at - 1]))
        at--;
    while (at > 0 && !strchr(" \t", model.text[at - 1]))
        at--;
    return at;
}

static void model_text(char c) {
    memmove(model.text + model.cursor + 1, model.text + model.cursor, model.n - model.cursor);
    model.text[model.cursor++] = c;
    model.n++;
}

static void model_left(void) { model.cursor -= model.cursor > 0; }
static void model_right(void) { model.cursor += model.cursor < model.n; }
static void model_home(void) { model.cursor = 0; }
static void model_end(void) { model.cursor = model.n; }
static void model_nothing(void) {}
static void model_kill(void) { model_erase(model.cursor, model.n); }
static void model_back(void) { model_erase(model.cursor - (model.cursor > 0), model.cursor); }
static void model_take_word(void) { model_erase(model_word(), model.cursor); }
static void model_drop(void) { model_erase(0, model.n); }
static void model_delete(void) {
    if (model.cursor < model.n)
        model_erase(model.cursor, model.cursor + 1);
}

static const struct {
    const char *bytes;
    void (*does)(void); /* NULL: it is text */
} keys[] = {{"a", NULL},
            {"b", NULL},
            {" ", NULL},
            {"\t", NULL},
            {"\x02", NULL},
            {"c", NULL},
            {"\x1b[D", model_left},
            {"\x1bOD", model_left},
            {"\x1b[C", model_right},
            {"\x1b[H", model_home},
            {"\x1b[7~", model_home},
            {"\x01", model_home},
            {"\x1b[F", model_end},
            {"\x1b[8~", model_end},
            {"\x1b[4~", model_end},
            {"\x05", model_end},
            {"\x0b", model_kill},
            {"\x7f", model_back},
            {"\b", model_back},
            {"\x17", model_take_word},
            {"\x15", model_drop},
            {"\x1b[3~", model_delete},
            {"\x1b[1;5C", model_right},
            {"\x1b[15~", model_nothing},
            {"\x1b[1234567890P", model_delete},
            {"\x1b[2~", model_nothing},
            {"\x1b", model_nothing}};

/* Also at the edge of what a key can be: ESC is followed by something that is no key then. */
static void press(size_t key) {
    sim_type(keys[key].bytes, strlen(keys[key].bytes));
    if (keys[key].does)
        keys[key].does();
    else
        model_text(keys[key].bytes[0]);
}

/* Random keys: the screen shows what the reader will get, and the cursor is where it is. */
static void screen_shows_the_line(void **state) {
    for (int round = 0; round < 1000; round++) {
        setup_with(0, 1, true);
        memset(&model, 0, sizeof model);
        char screen[400], shown[400] = "", expected[200];
        for (size_t n = host_random_below(90); n > 0; n--) {
            size_t usual = 6 + host_random_below(3) * 10;
            press(host_random_below(round % 8 ? usual : sizeof keys / sizeof keys[0]));
        }
        size_t column = screen_line(sim.sent, sim.sent_size, screen), at = 0, cursor = 0;
        for (size_t i = 0; i <= model.n; i++) {
            cursor = i == model.cursor ? at : cursor;
            if (i < model.n && model.text[i] == '\t')
                shown[at++] = ' ';
            else if (i < model.n && model.text[i] < ' ')
                shown[at++] = '^', shown[at++] = model.text[i] + '@';
            else if (i < model.n)
                shown[at++] = model.text[i];
        }
        assert_int_equal(column, cursor);
        assert_memory_equal(screen, shown, at);
        assert_int_equal(strspn(screen + at, " "), strlen(screen + at));
        TYPE("\n");
        snprintf(expected, sizeof expected, "%.*s\n", (int)model.n, model.text);
        assert_string_equal(read_line(200), expected);
    }
}

/* Two to the left of three, one comes between, two to the left, the first one goes; one to the
 * right, and the one that came goes as well. */
static void edits_characters_of_several_bytes(void **state) {
    setup_with(0, 1, true);
    TYPE("a\xc3\xa9\xe2\x82\xac"
         "b\x1b[D\x1b[D\xc3\xbc\x1b[D\x1b[D\x7f\x1b[C\x1b[3~");
    TYPE("\n");
    assert_string_equal(read_line(100), "\xc3\xa9\xe2\x82\xac"
                                        "b\n");
}

/* What is behind the cursor is shown again once, when all of a character has come: else what the
 * screen gets is no character. */
static void shows_the_rest_behind_whole_characters(void **state) {
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\xb1"};
    for (unsigned i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        char expected[10];
        setup_with(0, 1, true);
        TYPE("ab\x1b[D");
        size_t before = sim.sent_size;
        sim_type(characters[i], strlen(characters[i]));
        snprintf(expected, sizeof expected, "%sb\b", characters[i]);
        assert_int_equal(sim.sent_size - before, strlen(expected));
        assert_memory_equal(sim.sent + before, expected, strlen(expected));
        TYPE("\n");
        snprintf(expected, sizeof expected, "a%sb\n", characters[i]);
        assert_string_equal(read_line(100), expected);
    }
}

/* ---- how much work a key is */

static unsigned shown_pieces, shown_bytes;

static void count_shown(const struct line *l, const char *text, size_t n) {
    shown_pieces++;
    shown_bytes += (unsigned)n;
}

/* Who types in front of a long line makes the kernel show all of it, with interrupts off. */
static void long_line_is_shown_in_few_pieces(void **state) {
    static char text[TTY_BUFFER];
    struct line l = {.text = text, .echo = count_shown};
    for (unsigned i = 0; i < 3000; i++)
        assert_false(line_key(&l, 'x', TTY_BUFFER));
    assert_false(line_key(&l, CTRL('A'), TTY_BUFFER));
    shown_pieces = shown_bytes = 0;
    assert_false(line_key(&l, 'y', TTY_BUFFER));
    assert_int_equal(shown_bytes, 1 + 3000 + 3000); /* there, and back */
    assert_true(shown_pieces < 200);
    assert_false(line_key(&l, '\t', TTY_BUFFER));
    assert_memory_equal(text, "y\txxx", 5);
    assert_int_equal(l.n, 3002);
}

int main(void) {
    host_random_seed(3);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(screen_shows_the_line, setup),
        cmocka_unit_test_setup(edits_characters_of_several_bytes, setup),
        cmocka_unit_test_setup(shows_the_rest_behind_whole_characters, setup),
        cmocka_unit_test(long_line_is_shown_in_few_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
