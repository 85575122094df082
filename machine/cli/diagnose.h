/* A run with the doctor: its records go to a file. */
#pragma once
#include "machine/cli/options.h"

/* For cli.doctor: 0 when nothing is wrong, STATUS_FINDINGS when something is, STATUS_USAGE after a
 * word to the user. Without commands the run ends at the first prompt. */
int diagnose_run(const struct cli *cli);
