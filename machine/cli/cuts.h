/* The power fails: a machine is run, cut, and started again with what is on its disks. */
#pragma once
#include "machine/cli/options.h"

/* For cli.cut or cli.cut_all: the status of ./sim. */
int cuts_run(const struct cli *cli);
