/* See seeds.h. */
#include "machine/cli/seeds.h"
#include "machine/cli/session.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ABBREVIATED = 220 };

/* A silent run, which stays open. false: after a word to the user. */
static bool run(struct session *s, const struct cli *cli, int *status) {
    const struct session_plan plan = {
        .append = cli->sim.append, .commands = cli->commands, .silent = true, .limit = cli->limit};
    if (!session_open(s, cli, &plan))
        return false;
    sim_fail(s->sim, 0, &cli->failures);
    *status = session_go(s);
    return true;
}

bool seeds_measure(struct cli *cli) {
    struct session s;
    int status;
    if (cli->sim.preempt == 0 || cli->sim.preempt_length != 0)
        return true;
    if (!run(&s, cli, &status))
        return false;
    uint64_t steps = sim_steps(s.sim);
    session_close(&s, status);
    cli->sim.preempt_length = steps > 0 ? steps : 1;
    return true;
}

/* "--seed 7 --preempt 2:1000", what repeats a run. */
static void repeated(const struct cli *cli, char *buffer, size_t size) {
    int length = snprintf(buffer, size, "--seed %" PRIu64, cli->sim.seed);
    if (cli->sim.preempt)
        snprintf(buffer + length, size - (size_t)length, " --preempt %u:%" PRIu64, cli->sim.preempt,
                 cli->sim.preempt_length);
}

static void tell(const struct session *s, int status) {
    char again[80];
    repeated(s->cli, again, sizeof(again));
    printf("%s: status %d, %" PRIu64 " findings", again, status, sim_findings(s->sim));
    if (s->limited)
        printf(", not ended after %" PRIu64 " instructions", s->plan.limit);
    if (s->found[0])
        printf("; %.*s%s\n", ABBREVIATED, s->found, s->found[ABBREVIATED] ? "..." : "");
    else
        printf("; its last line: %s\n", s->last_line);
    fflush(stdout);
}

/* As a shell takes it. */
static void print_word(const char *word) {
    if (*word != 0 && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-_./:=,+@%") == strlen(word)) {
        printf(" %s", word);
        return;
    }
    printf(" '");
    for (; *word != 0; word++)
        if (*word == '\'')
            printf("'\\''");
        else
            putchar(*word);
    putchar('\'');
}

/* The command line that does it again, and shows it. */
static void print_command(const struct cli *cli, const char *again) {
    printf("sim: the first of them again: ./sim %s", again);
    for (char **word = cli->words + 1; *word != NULL; word++)
        if (strcmp(*word, "--seeds") == 0 || strcmp(*word, "--preempt") == 0 ||
            strcmp(*word, "--seed") == 0)
            word++;
        else
            print_word(*word);
    putchar('\n');
}

int seeds_run(const struct cli *given) {
    struct cli cli = *given;
    uint64_t failed = 0, runs = 0;
    char first[80] = "";
    cli.sim.seed = cli.seeds;
    if (!seeds_measure(&cli))
        return STATUS_USAGE;
    for (; cli.sim.seed != cli.seeds_end; cli.sim.seed++) {
        struct session s;
        int status;
        if (!run(&s, &cli, &status))
            return STATUS_USAGE;
        runs++;
        if (status != 0 || s.limited) {
            tell(&s, status);
            if (failed++ == 0)
                repeated(&cli, first, sizeof(first));
        }
        session_close(&s, status);
    }
    printf("sim: %" PRIu64 " seeds, %" PRIu64 " failed\n", runs, failed);
    if (failed > 0)
        print_command(&cli, first);
    return failed > 0 ? STATUS_FINDINGS : 0;
}
