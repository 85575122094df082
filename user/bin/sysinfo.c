/* Shows what the system has and what is left of it. */
#include <stdio.h>
#include <trellis.h>

int main(int argc, char *argv[]) {
    struct abi_sysinfo s;
    if (argc > 1) {
        fprintf(stderr, "usage: sysinfo\n");
        return 2;
    }
    if (sysinfo(&s) < 0) {
        perror("sysinfo");
        return 1;
    }
    printf("design     %s\n", s.design);
    printf("paging     Sv%lu, %lu levels\n", 12 + 9 * s.levels, s.levels);
    printf("harts      %lu\n", s.harts);
    printf("memory     %lu KiB, %lu free, %lu in use or promised\n", s.frames_total * 4,
           s.frames_free * 4, s.frames_committed * 4);
    printf("processes  %lu of %lu\n", s.procs, s.procs_max);
    printf("disk       %lu KiB and %lu inodes free\n", s.blocks_free * FS_BLOCK_SIZE / 1024,
           s.inodes_free);
    printf("files      %lu open\n", s.files_open);
    return finish_output("sysinfo") < 0;
}
