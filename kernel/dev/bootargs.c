/* The boot arguments. Read where they stand in the device tree: they are asked
 * for a few times at boot, and nothing is kept. */
#include "dev/bootargs.h"
#include "dev/fdt.h"
#include "lib/errno.h"
#include "lib/string.h"

/* The next word at or behind p, and its length; 0 at the end of the text. */
static size_t next_word(const char **p) {
    while (**p == ' ')
        ++*p;
    const char *end = *p;
    while (*end && *end != ' ')
        end++;
    return (size_t)(end - *p);
}

static const char *text(void) {
    const char *args = fdt_string(fdt_path("/chosen"), "bootargs");
    return args ? args : "";
}

static bool is_separator(const char *word, size_t n) {
    return n == 2 && word[0] == '-' && word[1] == '-';
}

bool bootarg(const char *name, char *value, size_t size) {
    size_t name_length = strlen(name);
    bool found = false;
    const char *word = text();
    for (size_t n; (n = next_word(&word)) > 0 && !is_separator(word, n); word += n) {
        if (n < name_length || strncmp(word, name, name_length) != 0 ||
            (n > name_length && word[name_length] != '='))
            continue;
        found = true;
        if (!value)
            continue;
        size_t skip = MIN(name_length + 1, n);
        size_t take = MIN(n - skip, size - 1);
        memcpy(value, word + skip, take);
        value[take] = '\0';
    }
    return found;
}

bool boot_quiet(void) { return bootarg("quiet", NULL, 0); }

static int digit_of(char c, unsigned base) {
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;
    return d < (int)base ? d : -1;
}

int bootarg_number(const char *name, uint64_t *value) {
    char digits[32];
    if (!bootarg(name, digits, sizeof(digits)))
        return -K_ENOENT;
    const char *p = digits;
    unsigned base = 10;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    }
    uint64_t n = 0;
    const char *first = p;
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): bootarg has put a 0 at its end */
    for (int d; (d = digit_of(*p, base)) >= 0; p++)
        if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, (uint64_t)d, &n))
            return -K_EINVAL;
    if (p == first)
        return -K_EINVAL;
    unsigned shift = 0;
    switch (*p) {
    case 'K':
    case 'k': shift = 10; break;
    case 'M':
    case 'm': shift = 20; break;
    case 'G':
    case 'g': shift = 30; break;
    }
    if (shift)
        p++;
    if (*p || (n << shift) >> shift != n)
        return -K_EINVAL;
    *value = n << shift;
    return 0;
}

const char *bootargs_command(void) {
    const char *word = text();
    for (size_t n; (n = next_word(&word)) > 0; word += n)
        if (is_separator(word, n)) {
            const char *command = word + n + (word[n] == ' ');
            return *command ? command : NULL;
        }
    return NULL;
}
