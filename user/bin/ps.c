/* Lists processes: size is the break, the other memory columns are frames of
 * 4 KiB: present, promised, page tables (both views). */
#include <stdio.h>
#include <trellis.h>

static const char *state_name(unsigned state) {
    switch (state) {
    case ABI_P_RUNNABLE: return "ready";
    case ABI_P_RUNNING: return "runs";
    case ABI_P_SLEEPING: return "sleeps";
    case ABI_P_ZOMBIE: return "zombie";
    default: return "new";
    }
}

int main(int argc, char *argv[]) {
    struct abi_procinfo p;
    int slot = 0;
    if (argc > 1) {
        fprintf(stderr, "usage: ps\n");
        return 2;
    }
    printf("  PID PARENT STATE  HART    SIZE PRESENT PROMISED TABLES   TICKS NAME\n");
    for (int r; (r = procinfo(slot, &p)) >= 0; slot++) {
        if (r == 0)
            continue;
        printf("%5d %6d %-6s %4u %6luK %7lu %8lu %6lu %7lu %s\n", p.pid, p.parent,
               state_name(p.state), p.hart, p.size / 1024, p.frames, p.committed, p.table_frames,
               p.ticks, p.name);
    }
    if (slot == 0) {
        fprintf(stderr, "ps: this kernel does not tell\n");
        return 1;
    }
    return finish_output("ps") < 0;
}
