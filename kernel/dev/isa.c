/* riscv,isa-extensions is a list of names. The older riscv,isa is one string: rv64, a letter
 * for each short extension, then the long ones, each with _ before it, in either case; G
 * stands for several. */
#include "dev/isa.h"
#include "lib/string.h"

#define G_LETTERS "imafd"

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool in_g(const char *extension) {
    return (!extension[1] && strchr(G_LETTERS, extension[0])) || !strcmp(extension, "zicsr") ||
           !strcmp(extension, "zifencei");
}

/* Whether the n characters at p, a version behind them left out, are this name. */
static bool is_name(const char *p, size_t n, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if (i >= n || lower(p[i]) != name[i])
            return false;
    return n == length || (p[length] >= '0' && p[length] <= '9');
}

static bool list_has(const char *list, uint32_t bytes, const char *extension) {
    for (const char *end = list + bytes; list < end;) {
        size_t n = strnlen(list, (size_t)(end - list));
        if (is_name(list, n, extension))
            return true;
        list += n + 1;
    }
    return false;
}

static bool string_has(const char *isa, const char *extension) {
    const char *p = isa + MIN(strlen(isa), sizeof("rv64") - 1);
    for (; *p && *p != '_'; p++) {
        char c = lower(*p);
        if (c == 'z' || c == 's' || c == 'x')
            break; /* a long one that no _ announces */
        if ((!extension[1] && c == extension[0]) || (c == 'g' && in_g(extension)))
            return true;
    }
    while (*p) {
        p += *p == '_';
        const char *end = strchr(p, '_');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        if (is_name(p, n, extension))
            return true;
        p += n;
    }
    return false;
}

bool isa_has(fdt_node cpu, const char *extension) {
    uint32_t bytes;
    const char *list = fdt_prop(cpu, "riscv,isa-extensions", &bytes);
    if (list)
        return list_has(list, bytes, extension);
    const char *isa = fdt_string(cpu, "riscv,isa");
    return isa ? string_has(isa, extension) : in_g(extension);
}
