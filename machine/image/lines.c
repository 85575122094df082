/* Source lines by address: see lines.h. The programs that make the rows run twice: the first time
 * rows, sequences and names are counted, the second time they are stored. */
#include "machine/image/lines.h"
#include "machine/image/sort.h"
#include <stdlib.h>

enum {
    DW_LNS_EXTENDED = 0,
    DW_LNS_COPY = 1,
    DW_LNS_ADVANCE_PC = 2,
    DW_LNS_ADVANCE_LINE = 3,
    DW_LNS_SET_FILE = 4,
    DW_LNS_CONST_ADD_PC = 8,
    DW_LNS_FIXED_ADVANCE_PC = 9,
};
enum { DW_LNE_END_SEQUENCE = 1, DW_LNE_SET_ADDRESS = 2, DW_LNE_DEFINE_FILE = 3 };

/* A program that runs, with the registers that matter here. */
struct run {
    struct lines *lines; /* counted alone while lines->rows is NULL */
    struct line_unit *unit;
    uint64_t address, file, line;
    size_t first;         /* row of the sequence */
    uint64_t start, last; /* addresses of its first and its last row */
};

static void reset(struct run *run) {
    run->address = 0;
    run->file = run->line = 1;
    run->first = run->lines->row_count;
}

/* Rows that have no extent are forgotten. */
static void end_sequence(struct run *run, uint64_t end) {
    struct lines *lines = run->lines;
    size_t count = lines->row_count - run->first;
    if (count == 0 || end <= run->start) {
        lines->row_count = run->first;
        return;
    }
    if (lines->rows)
        lines->sequences[lines->sequence_count] = (struct line_sequence){
            .start = run->start,
            .end = end,
            .first = (uint32_t)run->first,
            .count = (uint32_t)count,
        };
    lines->sequence_count++;
    run->first = lines->row_count;
}

/* Of several rows at an address the last one counts. An address that goes back begins another
 * sequence: no program may do that. */
static void add_row(struct run *run) {
    struct lines *lines = run->lines;
    if (lines->row_count > run->first && run->address < run->last)
        end_sequence(run, run->last);
    if (lines->row_count == run->first)
        run->start = run->address;
    else if (run->address == run->last)
        lines->row_count--;
    if (lines->rows)
        lines->rows[lines->row_count] = (struct line_row){
            .address = run->address,
            .line = (uint32_t)run->line,
            .file = line_unit_file(run->unit, run->file),
        };
    lines->row_count++;
    if (lines->row_count > lines->row_room)
        lines->row_room = lines->row_count;
    run->last = run->address;
}

static void advance(struct run *run, unsigned operations) {
    run->address += (uint64_t)run->unit->min_instruction_bytes * operations;
}

static void do_special(struct run *run, unsigned opcode) {
    unsigned adjusted = opcode - run->unit->opcode_base;
    advance(run, adjusted / run->unit->line_range);
    run->line += (uint64_t)(run->unit->line_base + (int)(adjusted % run->unit->line_range));
    add_row(run);
}

static void do_extended(struct run *run, struct reader *program) {
    struct reader r = reader_part(program, reader_uleb(program));
    switch (r.left ? reader_u8(&r) : 0) {
    case DW_LNE_END_SEQUENCE:
        end_sequence(run, run->address);
        reset(run);
        break;
    case DW_LNE_SET_ADDRESS:
        run->address = reader_number(&r, r.left < 8 ? (unsigned)r.left : 8);
        break;
    case DW_LNE_DEFINE_FILE: line_unit_add_file(run->unit, &r, &run->lines->names); break;
    }
}

static void do_standard(struct run *run, unsigned opcode, struct reader *program) {
    switch (opcode) {
    case DW_LNS_EXTENDED: do_extended(run, program); break;
    case DW_LNS_COPY: add_row(run); break;
    case DW_LNS_ADVANCE_PC:
        run->address += run->unit->min_instruction_bytes * reader_uleb(program);
        break;
    case DW_LNS_ADVANCE_LINE: run->line += (uint64_t)reader_sleb(program); break;
    case DW_LNS_SET_FILE: run->file = reader_uleb(program); break;
    case DW_LNS_CONST_ADD_PC:
        advance(run, (255u - run->unit->opcode_base) / run->unit->line_range);
        break;
    case DW_LNS_FIXED_ADVANCE_PC: run->address += reader_u16(program); break;
    default: /* one that does not matter, or of a later version */
        for (unsigned i = run->unit->operands[opcode - 1]; i > 0; i--)
            reader_uleb(program);
    }
}

static void run_program(struct lines *lines, struct line_unit *unit) {
    struct run run = {.lines = lines, .unit = unit};
    struct reader program = unit->program;
    reset(&run);
    while (program.left && !program.bad) {
        unsigned opcode = reader_u8(&program);
        if (opcode >= unit->opcode_base)
            do_special(&run, opcode);
        else
            do_standard(&run, opcode, &program);
    }
    end_sequence(&run, run.last); /* that nothing has ended */
}

static void run_all(struct lines *lines, const struct elf *elf) {
    struct line_strings strings = {.str = elf_section_bytes(elf, ".debug_str"),
                                   .line_str = elf_section_bytes(elf, ".debug_line_str")};
    struct reader section = elf_section_bytes(elf, ".debug_line");
    struct line_unit unit;
    lines->row_count = lines->sequence_count = lines->names.count = 0;
    while (line_unit_next(&unit, &section, &strings, &lines->names))
        run_program(lines, &unit);
}

/* Of two with one start the one that stands first in the file comes last, and is found: the linker
 * gives those that it has left out the address 0, where the first object may really be. */
static bool is_less(const void *left, const void *right) {
    const struct line_sequence *a = left, *b = right;
    return a->start != b->start ? a->start < b->start : a->first > b->first;
}

static void sort_sequences(struct lines *lines) {
    sort(lines->sequences, lines->sequence_count, sizeof(struct line_sequence), is_less);
    uint64_t furthest = 0;
    for (size_t i = 0; i < lines->sequence_count; i++) {
        struct line_sequence *s = &lines->sequences[i];
        furthest = s->end > furthest ? s->end : furthest;
        s->furthest = furthest;
    }
}

bool lines_read(struct lines *lines, const struct elf *elf) {
    *lines = (struct lines){0};
    if (elf_section_bytes(elf, ".debug_line").left >= UINT32_MAX)
        return false; /* a row's index has 32 bits */
    run_all(lines, elf);
    if (lines->sequence_count == 0) {
        *lines = (struct lines){0};
        return true;
    }
    lines->rows = calloc(lines->row_room, sizeof(struct line_row));
    lines->sequences = calloc(lines->sequence_count, sizeof(struct line_sequence));
    lines->names.list = calloc(lines->names.count + 1, sizeof(struct line_name));
    if (!lines->rows || !lines->sequences || !lines->names.list) {
        lines_free(lines);
        return false;
    }
    run_all(lines, elf);
    sort_sequences(lines);
    return true;
}

void lines_free(struct lines *lines) {
    free(lines->rows);
    free(lines->sequences);
    free(lines->names.list);
    *lines = (struct lines){0};
}

static bool find_in(const struct lines *lines, const struct line_sequence *s, uint64_t address,
                    struct line_place *place) {
    size_t low = s->first, high = low + s->count; /* the row of low is not behind the address */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (lines->rows[middle].address <= address)
            low = middle;
        else
            high = middle;
    }
    const struct line_row *row = &lines->rows[low];
    if (row->line == 0 || row->file == LINE_NAME_NONE)
        return false;
    const struct line_name *file = &lines->names.list[row->file];
    place->directory = "";
    if (file->directory != LINE_NAME_NONE)
        place->directory = lines->names.list[file->directory].text;
    place->file = file->text;
    place->line = row->line;
    return true;
}

bool lines_find(const struct lines *lines, uint64_t address, struct line_place *place) {
    size_t low = 0,
           high = lines->sequence_count; /* those below low begin at the address or before */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lines->sequences[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i > 0 && lines->sequences[i - 1].furthest > address; i--) {
        if (lines->sequences[i - 1].end > address)
            return find_in(lines, &lines->sequences[i - 1], address, place);
    }
    return false;
}
