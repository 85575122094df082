/* Words of other shells' grammar that this shell does not have. */
#pragma once
#include "shparse.h"

/* Looks in text for if, for, while, until, case, select, function, {, ! and [[, and for what
 * belongs to them, where a command's name would stand; for the beginning of a function, NAME(); and
 * for here-documents, <<.
 *   PARSE_OK          there is none
 *   PARSE_ERROR       there is one, and error says so in a sentence
 *   PARSE_INCOMPLETE  the same, and what it encloses goes on behind text: more lines are to be
 *                     read, since none of them is a command
 * A quote that is not closed counts as going on. */
enum parse_result words_check(const char *text, char *error, size_t size);
