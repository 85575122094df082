/* Headers of units: see lineunit.h. */
#include "machine/image/lineunit.h"
#include "machine/image/dwarf.h"

enum { DW_LNCT_PATH = 1, DW_LNCT_DIRECTORY_INDEX = 2 };

struct form_value {
    const char *text;
    uint64_t number;
};

static const char *string_at(struct reader section, uint64_t offset) {
    reader_skip(&section, offset);
    return reader_string(&section);
}

/* The others cannot be in these tables, or need more than a line table to be understood. */
static struct form_value read_form(struct reader *r, uint64_t form, unsigned offset_bytes,
                                   const struct line_strings *strings) {
    struct form_value v = {.text = ""};
    switch (form) {
    case DW_FORM_STRING: v.text = reader_string(r); break;
    case DW_FORM_STRP: v.text = string_at(strings->str, reader_number(r, offset_bytes)); break;
    case DW_FORM_LINE_STRP:
        v.text = string_at(strings->line_str, reader_number(r, offset_bytes));
        break;
    case DW_FORM_DATA1: v.number = reader_number(r, 1); break;
    case DW_FORM_DATA2: v.number = reader_number(r, 2); break;
    case DW_FORM_DATA4: v.number = reader_number(r, 4); break;
    case DW_FORM_DATA8: v.number = reader_number(r, 8); break;
    case DW_FORM_UDATA: v.number = reader_uleb(r); break;
    case DW_FORM_DATA16: reader_skip(r, 16); break;
    case DW_FORM_BLOCK: reader_skip(r, reader_uleb(r)); break;
    case DW_FORM_BLOCK1: reader_skip(r, reader_number(r, 1)); break;
    case DW_FORM_BLOCK2: reader_skip(r, reader_number(r, 2)); break;
    case DW_FORM_BLOCK4: reader_skip(r, reader_number(r, 4)); break;
    default: r->bad = true;
    }
    return v;
}

static void add_name(struct line_names *names, const char *text, uint32_t directory) {
    if (names->list)
        names->list[names->count] = (struct line_name){.text = text, .directory = directory};
    names->count++;
}

/* Before version 5 directory 0 is where the compiler ran, which is not in the table. */
static uint32_t directory_index(const struct line_unit *unit, uint64_t number) {
    uint64_t index = unit->version < 5 ? number - 1 : number;
    return index < unit->directories ? unit->first_directory + (uint32_t)index : LINE_NAME_NONE;
}

uint32_t line_unit_file(const struct line_unit *unit, uint64_t number) {
    uint64_t index = unit->version < 5 ? number - 1 : number;
    return index < unit->files ? unit->first_file + (uint32_t)index : LINE_NAME_NONE;
}

bool line_unit_add_file(struct line_unit *unit, struct reader *r, struct line_names *names) {
    const char *text = reader_string(r);
    if (r->bad || !text[0])
        return false;
    uint64_t directory = reader_uleb(r);
    reader_uleb(r); /* when it was changed */
    reader_uleb(r); /* its size */
    if (r->bad)
        return false;
    add_name(names, text, directory_index(unit, directory));
    unit->files++;
    return true;
}

static void read_old_tables(struct line_unit *unit, struct reader *r, struct line_names *names) {
    for (const char *text; *(text = reader_string(r)); unit->directories++)
        add_name(names, text, LINE_NAME_NONE);
    unit->first_file = (uint32_t)names->count;
    while (line_unit_add_file(unit, r, names))
        ;
}

/* A table that says itself what its entries consist of. Each form takes a byte at least, so a
 * number of entries that is not true ends where the header does. */
static uint32_t read_table(struct line_unit *unit, struct reader *r,
                           const struct line_strings *strings, struct line_names *names) {
    unsigned fields = reader_u8(r);
    struct reader format = *r;
    for (unsigned i = 0; i < 2 * fields; i++)
        reader_uleb(r);
    uint64_t count = reader_uleb(r), done = 0;
    if (fields == 0 && count != 0)
        r->bad = true;
    for (; done < count && !r->bad; done++) {
        struct reader fields_left = format;
        struct line_name name = {.text = "", .directory = LINE_NAME_NONE};
        for (unsigned i = 0; i < fields; i++) {
            uint64_t what = reader_uleb(&fields_left), form = reader_uleb(&fields_left);
            struct form_value v = read_form(r, form, unit->offset_bytes, strings);
            if (what == DW_LNCT_PATH)
                name.text = v.text;
            else if (what == DW_LNCT_DIRECTORY_INDEX)
                name.directory = directory_index(unit, v.number);
        }
        if (r->bad)
            break;
        add_name(names, name.text, name.directory);
    }
    return (uint32_t)done;
}

static void read_tables(struct line_unit *unit, struct reader *r,
                        const struct line_strings *strings, struct line_names *names) {
    unit->first_directory = (uint32_t)names->count;
    if (unit->version < 5) {
        read_old_tables(unit, r, names);
        return;
    }
    unit->directories = read_table(unit, r, strings, names);
    unit->first_file = (uint32_t)names->count;
    unit->files = read_table(unit, r, strings, names);
}

/* False: its program would not be understood. Names may be damaged; then lines have no file. */
static bool read_header(struct line_unit *unit, struct reader *r,
                        const struct line_strings *strings, struct line_names *names) {
    unit->min_instruction_bytes = reader_u8(r);
    unsigned operations = unit->version < 4 ? 1 : reader_u8(r); /* of an instruction */
    reader_skip(r, 1);                                          /* default_is_stmt */
    unit->line_base = (int8_t)reader_u8(r);
    unit->line_range = reader_u8(r);
    unit->opcode_base = reader_u8(r);
    unit->operands = r->at;
    if (unit->opcode_base == 0 || unit->line_range == 0 || operations > 1 ||
        !reader_skip(r, unit->opcode_base - 1u))
        return false;
    read_tables(unit, r, strings, names);
    return true;
}

bool line_unit_next(struct line_unit *unit, struct reader *section,
                    const struct line_strings *strings, struct line_names *names) {
    *unit = (struct line_unit){.offset_bytes = 4};
    uint64_t bytes = reader_u32(section);
    if (bytes == LENGTH_OF_64_BITS) {
        bytes = reader_u64(section);
        unit->offset_bytes = 8;
    }
    struct reader r = reader_part(section, bytes);
    if (r.bad)
        return false;
    unit->version = reader_u16(&r);
    if (unit->version < 2 || unit->version > 5)
        return true;
    if (unit->version == 5)
        reader_skip(&r, 2); /* the sizes of an address and of a segment's number */
    uint64_t header_bytes = reader_number(&r, unit->offset_bytes);
    struct reader header = reader_part(&r, header_bytes);
    if (!header.bad && read_header(unit, &header, strings, names))
        unit->program = r;
    return true;
}
