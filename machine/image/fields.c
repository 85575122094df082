/* Fields of structs: see fields.h. A unit is a list of entries, each with a number of what its
 * attributes are and which forms they have; the abbreviations say that. Only structs of C and their
 * members matter here, and of the others what has to be skipped. */
#include "machine/image/fields.h"
#include "machine/image/dwarf.h"

enum { ABBREVIATIONS = 1024 }; /* of a unit; entries with a higher number end it */

enum { DW_TAG_MEMBER = 0x0d, DW_TAG_STRUCTURE_TYPE = 0x13 };
enum {
    DW_AT_NAME = 0x03,
    DW_AT_BYTE_SIZE = 0x0b,
    DW_AT_DATA_MEMBER_LOCATION = 0x38,
    DW_AT_STR_OFFSETS_BASE = 0x72,
};

struct unit {
    unsigned version, address_bytes, offset_bytes;
    struct reader entries;
    struct reader abbreviation[ABBREVIATIONS]; /* from the tag on; none: .at is NULL */
    struct reader str, line_str, str_offsets;  /* whole sections */
    uint64_t str_offsets_base;
};

/* What an entry says of itself, of what matters. */
struct entry {
    uint64_t tag;
    bool children;
    const char *name;
    uint64_t bytes, offset;
};

static const char *string_at(struct reader section, uint64_t offset) {
    reader_skip(&section, offset);
    return reader_string(&section);
}

static const char *string_by_index(const struct unit *unit, uint64_t index) {
    struct reader r = unit->str_offsets;
    if (!reader_skip(&r, unit->str_offsets_base) || index > r.left / unit->offset_bytes)
        return "";
    reader_skip(&r, index * unit->offset_bytes);
    return string_at(unit->str, reader_number(&r, unit->offset_bytes));
}

static const char *read_string(struct reader *r, uint64_t form, const struct unit *unit) {
    switch (form) {
    case DW_FORM_STRING: return reader_string(r);
    case DW_FORM_STRP: return string_at(unit->str, reader_number(r, unit->offset_bytes));
    case DW_FORM_LINE_STRP: return string_at(unit->line_str, reader_number(r, unit->offset_bytes));
    case DW_FORM_STRX: return string_by_index(unit, reader_uleb(r));
    default: return string_by_index(unit, reader_number(r, (unsigned)(form - DW_FORM_STRX1 + 1)));
    }
}

static bool is_string(uint64_t form) {
    return form == DW_FORM_STRING || form == DW_FORM_STRP || form == DW_FORM_LINE_STRP ||
           form == DW_FORM_STRX || (form >= DW_FORM_STRX1 && form <= DW_FORM_STRX4);
}

/* A number, or 0 of what is none; a form that is not known is damage. */
static uint64_t read_number(struct reader *r, uint64_t form, const struct unit *unit) {
    switch (form) {
    case DW_FORM_FLAG_PRESENT: return 1;
    case DW_FORM_DATA1:
    case DW_FORM_FLAG:
    case DW_FORM_REF1: return reader_number(r, 1);
    case DW_FORM_DATA2:
    case DW_FORM_REF2: return reader_number(r, 2);
    case DW_FORM_DATA4:
    case DW_FORM_REF4: return reader_number(r, 4);
    case DW_FORM_DATA8:
    case DW_FORM_REF8:
    case DW_FORM_REF_SIG8: return reader_number(r, 8);
    case DW_FORM_SDATA: return (uint64_t)reader_sleb(r);
    case DW_FORM_UDATA:
    case DW_FORM_REF_UDATA:
    case DW_FORM_ADDRX:
    case DW_FORM_LOCLISTX:
    case DW_FORM_RNGLISTX: return reader_uleb(r);
    case DW_FORM_ADDR: return reader_number(r, unit->address_bytes);
    case DW_FORM_REF_ADDR:
    case DW_FORM_SEC_OFFSET: return reader_number(r, unit->offset_bytes);
    case DW_FORM_DATA16: reader_skip(r, 16); return 0;
    case DW_FORM_BLOCK:
    case DW_FORM_EXPRLOC: reader_skip(r, reader_uleb(r)); return 0;
    case DW_FORM_BLOCK1: reader_skip(r, reader_number(r, 1)); return 0;
    case DW_FORM_BLOCK2: reader_skip(r, reader_number(r, 2)); return 0;
    case DW_FORM_BLOCK4: reader_skip(r, reader_number(r, 4)); return 0;
    }
    if (form >= DW_FORM_ADDRX1 && form <= DW_FORM_ADDRX4)
        return reader_number(r, (unsigned)(form - DW_FORM_ADDRX1 + 1));
    r->bad = true;
    return 0;
}

/* ---- a unit -----------------------------------------------------------------------------------
 */
static void read_abbreviations(struct unit *unit, struct reader r) {
    memset(unit->abbreviation, 0, sizeof(unit->abbreviation));
    for (uint64_t code; (code = reader_uleb(&r)) != 0 && !r.bad;) {
        if (code < ABBREVIATIONS)
            unit->abbreviation[code] = r;
        reader_uleb(&r); /* tag */
        reader_u8(&r);   /* whether it has children */
        for (uint64_t what = 1, form = 1; (what || form) && !r.bad;) {
            what = reader_uleb(&r);
            form = reader_uleb(&r);
            if (form == DW_FORM_IMPLICIT_CONST)
                reader_sleb(&r);
        }
    }
}

/* false: there is no other. One that would not be understood has no entries. */
static bool next_unit(struct unit *unit, struct reader *section, struct reader abbreviations) {
    unit->offset_bytes = 4;
    unit->entries = (struct reader){0};
    uint64_t bytes = reader_u32(section);
    if (bytes == LENGTH_OF_64_BITS) {
        bytes = reader_u64(section);
        unit->offset_bytes = 8;
    }
    unit->str_offsets_base = 2 * unit->offset_bytes; /* behind the header of the only list */
    struct reader r = reader_part(section, bytes);
    unit->version = reader_u16(&r);
    if (r.bad)
        return false;
    unsigned type = unit->version >= 5 ? reader_u8(&r) : 1;
    if (unit->version >= 5)
        unit->address_bytes = reader_u8(&r);
    reader_skip(&abbreviations, reader_number(&r, unit->offset_bytes));
    if (unit->version < 5)
        unit->address_bytes = reader_u8(&r);
    if (r.bad || unit->version < 2 || unit->version > 5 || type != 1 || unit->address_bytes > 8)
        return true;
    read_abbreviations(unit, abbreviations);
    unit->entries = r;
    return true;
}

/* false: an entry that says that the children of one are over, or the end of what is understood. */
static bool next_entry(struct unit *unit, struct entry *entry) {
    struct reader *r = &unit->entries;
    uint64_t code = reader_uleb(r);
    *entry = (struct entry){.name = ""};
    if (code == 0)
        return false;
    if (code >= ABBREVIATIONS || unit->abbreviation[code].at == NULL) {
        r->bad = true;
        return false;
    }
    struct reader a = unit->abbreviation[code];
    entry->tag = reader_uleb(&a);
    entry->children = reader_u8(&a);
    for (;;) {
        uint64_t what = reader_uleb(&a), form = reader_uleb(&a), number = 0;
        if ((what == 0 && form == 0) || a.bad || r->bad)
            return !a.bad && !r->bad;
        if (is_string(form)) {
            const char *text = read_string(r, form, unit);
            if (what == DW_AT_NAME)
                entry->name = text;
            continue;
        }
        number = form == DW_FORM_IMPLICIT_CONST ? (uint64_t)reader_sleb(&a)
                                                : read_number(r, form, unit);
        if (what == DW_AT_BYTE_SIZE)
            entry->bytes = number;
        else if (what == DW_AT_DATA_MEMBER_LOCATION)
            entry->offset = number;
        else if (what == DW_AT_STR_OFFSETS_BASE)
            unit->str_offsets_base = number;
    }
}

/* ---- what is looked for ------------------------------------------------------------------------
 */
static void member(struct field *fields, unsigned count, const struct entry *of,
                   const struct entry *entry) {
    for (unsigned i = 0; i < count; i++)
        if (!fields[i].found && strcmp(fields[i].of, of->name) == 0 &&
            strcmp(fields[i].name, entry->name) == 0) {
            fields[i].found = true;
            fields[i].offset = entry->offset;
            fields[i].bytes = of->bytes;
        }
}

static void look_through(struct unit *unit, struct field *fields, unsigned count) {
    struct entry of = {.name = ""}, entry;
    unsigned depth = 0, inside = 0; /* inside: the depth of the members of `of`; 0: none */
    while (unit->entries.left && !unit->entries.bad) {
        if (!next_entry(unit, &entry)) {
            if (inside == depth)
                inside = 0;
            if (depth > 0)
                depth--;
            continue;
        }
        if (entry.tag == DW_TAG_MEMBER && inside == depth && inside > 0)
            member(fields, count, &of, &entry);
        depth += entry.children;
        if (entry.tag == DW_TAG_STRUCTURE_TYPE && entry.children && inside == 0) {
            of = entry;
            inside = depth;
        }
    }
}

static bool all_found(const struct field *fields, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (!fields[i].found)
            return false;
    return true;
}

void fields_find(const struct elf *elf, struct field *fields, unsigned count) {
    struct unit unit = {.str = elf_section_bytes(elf, ".debug_str"),
                        .line_str = elf_section_bytes(elf, ".debug_line_str"),
                        .str_offsets = elf_section_bytes(elf, ".debug_str_offsets")};
    struct reader section = elf_section_bytes(elf, ".debug_info");
    struct reader abbreviations = elf_section_bytes(elf, ".debug_abbrev");
    for (unsigned i = 0; i < count; i++)
        fields[i].found = false;
    while (!all_found(fields, count) && next_unit(&unit, &section, abbreviations))
        look_through(&unit, fields, count);
}
