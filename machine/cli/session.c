/* See session.h. */
#include "machine/cli/session.h"
#include "machine/cli/files.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 500000, CTRL_A = 1 };

static void end_line(struct session *s) {
    while (s->line_count > 0 && s->line[s->line_count - 1] == '\r')
        s->line_count--;
    if (s->line_count > 0) {
        memcpy(s->last_line, s->line, s->line_count);
        s->last_line[s->line_count < SESSION_LINE ? s->line_count : SESSION_LINE - 1] = 0;
    }
    s->line_count = 0;
}

static void console(void *context, uint8_t byte) {
    struct session *s = context;
    if (s->doctor != NULL)
        doctor_console(s->doctor, byte);
    if (!s->plan.silent)
        putchar(byte);
    if (byte == '\n') {
        end_line(s);
        return;
    }
    if (s->line_count == sizeof(s->line))
        memmove(s->line, s->line + 1, --s->line_count);
    s->line[s->line_count++] = (char)byte;
}

static void finding(void *context, const struct sim_finding *finding) {
    struct session *s = context;
    s->ended |= s->cli->until_finding;
    if (s->doctor != NULL)
        doctor_finding(s->doctor, finding);
    if (s->plan.silent && s->found[0] == 0)
        snprintf(s->found, sizeof(s->found), "%s", finding->text);
    if (s->plan.silent || s->doctor != NULL)
        return;
    fflush(stdout);
    fprintf(stderr, "sim: finding: %s\n", finding->text);
}

/* --marks */
static void called(void *context) {
    const struct session *s = context;
    fflush(stdout);
    fprintf(stderr, "sim: mark: %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
            sim_instructions_in(s->sim, 0), sim_instructions_in(s->sim, 1),
            sim_instructions_in(s->sim, 3));
}

static void leak(void *context, const char *text) { fprintf(stderr, "sim: kept: %s\n", text); }

/* ---- the terminal -------------------------------------------------------------------------- */
static void terminal_raw(struct session *s) {
    s->terminal = isatty(0) && tcgetattr(0, &s->before) == 0;
    if (!s->terminal)
        return;
    struct termios raw = s->before;
    raw.c_lflag &= ~(unsigned)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~(unsigned)(IXON | ICRNL | INLCR);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(0, TCSANOW, &raw);
}

static void terminal_back(const struct session *s) {
    if (s->terminal)
        tcsetattr(0, TCSANOW, &s->before);
}

/* Ctrl-A X ends the machine, Ctrl-A Ctrl-A types one Ctrl-A, as in QEMU. */
static void key(struct session *s, uint8_t byte) {
    if (s->escaped) {
        s->escaped = false;
        if (byte == 'x' || byte == 'X')
            s->ended = true;
        if (byte != CTRL_A)
            return;
    } else if (byte == CTRL_A) {
        s->escaped = true;
        return;
    }
    if (s->pending_count < sizeof(s->pending))
        s->pending[s->pending_count++] = byte;
}

/* Waits at most so many milliseconds for input; -1: as long as it takes. Of a terminal keys are
 * read also when there is no room for them, since Ctrl-A X may be among them. */
static void read_keys(struct session *s, int timeout) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    uint8_t bytes[sizeof(s->pending)];
    size_t room = s->terminal ? sizeof(bytes) : sizeof(bytes) - s->pending_count;
    if (s->input_ended || room == 0 || poll(&in, 1, timeout) <= 0)
        return;
    ssize_t got = read(0, bytes, room);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        s->input_ended = true;
    for (ssize_t i = 0; i < got; i++)
        key(s, bytes[i]);
}

/* Whether the guest has got something. */
static bool type_pending(struct session *s) {
    size_t taken = sim_input(s->sim, s->pending, s->pending_count);
    s->pending_count -= taken;
    memmove(s->pending, s->pending + taken, s->pending_count);
    return taken > 0;
}

/* ---- commands ------------------------------------------------------------------------------- */
static bool at_prompt(const struct session *s) {
    size_t length = strlen(s->cli->prompt);
    return s->line_count >= length &&
           memcmp(s->line + s->line_count - length, s->cli->prompt, length) == 0;
}

/* At a prompt the next line is typed; at the one after the last the machine has done its work.
 * It is looked at only here, after whole chunks, so it comes at the same instruction each time. */
static void next_command(struct session *s) {
    if (s->pending_count > 0 || (!s->within_line && !at_prompt(s)))
        return;
    if (s->next_command == NULL || *s->next_command == 0) {
        s->ended = true;
        return;
    }
    size_t length = strcspn(s->next_command, "\n"), room = sizeof(s->pending) - 1;
    size_t part = length < room ? length : room;
    memcpy(s->pending, s->next_command, part);
    s->pending_count = part;
    s->next_command += part;
    s->within_line = part < length;
    if (!s->within_line) {
        s->pending[s->pending_count++] = '\n';
        s->next_command += *s->next_command == '\n';
        s->line_count = 0;
    }
}

/* ---- the whole ------------------------------------------------------------------------------ */
/* Only a key can wake the harts, and one that the UART has no room for does not. */
static bool wait_for_keys(struct session *s) {
    if (s->input_ended || (s->pending_count > 0 && !s->terminal))
        return false;
    read_keys(s, -1);
    return s->pending_count > 0 || !s->input_ended;
}

/* All harts wait. false: nothing will ever happen. */
static bool wait_for_something(struct session *s, uint64_t next_ns) {
    uint64_t ms = (next_ns - sim_nanoseconds(s->sim)) / 1000000;
    if (next_ns == UINT64_MAX)
        return wait_for_keys(s);
    read_keys(s, !s->terminal ? 0 : ms < 1000 ? (int)ms : 1000);
    sim_skip(s->sim, next_ns);
    return true;
}

/* Instructions until somebody looks again. */
static uint64_t chunk(const struct session *s) {
    uint64_t done = sim_instructions(s->sim), limit = s->plan.limit;
    return limit && limit - done < CHUNK ? limit - done : CHUNK;
}

static int status_of(const struct session *s, struct sim_end end, bool hangs) {
    fflush(stdout);
    if (hangs && !s->plan.silent && s->doctor == NULL)
        fprintf(stderr, "sim: all harts wait, and nothing will wake them\n");
    if (end.how == SIM_FAILED)
        return end.code & 0xff ? (int)(end.code & 0xff) : 1;
    if (hangs)
        return STATUS_HANGS;
    return sim_findings(s->sim) ? STATUS_FINDINGS : 0;
}

/* A chunk that was left before a request goes on to its end: it is there that input is looked at.
 */
static struct sim_end run_chunk(struct session *s) {
    uint64_t now = sim_instructions(s->sim);
    if (s->chunk_end <= now)
        s->chunk_end = now + chunk(s);
    struct sim_end end = sim_run(s->sim, s->chunk_end - now);
    if (end.how != SIM_AT_REQUEST)
        s->chunk_end = 0;
    return end;
}

int session_go(struct session *s) {
    struct sim_end end = {.how = SIM_RUNS};
    bool hangs = false;
    while (!s->ended && !s->stuck && !hangs && (end.how == SIM_RUNS || end.how == SIM_WAITS)) {
        end = run_chunk(s);
        if (end.how == SIM_AT_REQUEST)
            return SESSION_AT_REQUEST;
        if (s->plan.commands != NULL)
            next_command(s);
        else
            read_keys(s, 0);
        bool typed = type_pending(s);
        fflush(stdout);
        if (end.how == SIM_WAITS && !typed && !s->ended)
            hangs = !wait_for_something(s, end.next_ns);
        s->limited = s->plan.limit && sim_instructions(s->sim) >= s->plan.limit;
        s->ended |= s->limited;
        if (s->doctor != NULL && !s->ended)
            s->stuck = doctor_look(s->doctor);
    }
    s->end = end;
    s->hangs = hangs;
    return status_of(s, end, hangs);
}

bool session_open(struct session *s, const struct cli *cli, const struct session_plan *plan) {
    char error[512];
    *s = (struct session){.cli = cli,
                          .plan = *plan,
                          .next_command = plan->commands,
                          .input_ended = plan->commands != NULL || !plan->keys};
    struct sim_options options = cli->sim;
    options.append = plan->append;
    options.context = s;
    options.console = console;
    options.finding = finding;
    options.called = called;
    options.locks = plan->patience > 0;
    if (plan->patience > 0)
        options.checks &= ~(unsigned)DOCTOR_CHECKS;
    s->sim = sim_create(&options, error, sizeof(error));
    if (s->sim == NULL) {
        fprintf(stderr, "sim: %s\n", error);
        return false;
    }
    if (cli->marks != NULL && !sim_watch_function(s->sim, cli->marks, 0)) {
        fprintf(stderr, "sim: --marks: %s has no function %s\n", cli->kernel, cli->marks);
        sim_destroy(s->sim);
        return false;
    }
    if (plan->patience > 0)
        s->doctor = doctor_create(s->sim, options.harts, plan->patience);
    if (!s->input_ended)
        terminal_raw(s);
    return true;
}

int session_close(struct session *s, int status) {
    terminal_back(s);
    if (s->cli->leaks && !s->plan.silent)
        sim_leaks(s->sim, leak);
    if (!s->cli->quiet && !s->plan.silent)
        fprintf(stderr, "sim: %" PRIu64 " instructions, %" PRIu64 " findings\n",
                sim_instructions(s->sim), sim_findings(s->sim));
    doctor_destroy(s->doctor);
    sim_destroy(s->sim);
    return status;
}

int session_run(const struct cli *cli) {
    struct session s;
    const struct session_plan plan = {
        .append = cli->sim.append, .commands = cli->commands, .keys = true, .limit = cli->limit};
    if (!session_open(&s, cli, &plan))
        return STATUS_USAGE;
    sim_fail(s.sim, 0, &cli->failures);
    int status = session_go(&s);
    bool kept = files_keep(cli, s.sim), is_signed = files_sign(cli, s.sim);
    if (!kept || !is_signed)
        status = status ? status : STATUS_USAGE;
    return session_close(&s, status);
}
