/* What file.c does for an open file, whose lock (tmpfile.lock) the caller has. */
#pragma once
#include "tmpfs/tmpnode.h"

/* The frame of a page that is there, or PA(0). The lock keeps it. */
paddr_t tmpfile_find(struct tmpfile *f, uint64_t index);
/* The same, made of zeros if it is not there. -K_ENOSPC: it cannot be promised. */
int tmpfile_find_or_make(struct tmpfile *f, uint64_t index, paddr_t *frame) must_check;

/* Where the file ends. To make it shorter: tmpfile_resize. */
void tmpfile_set_size(struct tmpfile *f, uint64_t size);
/* To any size: pages behind it go, from mappings too, and what is behind the end is zero. */
void tmpfile_resize(struct tmpfile *f, uint64_t size);

/* Zeros in all that is there of [start, end). */
void tmpfile_zero(struct tmpfile *f, uint64_t start, uint64_t end);
/* Pages for all of [start, end). -K_ENOSPC: they cannot be promised; -K_EINTR: it was killed. Some
 * of them may have been made. */
int tmpfile_fill_holes(struct tmpfile *f, uint64_t start, uint64_t end) must_check;

/* What stands in the page behind the end of the file becomes zero. */
void tmpfile_clean_page(struct tmpfile *f, uint64_t index);
/* What somebody may have stored there in the last page, likewise. */
void tmpfile_clean_end(struct tmpfile *f);
