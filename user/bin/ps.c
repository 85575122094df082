/* Lists processes; SIZE is what each was granted. -l: with what they hold of memory, in
 * frames of 4 KiB: mapped, promised, and page tables of both views; with how many threads they
 * have; and with their designs. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include "../lib/vmtext.h"

#define USAGE "ps [-l]"

static const char *state_name(unsigned state) {
    switch (state) {
    case ABI_P_RUNNABLE: return "ready";
    case ABI_P_RUNNING: return "runs";
    case ABI_P_SLEEPING: return "sleeps";
    case ABI_P_ZOMBIE: return "zombie";
    case ABI_P_STOPPED: return "stops";
    default: return "new";
    }
}

static void show(const struct abi_procinfo *p, bool details) {
    printf("%5d %6d %-6s %4u %6luK ", p->pid, p->parent, state_name(p->state), p->hart,
           p->size / 1024);
    if (details)
        printf("%7lu %9lu %6lu %7u %-6s ", p->frames, p->committed, p->table_frames, p->threads,
               p->design);
    printf("%7lu %s\n", p->ticks, p->name);
}

int main(int argc, char *argv[]) {
    struct abi_procinfo p;
    int slot = 0;
    bool details = argc == 2 && strcmp(argv[1], "-l") == 0;
    if (argc > 1 + details)
        vm_usage(USAGE, argv[1]);
    printf("  PID PARENT STATE  HART    SIZE %s  TICKS NAME\n",
           details ? "PRESENT COMMITTED TABLES THREADS DESIGN " : "");
    for (int r; (r = procinfo(slot, &p)) >= 0; slot++)
        if (r == 1)
            show(&p, details);
    if (slot == 0) {
        perror("ps");
        return 1;
    }
    return finish_output("ps") < 0;
}
