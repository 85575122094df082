/* See letters.h. */
#include "machine/doctor/letters.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool letters_begin(const char *text, const char *with) {
    while (*with != 0 && *text == *with) {
        text++;
        with++;
    }
    return *with == 0;
}

const char *letters_find(const char *text, const char *words) {
    for (; *text != 0; text++)
        if (letters_begin(text, words))
            return text;
    return NULL;
}

size_t letters_until(const char *text, const char *stops) {
    size_t length = 0;
    while (text[length] != 0 && memchr(stops, text[length], strlen(stops)) == NULL)
        length++;
    return length;
}

void letters_copy(char *to, size_t size, const char *from) {
    size_t length = strlen(from);
    if (length >= size)
        length = size - 1;
    memmove(to, from, length);
    to[length] = 0;
}

static int digit_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool letters_hex(const char *text, uint64_t *value) {
    uint64_t n = 0;
    if (letters_begin(text, "0x"))
        text += 2;
    if (digit_of(*text) < 0)
        return false;
    for (; digit_of(*text) >= 0; text++)
        n = n << 4 | (uint64_t)digit_of(*text);
    *value = n;
    return true;
}

/* ---- a text that grows ----------------------------------------------------------------------- */
static bool make_room(struct text *t, size_t bytes) {
    size_t room = t->room ? t->room : 1024;
    while (room < t->length + bytes)
        room *= 2;
    if (room == t->room)
        return true;
    char *more = realloc(t->bytes, room);
    if (more == NULL)
        return false;
    t->bytes = more;
    t->room = room;
    return true;
}

void text_add(struct text *t, const char *more) {
    size_t bytes = strlen(more);
    if (!make_room(t, bytes + 1)) {
        t->lost = true;
        return;
    }
    memcpy(t->bytes + t->length, more, bytes + 1);
    t->length += bytes;
}

void text_number(struct text *t, uint64_t value) {
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    text_add(t, digits);
}

void text_hex(struct text *t, uint64_t value, unsigned digits) {
    char letters[20] = "0x";
    unsigned count = 16;
    while (count > 1 && count > digits && value >> 4 * (count - 1) == 0)
        count--;
    for (unsigned i = 0; i < count; i++)
        letters[2 + i] = "0123456789abcdef"[value >> 4 * (count - 1 - i) & 15];
    letters[2 + count] = 0;
    text_add(t, letters);
}

void text_free(struct text *t) {
    free(t->bytes);
    *t = (struct text){0};
}
