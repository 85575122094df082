/* See diagnose.h. */
#include "machine/cli/diagnose.h"
#include "machine/cli/files.h"
#include "machine/cli/session.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct records {
    FILE *file;
    bool wrong; /* a diagnosis was among them */
};

static void write_record(void *context, const char *text) {
    struct records *records = context;
    records->wrong |= strstr(text, "{\"record\":\"diagnosis\"") == text;
    fprintf(records->file, "%s\n", text);
}

static enum doctor_over over(const struct session *s) {
    return s->stuck     ? DOCTOR_STUCK
           : s->hangs   ? DOCTOR_WAITS
           : s->limited ? DOCTOR_LIMIT
                        : DOCTOR_DONE;
}

static int complain(const struct cli *cli) {
    fprintf(stderr, "sim: %s: cannot be written (%s)\n", cli->doctor, strerror(errno));
    return STATUS_USAGE;
}

static int report(const struct cli *cli, struct session *s) {
    struct records records = {.file = fopen(cli->doctor, "w")};
    if (records.file == NULL)
        return complain(cli);
    doctor_report(s->doctor, over(s), s->end, write_record, &records);
    bool good = !ferror(records.file);
    if (fclose(records.file) != 0 || !good)
        return complain(cli);
    return records.wrong ? STATUS_FINDINGS : 0;
}

int diagnose_run(const struct cli *cli) {
    struct session s;
    const struct session_plan plan = {.append = cli->sim.append,
                                      .commands = cli->commands != NULL ? cli->commands : "",
                                      .limit = cli->limit,
                                      .patience = cli->patience};
    if (!session_open(&s, cli, &plan))
        return STATUS_USAGE;
    if (s.doctor == NULL) {
        fprintf(stderr, "sim: no memory\n");
        return session_close(&s, STATUS_USAGE);
    }
    sim_fail(s.sim, 0, &cli->failures);
    session_go(&s);
    int status = report(cli, &s);
    if (!files_keep(cli, s.sim))
        status = status ? status : STATUS_USAGE;
    return session_close(&s, status);
}
