/* A little of what the C library has for strings: the machine may use no more of that than a page
 * of a browser has (machine/wasm/include). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the words stand in the text for the first time; NULL: nowhere. */
const char *letters_find(const char *text, const char *words);
bool letters_begin(const char *text, const char *with);
/* How many letters come before the first of `stops`, or before the end. */
size_t letters_until(const char *text, const char *stops);
/* At most size - 1 letters, and a 0. */
void letters_copy(char *to, size_t size, const char *from);
/* A hexadecimal number, with 0x or without. false: there is none, and *value is as it was. */
bool letters_hex(const char *text, uint64_t *value);

/* A text that grows. When there is no memory for it, it stays as it is, and `lost` is set. */
struct text {
    char *bytes; /* NULL: nothing was added */
    size_t length, room;
    bool lost;
};
void text_add(struct text *text, const char *more);
void text_number(struct text *text, uint64_t value);
void text_hex(struct text *text, uint64_t value, unsigned digits); /* with 0x and leading zeros */
void text_free(struct text *text);
