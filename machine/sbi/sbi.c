/* See sbi.h; the chapters are those of SBI 2.0. */
#include "machine/sbi/sbi.h"
#include "machine/cpu/code.h"
#include "machine/cpu/execute.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/memory.h"

enum { A0 = 10, A1, A2, A3, A4, A5, A6, A7, ECALL_BYTES = 4 };

enum {
    LEGACY_SET_TIMER = 0,
    LEGACY_PUTCHAR,
    LEGACY_GETCHAR,
    LEGACY_CLEAR_IPI,
    LEGACY_SEND_IPI,
    LEGACY_FENCE_I,
    LEGACY_SFENCE,
    LEGACY_SFENCE_ASID,
    LEGACY_SHUTDOWN
};
enum {
    EXT_BASE = 0x10,
    EXT_TIME = 0x54494d45,
    EXT_IPI = 0x735049,
    EXT_RFENCE = 0x52464e43,
    EXT_HSM = 0x48534d,
    EXT_SRST = 0x53525354,
    EXT_DBCN = 0x4442434e
};

enum {
    SBI_SUCCESS = 0,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6
};

struct result {
    int64_t error;
    uint64_t value;
};

static struct result failure(int64_t error) { return (struct result){error, 0}; }
static struct result success(uint64_t value) { return (struct result){SBI_SUCCESS, value}; }

/* Whether hart `id` is in the mask that begins at `base`; a base of all ones means all: 3.1. */
static bool selected(unsigned id, uint64_t mask, uint64_t base) {
    return base == UINT64_MAX || (id >= base && id - base < 64 && (mask >> (id - base) & 1));
}

static bool mask_is_good(const struct sim *sim, uint64_t mask, uint64_t base) {
    if (base == UINT64_MAX)
        return true;
    for (unsigned bit = 0; bit < 64; bit++)
        if ((mask >> bit & 1) && (base >= sim->options.harts || base + bit >= sim->options.harts))
            return false;
    return true;
}

/* ---- base, chapter 4 -------------------------------------------------------------------- */
static bool available(uint64_t extension) {
    return extension <= LEGACY_SHUTDOWN || extension == EXT_BASE || extension == EXT_TIME ||
           extension == EXT_IPI || extension == EXT_RFENCE || extension == EXT_HSM ||
           extension == EXT_SRST || extension == EXT_DBCN;
}

static struct result base_call(uint64_t function, uint64_t argument) {
    switch (function) {
    case 0: return success(2 << 24);    /* the specification's version */
    case 1: return success(0x54524c53); /* which firmware: none of the registered ones */
    case 2: return success(1);
    case 3: return success(available(argument));
    case 4:
    case 5:
    case 6: return success(0); /* mvendorid, marchid, mimpid */
    default: return failure(SBI_ERR_NOT_SUPPORTED);
    }
}

/* ---- timer, chapter 6 ------------------------------------------------------------------- */
static void set_timer(struct sim *sim, struct hart *hart, uint64_t when) {
    hart->stimecmp = when;
    hart_update_interrupts(sim, hart);
    hart_yield(hart); /* the turn was measured by the old one */
}

/* ---- interrupts and fences between harts, chapters 7 and 8 ------------------------------- */
static void ask(struct sim *sim, const struct hart *hart, uint64_t mask, uint64_t base) {
    for (unsigned i = 0; i < sim->options.harts; i++)
        if (selected(i, mask, base)) {
            sim->harts[i].mip |= 1ull << IRQ_SSI;
            races_ask(sim, hart->id, i);
        }
}

static struct result send_ipi(struct sim *sim, const struct hart *hart, uint64_t mask,
                              uint64_t base) {
    if (!mask_is_good(sim, mask, base))
        return failure(SBI_ERR_INVALID_PARAM);
    ask(sim, hart, mask, base);
    return success(0);
}

/* A size of 0 and one of all ones mean all addresses: 8.2. */
static void fence_one(struct sim *sim, struct hart *hart, uint64_t start, uint64_t size,
                      bool has_asid, uint64_t asid) {
    keep_fence(sim, hart, start, size == UINT64_MAX ? 0 : size, has_asid, asid);
}

static struct result remote_fence(struct sim *sim, struct hart *caller, uint64_t function) {
    uint64_t mask = caller->x[A0], base = caller->x[A1];
    if (function > 2)
        return failure(SBI_ERR_NOT_SUPPORTED);
    if (!mask_is_good(sim, mask, base))
        return failure(SBI_ERR_INVALID_PARAM);
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct hart *hart = &sim->harts[i];
        if (!selected(i, mask, base) || hart->state != HART_STARTED)
            continue;
        if (function == 0)
            code_fence(sim, hart);
        else
            fence_one(sim, hart, caller->x[A2], caller->x[A3], function == 2, caller->x[A4]);
        races_meet(sim, caller->id, i);
    }
    return success(0);
}

/* ---- harts, chapter 9 ------------------------------------------------------------------- */
static struct result start_hart(struct sim *sim, unsigned starter, uint64_t id, uint64_t pc,
                                uint64_t opaque) {
    if (id >= sim->options.harts)
        return failure(SBI_ERR_INVALID_PARAM);
    struct hart *hart = &sim->harts[id];
    if (hart->state == HART_STARTED)
        return failure(SBI_ERR_ALREADY_AVAILABLE);
    if (!ram_has(sim, pc, 2))
        return failure(SBI_ERR_INVALID_ADDRESS);
    hart_reset(sim, hart, PRIV_S, pc);
    hart->state = HART_STARTED;
    races_order(sim, starter, (unsigned)id);
    hart->x[A0] = id;
    hart->x[A1] = opaque;
    return success(0);
}

static struct result hsm_call(struct sim *sim, struct hart *hart, uint64_t function) {
    switch (function) {
    case 0: return start_hart(sim, hart->id, hart->x[A0], hart->x[A1], hart->x[A2]);
    case 1:
        hart->state = HART_STOPPED;
        hart_yield(hart);
        return success(0);
    case 2:
        if (hart->x[A0] >= sim->options.harts)
            return failure(SBI_ERR_INVALID_PARAM);
        return success(sim->harts[hart->x[A0]].state == HART_STARTED ? 0 : 1);
    case 3:
        if (hart->x[A0] != 0) /* only the default retentive suspend: as wfi */
            return failure(SBI_ERR_NOT_SUPPORTED);
        hart->waiting = (hart->mip & hart->mie) == 0;
        hart_yield(hart);
        return success(0);
    default: return failure(SBI_ERR_NOT_SUPPORTED);
    }
}

/* ---- reset, chapter 10; console, chapter 12 ---------------------------------------------- */
static struct result reset_call(struct sim *sim, struct hart *hart) {
    uint32_t type = (uint32_t)hart->x[A0], reason = (uint32_t)hart->x[A1];
    if (type > 2 || reason > 1)
        return failure(SBI_ERR_INVALID_PARAM);
    sim->end.how = type != 0 ? SIM_RESET : reason == 0 ? SIM_POWERED_OFF : SIM_FAILED;
    sim->end.code = sim->end.how == SIM_FAILED;
    hart_yield(hart);
    return success(0);
}

static void put(struct sim *sim, uint64_t byte) { sim->env.console(sim->env.ctx, (uint8_t)byte); }

static struct result console_call(struct sim *sim, struct hart *hart, uint64_t function) {
    uint64_t count = hart->x[A0], pa = hart->x[A1], got = 0;
    if (function == 2) {
        put(sim, hart->x[A0]);
        return success(0);
    }
    if (function > 2)
        return failure(SBI_ERR_NOT_SUPPORTED);
    if (hart->x[A2] != 0 || !ram_has(sim, pa, count))
        return failure(SBI_ERR_INVALID_PARAM);
    if (function == 0)
        for (; got < count; got++)
            put(sim, sim->ram[pa - RAM_BASE + got]);
    return success(got); /* nothing to read: what is typed comes by the UART */
}

/* ---- legacy, chapter 5 ------------------------------------------------------------------ */
/* The mask of harts stands in the caller's memory; without one all are meant. false: a trap. */
static bool legacy_mask(struct sim *sim, struct hart *hart, uint64_t *mask) {
    *mask = UINT64_MAX;
    return hart->x[A0] == 0 || memory_load(sim, hart, hart->x[A0], sizeof(*mask), mask);
}

static void legacy_fence(struct sim *sim, const struct hart *caller, uint64_t extension,
                         uint64_t mask) {
    for (unsigned i = 0; i < sim->options.harts; i++) {
        if (!selected(i, mask, 0))
            continue;
        if (extension == LEGACY_FENCE_I)
            code_fence(sim, &sim->harts[i]);
        else
            fence_one(sim, &sim->harts[i], caller->x[A1], caller->x[A2],
                      extension == LEGACY_SFENCE_ASID, caller->x[A3]);
        races_meet(sim, caller->id, i);
    }
}

/* Those that name harts. false: a trap is to be taken, nothing was done. */
static bool legacy_to_harts(struct sim *sim, struct hart *hart, uint64_t extension) {
    uint64_t mask;
    if (!legacy_mask(sim, hart, &mask))
        return false;
    if (extension == LEGACY_SEND_IPI)
        ask(sim, hart, mask, 0);
    else
        legacy_fence(sim, hart, extension, mask);
    return true;
}

/* The result takes a0 alone. */
static void legacy_call(struct sim *sim, struct hart *hart, uint64_t extension) {
    uint64_t result = 0;
    switch (extension) {
    case LEGACY_SET_TIMER: set_timer(sim, hart, hart->x[A0]); break;
    case LEGACY_PUTCHAR: put(sim, hart->x[A0]); break;
    case LEGACY_GETCHAR: result = UINT64_MAX; break; /* none */
    case LEGACY_CLEAR_IPI:
        result = hart->mip >> IRQ_SSI & 1;
        hart->mip &= ~(1ull << IRQ_SSI);
        break;
    case LEGACY_SHUTDOWN:
        sim->end.how = SIM_POWERED_OFF;
        hart_yield(hart);
        break;
    default:
        if (!legacy_to_harts(sim, hart, extension)) {
            hart->pc -= ECALL_BYTES;
            hart_trap(sim, hart, hart->cause, hart->tval);
            return;
        }
    }
    hart->x[A0] = result;
}

void sbi_call(struct sim *sim, struct hart *hart) {
    hart->pc += ECALL_BYTES;
    uint64_t extension = hart->x[A7], function = hart->x[A6];
    struct result result = failure(SBI_ERR_NOT_SUPPORTED);
    if (extension <= LEGACY_SHUTDOWN) {
        legacy_call(sim, hart, extension);
        return;
    }
    switch (extension) {
    case EXT_BASE: result = base_call(function, hart->x[A0]); break;
    case EXT_TIME:
        if (function == 0) {
            set_timer(sim, hart, hart->x[A0]);
            result = success(0);
        }
        break;
    case EXT_IPI:
        if (function == 0)
            result = send_ipi(sim, hart, hart->x[A0], hart->x[A1]);
        break;
    case EXT_RFENCE: result = remote_fence(sim, hart, function); break;
    case EXT_HSM: result = hsm_call(sim, hart, function); break;
    case EXT_SRST:
        if (function == 0)
            result = reset_call(sim, hart);
        break;
    case EXT_DBCN: result = console_call(sim, hart, function); break;
    }
    hart->x[A0] = (uint64_t)result.error;
    hart->x[A1] = result.value;
}
