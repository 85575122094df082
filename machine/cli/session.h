/* A machine from its first instruction to its end, with a terminal, a pipe or commands. */
#pragma once
#include "machine/cli/options.h"
#include "machine/doctor/doctor.h"
#include <stddef.h>
#include <termios.h>

/* How a machine is run. */
struct session_plan {
    const char *append;
    const char *commands; /* typed line by line; NULL: none */
    bool keys;            /* from standard input, when there are no commands */
    bool silent;          /* what it prints is not shown */
    uint64_t limit;       /* of instructions; 0: none */
    uint64_t patience;    /* a doctor looks on, and gives up after so many seconds; 0: none does */
};

enum { SESSION_LINE = 128 };

/* It stays where it is while it is open. What is in it may be copied and put back, together with a
 * snapshot of the machine. */
struct session {
    const struct cli *cli;
    struct session_plan plan;
    struct sim *sim;
    bool terminal;
    struct termios before;
    bool input_ended;
    uint8_t pending[256]; /* read, not taken by the UART yet */
    size_t pending_count;
    bool escaped; /* the last key was Ctrl-A */
    bool ended;   /* by keys, or after the last command */
    bool limited; /* by the limit */
    const char *next_command;
    bool within_line;        /* its beginning was typed */
    char line[SESSION_LINE]; /* what the guest prints, its end when that is longer */
    size_t line_count;
    char last_line[SESSION_LINE]; /* the last whole one that was not empty */
    uint64_t chunk_end;           /* the instruction; 0: it is new */
    char found[512];              /* the beginning of the first finding, of a silent one */
    struct doctor *doctor;        /* NULL: none */
    struct sim_end end;           /* how it was when session_go came back */
    bool hangs, stuck;            /* nothing will wake the harts; or the doctor has given up */
};

/* false: after a word to the user; there is nothing to close then. */
bool session_open(struct session *s, const struct cli *cli, const struct session_plan *plan);
/* Runs until the machine's end: the status of ./sim; or until sim_stop_before's request, before
 * which it may go on later. */
enum { SESSION_AT_REQUEST = -1 };
int session_go(struct session *s);
/* A summary, if it is wanted. The status. */
int session_close(struct session *s, int status);

/* All of that: the status of ./sim. */
int session_run(const struct cli *cli);
