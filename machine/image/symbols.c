/* Names of functions and data: see symbols.h. */
#include "machine/image/symbols.h"
#include "machine/image/sort.h"
#include <stdlib.h>

#define SYMBOL_BYTES 24

enum { STT_NOTYPE = 0, STT_OBJECT = 1, STT_FUNC = 2, STT_GNU_IFUNC = 10 };
enum { STB_GLOBAL = 1, STB_WEAK = 2 };
enum { SHN_UNDEF = 0 };

/* Ranks, to which 1 is added for a global name. */
enum { RANK_ELSEWHERE = 0, RANK_LABEL = 2, RANK_OBJECT = 4, RANK_FUNCTION = 6 };

static bool is_less(const void *left, const void *right) {
    const struct symbol *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address;
    return a->rank != b->rank ? a->rank < b->rank : a->order > b->order;
}

static bool made_by_tools(const char *name) {
    return name[0] == 0 || name[0] == '$' || (name[0] == '.' && name[1] == 'L');
}

/* One without a size reaches to the next one, or to the end of its section. */
static void set_end(struct symbol *s, const struct elf *elf, unsigned section_number,
                    uint64_t size) {
    struct elf_section section;
    s->end = s->address;
    if (size)
        s->end = size <= UINT64_MAX - s->address ? s->address + size : UINT64_MAX;
    else if (elf_section(elf, section_number, &section) && s->address >= section.address &&
             s->address - section.address < section.size &&
             section.size <= UINT64_MAX - section.address)
        s->end = section.address + section.size;
}

static bool read_symbol(struct symbol *s, const struct elf *elf, struct reader *table,
                        struct reader names) {
    struct reader r = reader_part(table, SYMBOL_BYTES);
    reader_skip(&names, reader_u32(&r));
    s->name = reader_string(&names);
    unsigned info = reader_u8(&r), type = info & 0xf, bind = info >> 4;
    reader_skip(&r, 1); /* its visibility */
    unsigned section = reader_u16(&r);
    s->address = reader_u64(&r);
    uint64_t size = reader_u64(&r);
    set_end(s, elf, section, size);
    s->global = bind == STB_GLOBAL || bind == STB_WEAK;
    bool function = type == STT_FUNC || type == STT_GNU_IFUNC;
    if (names.bad || section == SHN_UNDEF || made_by_tools(s->name) ||
        (!function && type != STT_OBJECT && type != STT_NOTYPE))
        return false;
    unsigned rank = s->end == s->address ? RANK_ELSEWHERE
                    : size == 0          ? RANK_LABEL
                    : function           ? RANK_FUNCTION
                                         : RANK_OBJECT;
    s->rank = (uint8_t)(rank + s->global);
    return true;
}

/* Labels inside what has a size belong to it. */
static void choose_shown(struct symbols *symbols) {
    uint32_t shown = SYMBOL_NONE;
    uint64_t inside_until = 0;
    for (size_t i = 0; i < symbols->count; i++) {
        struct symbol *s = &symbols->list[i];
        bool sized = s->rank >= RANK_OBJECT;
        if (sized || (s->rank >= RANK_LABEL && s->address >= inside_until))
            shown = (uint32_t)i;
        if (sized)
            inside_until = s->end;
        s->shown = shown;
    }
}

static bool find_table(const struct elf *elf, struct elf_section *table,
                       struct elf_section *names) {
    for (unsigned i = 0; i < elf->sections; i++) {
        if (elf_section(elf, i, table) && table->type == ELF_SYMTAB)
            return elf_section(elf, table->link, names) && names->type == ELF_STRTAB;
    }
    return false;
}

bool symbols_read(struct symbols *symbols, const struct elf *elf) {
    struct elf_section table, names;
    *symbols = (struct symbols){0};
    if (!find_table(elf, &table, &names))
        return true;
    uint64_t most = table.bytes.left / SYMBOL_BYTES;
    if (most == 0)
        return true;
    if (most > SYMBOL_NONE || most > SIZE_MAX / sizeof(struct symbol))
        return false;
    symbols->list = calloc((size_t)most, sizeof(struct symbol));
    if (!symbols->list)
        return false;
    for (uint64_t i = 0; i < most; i++) {
        struct symbol *s = &symbols->list[symbols->count];
        s->order = (uint32_t)i;
        symbols->count += read_symbol(s, elf, &table.bytes, names.bytes);
    }
    sort(symbols->list, symbols->count, sizeof(struct symbol), is_less);
    choose_shown(symbols);
    return true;
}

void symbols_free(struct symbols *symbols) {
    free(symbols->list);
    *symbols = (struct symbols){0};
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset) {
    size_t low = 0, high = symbols->count; /* all below low are at or below the address */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->list[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t shown = low ? symbols->list[low - 1].shown : SYMBOL_NONE;
    if (shown == SYMBOL_NONE || address >= symbols->list[shown].end)
        return NULL;
    *offset = address - symbols->list[shown].address;
    return symbols->list[shown].name;
}

bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *value) {
    const struct symbol *found = NULL;
    for (size_t i = 0; i < symbols->count && !(found && found->global); i++) {
        const struct symbol *s = &symbols->list[i];
        if ((s->global || !found) && strcmp(s->name, name) == 0)
            found = s;
    }
    if (!found)
        return false;
    *value = found->address;
    return true;
}
