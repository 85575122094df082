/* The vDSO: the library in arch/vdso.S, and behind it the page that it reads the time from. Every
 * program of Linux maps both, and may read and execute them; nobody stores there but the kernel, in
 * the frames. */
#include "arch/vdso.h"
#include "lib/abi.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/frame.h"
#include "mm/mmap.h"
#include "proc/clock.h"

enum vdso_page { LIBRARY, TIME, VDSO_PAGES };

static paddr_t frames[VDSO_PAGES];

static paddr_t peek(struct object *o, uint64_t index) {
    if (index >= VDSO_PAGES)
        return PA(0);
    frame_get(frame_single(frames[index]));
    return frames[index];
}

static const struct object_ops ops = {.peek = peek};

static struct object vdso = {.ops = &ops, .name = "[vdso]"};

void linux_vdso_init(void) {
    ASSERT(vdso_end - vdso_start <= (int64_t)PAGE_SIZE);
    for (unsigned i = 0; i < VDSO_PAGES; i++) {
        if (frame_alloc(&frames[i]))
            panic("no memory for the vDSO");
        frame_zero(frames[i], 0);
    }
    memcpy(pa_ptr(frames[LIBRARY]), vdso_start, (size_t)(vdso_end - vdso_start));
    clock_share(pa_ptr(frames[TIME]));
}

int linux_vdso_map(struct aspace *as, uint64_t *start) {
    const struct map_request r = {.bytes = VDSO_PAGES * PAGE_SIZE,
                                  .object = &vdso,
                                  .prot = ABI_PROT_READ | ABI_PROT_EXEC,
                                  .limit = ABI_PROT_READ | ABI_PROT_EXEC};
    return aspace_map(as, &r, start);
}
