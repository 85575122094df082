/* One run for each seed, and the length of runs. */
#pragma once
#include "machine/cli/options.h"

/* For cli.seeds: the status of ./sim. */
int seeds_run(const struct cli *cli);
/* For --preempt without a length: a silent run counts the steps into cli->sim. false: after a word
 * to the user. */
bool seeds_measure(struct cli *cli);
