/* Takes ELF files apart: see elf.h. */
#include "machine/image/elf.h"
#include <stdio.h>

#define HEADER_BYTES 64
#define PROGRAM_HEADER_BYTES 56
#define SECTION_HEADER_BYTES 64
#define IDENT_BYTES 16
#define PT_LOAD 1
#define EM_RISCV 243

enum { ELFCLASS32 = 1, ELFCLASS64 = 2, ELFDATA2LSB = 1, ELFDATA2MSB = 2, EV_CURRENT = 1 };
enum { ET_REL = 1, ET_EXEC = 2, ET_DYN = 3, ET_CORE = 4 };
enum { SHN_LORESERVE = 0xff00 };

bool elf_is(const struct image_file *file) {
    return file->size >= 4 && memcmp(file->bytes, "\177ELF", 4) == 0;
}

static bool refuse(const struct elf *elf, const char *why, char *error, size_t error_size) {
    snprintf(error, error_size, "%s: %s", elf->file.name, why);
    return false;
}

static bool refuse_for(const struct elf *elf, const char *what, char *error, size_t error_size) {
    snprintf(error, error_size, "%s: not an ELF for RISC-V, 64 bits: it is %s", elf->file.name,
             what);
    return false;
}

static bool check_ident(const struct elf *elf, char *error, size_t error_size) {
    const uint8_t *ident = elf->file.bytes;
    if (!elf_is(&elf->file))
        return refuse(elf, "not an ELF", error, error_size);
    if (elf->file.size < HEADER_BYTES)
        return refuse(elf, "its ELF header is cut off", error, error_size);
    if (ident[5] == ELFDATA2MSB)
        return refuse_for(elf, "big-endian", error, error_size);
    if (ident[4] == ELFCLASS32)
        return refuse_for(elf, "one of 32 bits", error, error_size);
    if (ident[4] != ELFCLASS64 || ident[5] != ELFDATA2LSB || ident[6] != EV_CURRENT)
        return refuse(elf, "its ELF header has an unknown format", error, error_size);
    return true;
}

/* The numbers of other machines that somebody may have built for by mistake. */
static bool check_machine(const struct elf *elf, unsigned machine, char *error, size_t error_size) {
    static const struct {
        unsigned machine;
        const char *what;
    } others[] = {{3, "for x86"},        {8, "for MIPS"},      {20, "for PowerPC"},
                  {21, "for PowerPC"},   {22, "for s390"},     {40, "for Arm"},
                  {62, "for x86-64"},    {183, "for AArch64"}, {247, "for BPF"},
                  {258, "for LoongArch"}};
    if (machine == EM_RISCV)
        return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i].machine == machine)
            return refuse_for(elf, others[i].what, error, error_size);
    }
    char what[40];
    snprintf(what, sizeof(what), "for machine %u", machine);
    return refuse_for(elf, what, error, error_size);
}

static bool check_type(const struct elf *elf, unsigned type, char *error, size_t error_size) {
    if (type == ET_EXEC || type == ET_DYN)
        return true;
    return refuse(elf,
                  type == ET_REL    ? "not an executable: it is an object file, before the linker"
                  : type == ET_CORE ? "not an executable: it is a core dump"
                                    : "not an executable",
                  error, error_size);
}

static bool check_segment(const struct elf *elf, const struct elf_segment *s, bool whole,
                          char *error, size_t error_size) {
    if (!whole)
        return refuse(elf, "a segment is out of the file, which may be cut off", error, error_size);
    if (s->file_size > s->size)
        return refuse(elf, "a segment has more bytes in the file than in memory", error,
                      error_size);
    if (s->size > UINT64_MAX - s->vaddr || s->size > UINT64_MAX - s->paddr)
        return refuse(elf, "a segment passes the end of all addresses", error, error_size);
    if (elf->segments == ELF_SEGMENTS_MAX)
        return refuse(elf, "it has too many segments", error, error_size);
    return true;
}

static bool read_segment(struct elf *elf, struct reader *headers, char *error, size_t error_size) {
    struct reader r = reader_part(headers, PROGRAM_HEADER_BYTES);
    struct reader content = reader_of(elf->file.bytes, elf->file.size);
    struct elf_segment s;
    uint32_t type = reader_u32(&r);
    reader_skip(&r, 4); /* the permissions */
    bool whole = reader_skip(&content, reader_u64(&r));
    s.vaddr = reader_u64(&r);
    s.paddr = reader_u64(&r);
    s.file_size = reader_u64(&r);
    s.size = reader_u64(&r);
    if (type != PT_LOAD || (s.size == 0 && s.file_size == 0))
        return true;
    s.bytes = content.at;
    whole = whole && reader_skip(&content, s.file_size);
    if (!check_segment(elf, &s, whole, error, error_size))
        return false;
    elf->segment[elf->segments++] = s;
    return true;
}

static bool read_segments(struct elf *elf, uint64_t offset, unsigned count, unsigned bytes,
                          char *error, size_t error_size) {
    struct reader r = reader_of(elf->file.bytes, elf->file.size);
    reader_skip(&r, offset);
    struct reader headers = reader_part(&r, (uint64_t)count * PROGRAM_HEADER_BYTES);
    if (count && (headers.bad || bytes != PROGRAM_HEADER_BYTES))
        return refuse(elf, "its program headers are out of the file", error, error_size);
    for (unsigned i = 0; i < count; i++) {
        if (!read_segment(elf, &headers, error, error_size))
            return false;
    }
    return elf->segments || refuse(elf, "nothing in it is to be loaded", error, error_size);
}

static void find_sections(struct elf *elf, uint64_t offset, unsigned count, unsigned bytes,
                          unsigned names) {
    struct reader r = reader_of(elf->file.bytes, elf->file.size);
    reader_skip(&r, offset);
    struct reader headers = reader_part(&r, (uint64_t)count * SECTION_HEADER_BYTES);
    if (headers.bad || bytes != SECTION_HEADER_BYTES || names >= count || count >= SHN_LORESERVE)
        return;
    elf->headers = headers.at;
    elf->sections = count;
    elf->names = names;
}

bool elf_open(struct elf *elf, const struct image_file *file, char *error, size_t error_size) {
    *elf = (struct elf){.file = *file};
    if (!check_ident(elf, error, error_size))
        return false;
    struct reader r = reader_of(file->bytes, file->size);
    reader_skip(&r, IDENT_BYTES);
    unsigned type = reader_u16(&r), machine = reader_u16(&r);
    reader_skip(&r, 4); /* the version again */
    elf->entry = reader_u64(&r);
    uint64_t segments_at = reader_u64(&r), sections_at = reader_u64(&r);
    reader_skip(&r, 6); /* flags, and the size of this header */
    unsigned segment_bytes = reader_u16(&r), segments = reader_u16(&r);
    unsigned section_bytes = reader_u16(&r), sections = reader_u16(&r), names = reader_u16(&r);
    if (!check_machine(elf, machine, error, error_size) ||
        !check_type(elf, type, error, error_size) ||
        !read_segments(elf, segments_at, segments, segment_bytes, error, error_size))
        return false;
    find_sections(elf, sections_at, sections, section_bytes, names);
    return true;
}

static bool section_and_name(const struct elf *elf, unsigned number, struct elf_section *out,
                             uint32_t *name) {
    if (number >= elf->sections)
        return false;
    struct reader r = reader_of(elf->headers + (size_t)number * SECTION_HEADER_BYTES,
                                SECTION_HEADER_BYTES);
    *name = reader_u32(&r);
    out->type = reader_u32(&r);
    out->flags = reader_u64(&r);
    out->address = reader_u64(&r);
    uint64_t offset = reader_u64(&r);
    out->size = reader_u64(&r);
    out->link = reader_u32(&r);
    out->bytes = reader_of(NULL, 0);
    if (out->type == ELF_NOBITS || out->flags & ELF_COMPRESSED)
        return true;
    struct reader content = reader_of(elf->file.bytes, elf->file.size);
    reader_skip(&content, offset);
    out->bytes = reader_part(&content, out->size);
    return !out->bytes.bad;
}

bool elf_section(const struct elf *elf, unsigned number, struct elf_section *out) {
    uint32_t name;
    return section_and_name(elf, number, out, &name);
}

struct reader elf_section_bytes(const struct elf *elf, const char *name) {
    struct elf_section names, section;
    if (elf_section(elf, elf->names, &names)) {
        for (unsigned i = 0; i < elf->sections; i++) {
            uint32_t offset;
            struct reader r = names.bytes;
            if (section_and_name(elf, i, &section, &offset) && reader_skip(&r, offset) &&
                strcmp(reader_string(&r), name) == 0 && !r.bad)
                return section.bytes;
        }
    }
    return reader_of(NULL, 0);
}
