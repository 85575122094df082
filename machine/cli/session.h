/* A machine from its first instruction to its end, with a terminal, a pipe or commands. */
#pragma once
#include "machine/cli/options.h"

/* The status of ./sim. */
int session_run(struct cli *cli);
