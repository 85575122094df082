/* The page that handlers return to: see sigpage.h. */
#include "mm/sigpage.h"
#include "arch/insn.h"
#include "lib/abi.h"
#include "lib/panic.h"
#include "mm/frame.h"

#define LINUX_RT_SIGRETURN 139

static paddr_t code;

static void put_call(uint64_t offset, uint32_t number) {
    uint32_t *insn = (uint32_t *)((char *)pa_ptr(code) + offset);
    insn[0] = INSN_LI_A7(number);
    insn[1] = INSN_ECALL;
}

void signal_page_boot_init(void) {
    if (frame_alloc(&code))
        panic("no memory for the page that handlers of signals return to");
    frame_zero(code, 0);
    put_call(SIGNAL_RETURN_OWN, SYS_sigreturn);
    put_call(SIGNAL_RETURN_LINUX, LINUX_RT_SIGRETURN);
}

static paddr_t peek(struct object *o, uint64_t index) {
    if (index > 0)
        return PA(0);
    frame_get(frame_single(code));
    return code;
}

static const struct object_ops ops = {.peek = peek};

struct object signal_page = {.ops = &ops, .name = "return from signals"};
