/* See htif.h. */
#include "machine/htif.h"
#include <string.h>

enum { CALL_WRITE = 64, CALL_WORDS = 4, DEVICE_CALLS = 0, DEVICE_CONSOLE = 1, COMMAND_PRINT = 1 };

static bool address_of(const struct sim *sim, const char *name, uint64_t *pa) {
    return symbols_address(&sim->kernel.symbols, name, pa) && ram_has(sim, *pa, 8) && *pa % 8 == 0;
}

void htif_init(struct sim *sim) {
    sim->tohost = sim->fromhost = 0;
    if (!sim->options.machine_mode || !address_of(sim, "tohost", &sim->tohost))
        return;
    if (!address_of(sim, "fromhost", &sim->fromhost))
        sim->fromhost = 0;
}

static void put(struct sim *sim, uint64_t pa, uint64_t value) {
    void *to = sim->env.ram(sim->env.ctx, pa, sizeof(value), true);
    if (to != NULL)
        memcpy(to, &value, sizeof(value));
}

static void print(struct sim *sim, const uint8_t *bytes, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        sim->env.console(sim->env.ctx, bytes[i]);
}

static void call(struct sim *sim, uint64_t pa) {
    uint64_t words[CALL_WORDS], done = (uint64_t)-1;
    if (!sim_memory(sim, pa, words, sizeof(words)))
        return;
    if (words[0] == CALL_WRITE && ram_has(sim, words[2], words[3])) {
        print(sim, sim->ram + (words[2] - RAM_BASE), words[3]);
        done = words[3];
    }
    put(sim, pa, done);
}

static void end(struct sim *sim, uint64_t status) {
    sim->end.how = status == 0 ? SIM_POWERED_OFF : SIM_FAILED;
    sim->end.code = (unsigned)status;
}

void htif_look(struct sim *sim) {
    uint64_t asked = 0;
    if (sim->tohost == 0 || !sim_memory(sim, sim->tohost, &asked, sizeof(asked)) || asked == 0)
        return;
    uint64_t device = asked >> 56, command = asked >> 48 & 0xff, payload = asked << 16 >> 16;
    put(sim, sim->tohost, 0);
    if (device == DEVICE_CALLS && (payload & 1)) {
        end(sim, payload >> 1);
        return;
    }
    if (device == DEVICE_CALLS)
        call(sim, payload);
    else if (device == DEVICE_CONSOLE && command == COMMAND_PRINT)
        print(sim, (const uint8_t[]){(uint8_t)payload}, 1);
    if (sim->fromhost != 0)
        put(sim, sim->fromhost, 1);
}
