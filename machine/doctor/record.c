/* What was found as lines of JSON (RFC 8259): doctor.h lists them. */
#include "machine/doctor/inside.h"
#include <stdio.h>
#include <string.h>

/* Bytes that are no ASCII stand for themselves as Latin-1, so that the line is good UTF-8. */
static void add_string(struct text *t, const char *string) {
    text_add(t, "\"");
    for (const char *c = string; *c != 0; c++) {
        unsigned char byte = (unsigned char)*c;
        char piece[8] = {(char)byte, 0};
        if (byte == '"' || byte == '\\')
            snprintf(piece, sizeof(piece), "\\%c", byte);
        else if (byte < ' ' || byte > '~')
            snprintf(piece, sizeof(piece), "\\u%04x", byte);
        text_add(t, piece);
    }
    text_add(t, "\"");
}

/* ---- members of an object, each with a comma before it --------------------------------------- */
static void add_key(struct text *t, const char *key) {
    text_add(t, ",\"");
    text_add(t, key);
    text_add(t, "\":");
}
static void add_text(struct text *t, const char *key, const char *value) {
    add_key(t, key);
    add_string(t, value);
}
static void add_number(struct text *t, const char *key, uint64_t value) {
    add_key(t, key);
    text_number(t, value);
}
static void add_hex(struct text *t, const char *key, uint64_t value) {
    add_key(t, key);
    text_add(t, "\"");
    text_hex(t, value, 1);
    text_add(t, "\"");
}

/* ---- the records ----------------------------------------------------------------------------- */
static void add_diagnosis(struct text *t, const struct diagnosis *d) {
    text_add(t, "{\"record\":\"diagnosis\"");
    add_text(t, "name", d->name);
    add_number(t, "weight", d->weight);
    add_key(t, "hart");
    if (d->hart < 0)
        text_add(t, "-1");
    else
        text_number(t, (uint64_t)d->hart);
    add_text(t, "where", d->where);
    if (d->forgive != NULL)
        add_text(t, "forgive", d->forgive);
    text_add(t, ",\"stack\":[");
    for (unsigned i = 0; i < d->depth; i++) {
        char place[PLACE_ROOM + 16];
        snprintf(place, sizeof(place), d->calls[i] > 1 ? "%s x%u" : "%s", d->stack[i], d->calls[i]);
        text_add(t, i > 0 ? "," : "");
        add_string(t, place);
    }
    text_add(t, "],\"facts\":{");
    for (unsigned i = 0; i < d->fact_count; i++) {
        text_add(t, i > 0 ? "," : "");
        add_string(t, d->facts[i].name);
        text_add(t, ":");
        add_string(t, d->facts[i].text);
    }
    text_add(t, "}}");
}

static void add_hart(struct text *t, const struct doctor *d, unsigned hart) {
    static const char *const states[] = {"stopped", "runs", "waits"};
    static const char *const modes[] = {"U", "S", "?", "M"};
    struct stack_at at = stack_of_hart(d, hart);
    char place[PLACE_ROOM];
    place_of(d, at.satp, at.privilege, at.pc, place);
    text_add(t, "{\"record\":\"hart\"");
    add_number(t, "hart", hart);
    add_text(t, "state", states[sim_register(d->sim, hart, SIM_STATE)]);
    add_text(t, "mode", modes[at.privilege & 3]);
    add_hex(t, "pc", sim_register(d->sim, hart, SIM_PC));
    add_hex(t, "satp", at.satp);
    add_text(t, "where", place);
    text_add(t, "}");
}

static void add_console(struct text *t, const struct console *c) {
    uint64_t first = c->line_count > LINES_KEPT ? c->line_count - LINES_KEPT : 0;
    char unfinished[LINE_ROOM];
    memcpy(unfinished, c->line, c->length);
    unfinished[c->length] = 0;
    text_add(t, "{\"record\":\"console\"");
    add_number(t, "bytes", c->bytes);
    text_add(t, ",\"lines\":[");
    for (uint64_t i = first; i < c->line_count; i++) {
        add_string(t, c->lines[i % LINES_KEPT]);
        text_add(t, ",");
    }
    add_string(t, unfinished);
    text_add(t, "]}");
}

static void add_end(struct text *t, const struct doctor *d, enum doctor_over over,
                    struct sim_end end) {
    static const char *const names[] = {"done", "stuck", "waits", "limit"};
    text_add(t, "{\"record\":\"end\"");
    add_text(t, "over", names[over]);
    add_number(t, "how", end.how);
    add_number(t, "code", end.code);
    add_number(t, "instructions", sim_instructions(d->sim));
    add_number(t, "nanoseconds", sim_nanoseconds(d->sim));
    text_add(t, "}");
}

struct out {
    struct doctor *doctor;
    void (*line)(void *context, const char *text);
    void *context;
};

static void say(const struct out *out, struct text *t) {
    if (!t->lost && t->bytes != NULL)
        out->line(out->context, t->bytes);
    text_free(t);
}

static void say_table(const struct out *out, const char *whose, unsigned hart, uint64_t satp) {
    struct text dump = {0}, t = {0};
    tables_print(out->doctor->sim, satp, &dump);
    if (dump.bytes != NULL && !dump.lost) {
        text_add(&t, "{\"record\":\"table\"");
        add_text(&t, "whose", whose);
        add_number(&t, "hart", hart);
        add_hex(&t, "satp", satp);
        add_text(&t, "dump", dump.bytes);
        text_add(&t, "}");
    }
    text_free(&dump);
    say(out, &t);
}

/* Of the hart that the first diagnosis is about: its own table, and its process's. */
static void say_tables(const struct out *out) {
    const struct doctor *d = out->doctor;
    int of = d->count > 0 ? d->list[0].hart : -1;
    unsigned hart = of >= 0 ? (unsigned)of : d->last_hart;
    uint64_t now = sim_register(d->sim, hart, SIM_SATP), user = sim_user_satp(d->sim, hart);
    say_table(out, sim_register(d->sim, hart, SIM_PRIVILEGE) == 0 ? "user" : "kernel", hart, now);
    if (user != now)
        say_table(out, "user", hart, user);
}

void doctor_report(struct doctor *d, enum doctor_over over, struct sim_end end,
                   void (*line)(void *context, const char *text), void *context) {
    enum { STEPS = 20000 }; /* of each hart */
    const struct out out = {d, line, context};
    struct activity activity[SIM_HARTS_MAX] = {0};
    struct text t = {0};
    d->last_hart = sim_last_hart(d->sim);
    if (over != DOCTOR_DONE)
        trace(d->sim, d->harts, (uint64_t)STEPS * d->harts, activity);
    causes_find(d, over, end, activity);
    for (unsigned i = 0; i < d->count; i++) {
        add_diagnosis(&t, &d->list[i]);
        say(&out, &t);
    }
    for (unsigned hart = 0; hart < d->harts; hart++) {
        add_hart(&t, d, hart);
        say(&out, &t);
    }
    say_tables(&out);
    add_console(&t, &d->console);
    say(&out, &t);
    add_end(&t, d, over, end);
    say(&out, &t);
}
