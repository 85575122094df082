/* The machine as a command: ./sim --help */
#include "machine/cli/cuts.h"
#include "machine/cli/diagnose.h"
#include "machine/cli/files.h"
#include "machine/cli/options.h"
#include "machine/cli/seeds.h"
#include "machine/cli/session.h"
#include <stdio.h>

int main(int argc, char **argv) {
    struct cli cli;
    char error[512];
    int status = options_parse(&cli, argc, argv);
    if (status >= 0)
        return status;
    if (!files_open(&cli, error, sizeof(error))) {
        fprintf(stderr, "sim: %s\n", error);
        return STATUS_USAGE;
    }
    if (cli.seeds_end)
        status = seeds_run(&cli);
    else if (cli.cut || cli.cut_all)
        status = cuts_run(&cli);
    else if (!seeds_measure(&cli))
        status = STATUS_USAGE;
    else
        status = cli.doctor != NULL ? diagnose_run(&cli) : session_run(&cli);
    files_close(&cli);
    return status;
}
