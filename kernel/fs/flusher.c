/* The flusher: what nobody waits for becomes durable, too. */
#include "fs/fs.h"
#include "fs/log.h"
#include "proc/clock.h"
#include "vfs/node.h"

#define DELAY ABI_TICKS_PER_SECOND

/* While nothing changes, no timer runs for it. An error has been said on the console, is told to
 * those whose changes are lost, and is the end of all changes. */
void fs_flusher(void) {
    for (;;) {
        log_wait_for_change();
        if (!proc_sleep_ticks(DELAY) && log_sync())
            continue; /* the next round waits for ever */
        node_reap();  /* of a file that was mapped, its log's may have been the last reference */
    }
}
