/* Shows what becomes of the machine's memory, in KiB, or in frames of 4 KiB with -f:
 * free, with what is only a cache; in use or promised; in page tables of processes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include "../lib/vmtext.h"

#define USAGE "free [-f]"

/* Frames of all page tables of processes, both views. They come and go meanwhile. */
static uint64_t table_frames(void) {
    struct abi_procinfo p;
    uint64_t sum = 0;
    for (int slot = 0, r; (r = procinfo(slot, &p)) >= 0; slot++)
        sum += r == 1 ? p.table_frames : 0;
    return sum;
}

int main(int argc, char *argv[]) {
    bool frames = argc == 2 && strcmp(argv[1], "-f") == 0;
    struct abi_sysinfo s;
    if (argc > 1 + frames)
        vm_usage(USAGE, argv[1]);
    if (sysinfo(&s) < 0) {
        fprintf(stderr, "free: %s\n", strerror(errno));
        return 1;
    }
    uint64_t unit = frames ? 1 : VM_PAGE / 1024;
    printf("%-9s %10s %10s %10s %10s %10s\n", frames ? "frames" : "KiB", "TOTAL", "FREE", "CACHED",
           "COMMITTED", "TABLES");
    printf("%-9s %10lu %10lu %10lu %10lu %10lu\n", "memory", s.frames_total * unit,
           s.frames_free * unit, s.frames_cached * unit, s.frames_committed * unit,
           table_frames() * unit);
    return finish_output("free") < 0;
}
