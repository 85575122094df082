/* What was found as lines of JSON (RFC 8259): doctor.h lists them. */
#include "machine/doctor/inside.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct text *t, size_t bytes) {
    size_t room = t->room ? t->room : 1024;
    while (room < t->length + bytes)
        room *= 2;
    if (room == t->room)
        return true;
    char *more = realloc(t->bytes, room);
    if (more == NULL)
        return false;
    t->bytes = more;
    t->room = room;
    return true;
}

void text_add(struct text *t, const char *format, ...) {
    char piece[2048];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(piece, sizeof(piece), format, list);
    va_end(list);
    size_t bytes = length < (int)sizeof(piece) ? (size_t)length : sizeof(piece) - 1;
    if (!make_room(t, bytes + 1)) {
        t->lost = true;
        return;
    }
    memcpy(t->bytes + t->length, piece, bytes + 1);
    t->length += bytes;
}

void text_free(struct text *t) {
    free(t->bytes);
    *t = (struct text){0};
}

/* Bytes that are no ASCII stand for themselves as Latin-1, so that the line is good UTF-8. */
void text_json(struct text *t, const char *string) {
    text_add(t, "\"");
    for (const char *c = string; *c != 0; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\')
            text_add(t, "\\%c", byte);
        else if (byte < ' ' || byte > '~')
            text_add(t, "\\u%04x", byte);
        else
            text_add(t, "%c", byte);
    }
    text_add(t, "\"");
}

static void add_diagnosis(struct text *t, const struct diagnosis *d) {
    text_add(t, "{\"record\":\"diagnosis\",\"name\":");
    text_json(t, d->name);
    text_add(t, ",\"weight\":%u,\"hart\":%d,\"where\":", d->weight, d->hart);
    text_json(t, d->where);
    if (d->forgive != NULL)
        text_add(t, ",\"forgive\":\"%s\"", d->forgive);
    text_add(t, ",\"stack\":[");
    for (unsigned i = 0; i < d->depth; i++) {
        text_add(t, i > 0 ? "," : "");
        text_json(t, d->stack[i]);
    }
    text_add(t, "],\"facts\":{");
    for (unsigned i = 0; i < d->fact_count; i++) {
        text_add(t, "%s\"%s\":", i > 0 ? "," : "", d->facts[i].name);
        text_json(t, d->facts[i].text);
    }
    text_add(t, "}}");
}

static void add_hart(struct text *t, const struct doctor *d, unsigned hart) {
    static const char *const states[] = {"stopped", "runs", "waits"};
    uint64_t satp = sim_register(d->sim, hart, SIM_SATP), pc = sim_register(d->sim, hart, SIM_PC);
    unsigned privilege = (unsigned)sim_register(d->sim, hart, SIM_PRIVILEGE);
    char place[PLACE_ROOM];
    place_of(d, satp, privilege, pc, place);
    text_add(t,
             "{\"record\":\"hart\",\"hart\":%u,\"state\":\"%s\",\"mode\":\"%c\",\"pc\":\"0x%" PRIx64
             "\",\"satp\":\"0x%" PRIx64 "\",\"where\":",
             hart, states[sim_register(d->sim, hart, SIM_STATE)], "US?M"[privilege & 3], pc, satp);
    text_json(t, place);
    text_add(t, "}");
}

static void add_console(struct text *t, const struct console *c) {
    uint64_t first = c->line_count > LINES_KEPT ? c->line_count - LINES_KEPT : 0;
    text_add(t, "{\"record\":\"console\",\"bytes\":%" PRIu64 ",\"lines\":[", c->bytes);
    for (uint64_t i = first; i < c->line_count; i++) {
        text_json(t, c->lines[i % LINES_KEPT]);
        text_add(t, ",");
    }
    text_json(t, c->line);
    text_add(t, "]}");
}

static void add_end(struct text *t, const struct doctor *d, enum doctor_over over,
                    struct sim_end end) {
    static const char *const names[] = {"done", "stuck", "waits", "limit"};
    text_add(t,
             "{\"record\":\"end\",\"over\":\"%s\",\"how\":%d,\"code\":%u,\"instructions\":%" PRIu64
             ",\"nanoseconds\":%" PRIu64 "}",
             names[over], (int)end.how, end.code, sim_instructions(d->sim),
             sim_nanoseconds(d->sim));
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
        text_add(&t,
                 "{\"record\":\"table\",\"whose\":\"%s\",\"hart\":%u,\"satp\":\"0x%" PRIx64
                 "\",\"dump\":",
                 whose, hart, satp);
        text_json(&t, dump.bytes);
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
