/* Waits until everything that was written is on the disk. */
#include <stdio.h>
#include <trellis.h>

int main(void) {
    if (sync() < 0) {
        perror("sync");
        return 1;
    }
    return 0;
}
