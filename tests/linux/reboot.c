/* How the machine ends: `off` or `again` do it, and nothing comes behind that. Without an argument,
 * what does not end it. */
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

#define FIRST 0xfee1dead
#define SECOND 672274793

int main(int argc, char **argv) {
    if (argc > 1) {
        syscall(SYS_reboot, FIRST, 85072278, argv[1][0] == 'o' ? 0x4321fedc : 0x01234567, 0);
        puts("it goes on");
        return 1;
    }
    CHECK(syscall(SYS_reboot, FIRST, SECOND + 1, 0x4321fedc, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_reboot, FIRST + 1, SECOND, 0x4321fedc, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_reboot, FIRST, SECOND, 1, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_reboot, FIRST, SECOND, 0, 0) == 0);
    CHECK(syscall(SYS_reboot, FIRST, SECOND, 0x89abcdef, 0) == 0);
    return tell_end();
}
