/* Page tables as text, in the format of the page-table lab. */
#pragma once
#include "mm/pt.h"

/* Prints the low half of the tree on the console: a line for the root, then one
 * for every valid entry, indented by its depth; a large leaf is a leaf at its
 * level. Nobody may change the tree meanwhile. */
void vmprint(const struct pt *pt);
