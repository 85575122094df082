/* Builds the line table of an ELF file by hand, and looks places up in it. */
#pragma once
#include "elfbuild.h"
#include "machine/image/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define TEXT 0x80001000ull         /* where the code is in memory */
#define HIGH 0xffffffc000000000ull /* by how much its virtual addresses are higher */

extern struct elfbuild b;
extern uint64_t at;      /* where the next byte of .debug_line goes */
extern uint64_t unit_at; /* where the unit begins */

void start(void);
void finish(void); /* what was put since then is .debug_line */

void put(unsigned bytes, uint64_t v);
void put_bytes(const char *bytes, size_t count);
#define PUT(literal) put_bytes(literal, sizeof(literal) - 1)
#define PUT_STRING(literal) put_bytes(literal, sizeof(literal))

/* ---- units: begin_unit, tables, begin_program, a program, end_unit */
/* Up to its lengths of opcodes; line_base is -3, line_range 12, opcode_base 13. */
void begin_unit(unsigned version, bool wide);
void begin_program(void);
void end_unit(void);

/* Directory "kernel", and files vm.c in it and start.S where the compiler ran. */
void old_tables(void);
/* Version 5: three directories, the last one of which is damaged, and four files, whose entries
 * have all forms that may be there. add_strings is called after finish: they refer to it. */
void new_tables(void);
void add_strings(void);

/* A file with one unit of version 4, up to its program; and the rest. */
void begin_plain(void);
void finish_plain(void);

/* ---- programs */
void put_address(uint64_t address);
void put_row(unsigned bytes, int lines); /* the special opcode for so many of them */
void put_end(unsigned bytes);
void some_program(void); /* which says this: */
#define SOME_LINES \
    {TEXT - 1, NULL, 0, NULL}, {TEXT, "vm.c", 9, NULL}, {TEXT + 3, "vm.c", 9, NULL}, \
        {TEXT + 4, "vm.c", 10, NULL}, {TEXT + 5, "vm.c", 10, NULL}, {TEXT + 6, "start.S", 7, ""}, \
        {TEXT + 11, "start.S", 7, ""}, {TEXT + 12, NULL, 0, NULL}, {0, NULL, 0, NULL}, { \
        UINT64_MAX, NULL, 0, NULL \
    }

/* ---- what is found */
struct elf open_elf(const struct elfbuild *from);

struct expected {
    uint64_t address;
    const char *file; /* NULL: nothing is known */
    uint32_t line;
    const char *directory; /* NULL: kernel */
};
void check(const struct expected *expected, size_t count);
#define CHECK(...) \
    do { \
        const struct expected expected_[] = {__VA_ARGS__}; \
        check(expected_, sizeof(expected_) / sizeof(expected_[0])); \
    } while (0)
