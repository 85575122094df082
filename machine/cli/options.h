/* The command line of ./sim. */
#pragma once
#include "machine/sim.h"

enum { PROMPT_BYTES = 64 };
enum { STATUS_USAGE = 2, STATUS_HANGS = 3, STATUS_FINDINGS = 1 };

struct cli {
    struct sim_options sim;
    const char *kernel, *firmware, *initrd, *profile, *signature, *marks, *disks[SIM_DISKS_MAX];
    unsigned disk_count;
    bool keep_disks;
    const char *commands;            /* typed line by line, each at a prompt; NULL: none */
    const char *prompt;              /* one line, of 1 to PROMPT_BYTES bytes */
    uint64_t limit;                  /* of instructions; 0: none */
    struct sim_failures failures;    /* of the first disk */
    uint64_t cut;                    /* the power fails before this disk request; 0: never */
    bool cut_all;                    /* before each that writes, in turn */
    const char *append_after, *then; /* the restart's arguments and commands; NULL: not given */
    bool mode_given, misaligned_given;
    bool until_finding;        /* the first finding ends the machine */
    bool quiet;                /* no summary */
    bool leaks;                /* told at the end */
    char **words;              /* the command line's, up to a NULL */
    uint64_t seeds, seeds_end; /* all of these seeds are run; seeds_end 0: only sim.seed is */
    const char *doctor;        /* the file for the doctor's records; NULL: no doctor */
    uint64_t patience;         /* of the doctor, in seconds */
};

/* -1: go on; else the status to end with, after a word to the user. */
int options_parse(struct cli *cli, int argc, char **argv);
