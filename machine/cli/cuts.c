/* See cuts.h. */
#include "machine/cli/cuts.h"
#include "machine/cli/files.h"
#include "machine/cli/session.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 4096, TOLD = 10 };
#define RESTART_LIMIT 1000000000ull /* instructions, in which a restart has to end */

/* The machine that is started after a cut. Nothing that is read from its disks is in it before its
 * first request, so it is taken up there again and again. */
struct restart {
    struct session session, session_then; /* the latter as it was when `then` was taken */
    struct sim_snapshot *then;
    char line[SESSION_LINE]; /* what {} was */
    char append[WORDS], commands[WORDS];
    bool open;
    int status; /* if there was no request */
};

static uint64_t seed_of(const struct cli *cli, uint64_t request) {
    return cli->sim.seed * 0x9e3779b97f4a7c15ull + request;
}

/* {} in `words` becomes the line; false: there is no room. */
static bool expand(const char *words, const char *line, char *to) {
    size_t room = WORDS;
    while (*words != 0) {
        bool here = words[0] == '{' && words[1] == '}';
        size_t count = here ? strlen(line) : 1;
        if (count >= room)
            return false;
        memcpy(to, here ? line : words, count);
        to += count;
        room -= count;
        words += here ? 2 : 1;
    }
    *to = 0;
    return true;
}

static bool plan_restart(struct restart *r, const struct cli *cli, const char *line,
                         struct session_plan *plan) {
    const char *append = cli->append_after != NULL ? cli->append_after
                         : cli->sim.append != NULL ? cli->sim.append
                                                   : "";
    bool types = cli->then != NULL || cli->commands != NULL || cli->cut_all;
    if (!expand(append, line, r->append) ||
        !expand(cli->then != NULL ? cli->then : "", line, r->commands)) {
        fprintf(stderr, "sim: the restart's arguments or commands are too long\n");
        return false;
    }
    *plan = (struct session_plan){.append = r->append,
                                  .commands = types ? r->commands : NULL,
                                  .keys = true,
                                  .limit = cli->limit};
    return true;
}

static bool open_first(struct session *first, const struct cli *cli) {
    const struct session_plan plan = {
        .append = cli->sim.append, .commands = cli->commands, .limit = cli->limit};
    if (!session_open(first, cli, &plan))
        return false;
    sim_fail(first->sim, 0, &cli->failures);
    return true;
}

/* Sectors that fail are so after a restart; the request that fails was another run's. */
static void fail_again(const struct cli *cli, struct sim *sim) {
    struct sim_failures failures = cli->failures;
    failures.request = 0;
    sim_fail(sim, 0, &failures);
}

static bool no_memory(void) {
    fprintf(stderr, "sim: no memory\n");
    return false;
}

/* ---- one cut --------------------------------------------------------------------------------- */
static int restart_once(struct session *first, const struct cli *cli) {
    struct restart r = {0};
    struct session_plan plan;
    if (!plan_restart(&r, cli, first->last_line, &plan) || !session_open(&r.session, cli, &plan))
        return STATUS_USAGE;
    fail_again(cli, r.session.sim);
    if (!sim_cut(first->sim, seed_of(cli, cli->cut), r.session.sim) && !no_memory())
        return session_close(&r.session, STATUS_USAGE);
    int status = session_go(&r.session);
    if (!files_keep(cli, r.session.sim))
        status = status ? status : STATUS_USAGE;
    return session_close(&r.session, status);
}

static int cut_once(const struct cli *cli) {
    struct session first;
    if (!open_first(&first, cli))
        return STATUS_USAGE;
    sim_stop_before(first.sim, cli->cut);
    int status = session_go(&first);
    uint64_t done = sim_requests(first.sim);
    fflush(stdout);
    if (status != SESSION_AT_REQUEST && done + 1 != cli->cut) {
        fprintf(stderr,
                "sim: there is no cut %" PRIu64 ": the machine ended after %" PRIu64
                " disk requests\n",
                cli->cut, done);
        return session_close(&first, STATUS_USAGE);
    }
    fprintf(stderr, "\nsim: power cut %s, after %" PRIu64 " disk requests\n",
            status == SESSION_AT_REQUEST ? "before a request" : "at the end", done);
    status = restart_once(&first, cli);
    return session_close(&first, status);
}

/* ---- all of them ------------------------------------------------------------------------------
 */
static void close_restart(struct restart *r) {
    sim_snapshot_free(r->then);
    if (r->open)
        session_close(&r->session, 0);
    r->then = NULL;
    r->open = false;
}

/* false: after a word to the user. */
static bool prepare(struct restart *r, const struct cli *cli, const char *line) {
    struct session_plan plan;
    if (r->open && strcmp(r->line, line) == 0)
        return true;
    close_restart(r);
    strcpy(r->line, line);
    if (!plan_restart(r, cli, line, &plan))
        return false;
    plan.silent = true;
    plan.keys = false;
    plan.limit = cli->limit ? cli->limit : RESTART_LIMIT;
    r->open = session_open(&r->session, cli, &plan);
    if (!r->open)
        return false;
    fail_again(cli, r->session.sim);
    sim_stop_before(r->session.sim, 1);
    r->status = session_go(&r->session);
    sim_stop_before(r->session.sim, 0);
    r->session_then = r->session;
    r->then = sim_snapshot(r->session.sim);
    return r->then != NULL || no_memory();
}

struct tally {
    uint64_t cuts, failed, first_failed;
};

static void progress(const struct tally *t, const char *end) {
    if (isatty(2))
        fprintf(stderr, "\rsim: %" PRIu64 " cuts, %" PRIu64 " restarts failed%s", t->cuts,
                t->failed, end);
}

static void tell_failure(struct tally *t, const struct session *s, uint64_t request, int status) {
    if (t->failed++ == 0)
        t->first_failed = request;
    if (t->failed > TOLD)
        return;
    progress(t, "\n");
    if (s->limited)
        fprintf(stderr,
                "sim: cut %" PRIu64 ": the restart has not ended after %" PRIu64
                " instructions; its last line: %s\n",
                request, s->plan.limit, s->last_line);
    else
        fprintf(stderr,
                "sim: cut %" PRIu64 ": the restart had status %d, %" PRIu64
                " findings; its last line: %s\n",
                request, status, sim_findings(s->sim), s->last_line);
}

/* false: after a word to the user. */
static bool try_cut(const struct session *first, struct restart *r, struct tally *t) {
    const struct cli *cli = first->cli;
    uint64_t request = sim_requests(first->sim) + 1;
    if (!prepare(r, cli, first->last_line))
        return false;
    int status = r->status;
    if (status == SESSION_AT_REQUEST) {
        if (!sim_restore(r->session.sim, r->then) ||
            !sim_cut(first->sim, seed_of(cli, request), r->session.sim))
            return no_memory();
        r->session = r->session_then;
        status = session_go(&r->session);
    }
    t->cuts++;
    if (status != 0 || r->session.limited)
        tell_failure(t, &r->session, request, status);
    progress(t, "");
    return files_keep_beside(cli, r->session.sim, request);
}

static int summary(const struct cli *cli, const struct tally *t, uint64_t requests) {
    progress(t, "\n");
    fprintf(stderr,
            "sim: %" PRIu64 " cuts in %" PRIu64 " disk requests, %" PRIu64 " restarts failed\n",
            t->cuts, requests, t->failed);
    if (t->failed > 0)
        fprintf(stderr, "sim: the first of them again: --cut %" PRIu64 " --seed %" PRIu64 "\n",
                t->first_failed, cli->sim.seed);
    return t->failed > 0 ? STATUS_FINDINGS : 0;
}

/* 0, or why it could not be done. */
static int cut_each(struct session *first, struct restart *r, struct tally *t) {
    int status = SESSION_AT_REQUEST;
    for (uint64_t next = 1; status == SESSION_AT_REQUEST; next++) {
        sim_stop_before(first->sim, next);
        status = session_go(first);
        bool reads = status == SESSION_AT_REQUEST && sim_stopped_before_read(first->sim);
        if (!reads && !try_cut(first, r, t))
            return STATUS_USAGE;
    }
    if (status != 0)
        fprintf(stderr, "sim: the run that was cut had status %d itself\n", status);
    return status;
}

static int cut_all(const struct cli *cli) {
    struct restart r = {0};
    struct session first;
    struct tally tally = {0};
    if (!open_first(&first, cli))
        return STATUS_USAGE;
    int status = cut_each(&first, &r, &tally);
    int failed = summary(cli, &tally, sim_requests(first.sim));
    close_restart(&r);
    return session_close(&first, status ? status : failed);
}

int cuts_run(const struct cli *cli) { return cli->cut_all ? cut_all(cli) : cut_once(cli); }
