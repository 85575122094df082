/* The files that a machine is made of. */
#pragma once
#include "machine/cli/options.h"

/* Reads them into cli->sim. false, with a sentence: one cannot be read. */
bool files_open(struct cli *cli, char *error, size_t error_size);
/* What the guest has written to a disk goes to its file, if that is wanted. false, after a word
 * to the user: not all of it. */
bool files_keep(const struct cli *cli, struct sim *sim);
/* The same, to new files beside those: FILE.number. */
bool files_keep_beside(const struct cli *cli, struct sim *sim, uint64_t number);
/* What --signature asks for. false, after a word to the user: there is none. */
bool files_sign(const struct cli *cli, const struct sim *sim);
void files_close(struct cli *cli);
