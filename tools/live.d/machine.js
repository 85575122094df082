// The machine in its WebAssembly memory, as an object: what machine/wasm/shell.c exports.
"use strict";

const ENDS = ["runs", "waits", "off", "reset", "failed"];  // sim_end.how
const OVER = ["done", "stuck", "waits"];  // enum doctor_over
const DIAGNOSIS = '{"record":"diagnosis",';
const NEVER = 0xffffffffffffffffn;
const OPTIONS = {harts: 0, mib: 1, seed: 2, mode: 3, legacyDisk: 4, svadu: 5};
const REGISTERS = {pc: 64, privilege: 65, state: 66, mstatus: 67, mie: 68, mip: 69, satp: 70,
                   stvec: 71, sepc: 72, scause: 73, stval: 74, sscratch: 75, mtvec: 76, mepc: 77,
                   mcause: 78, mtval: 79, mscratch: 80};

const RAM_BASE = 0x80000000n, WORDS = 8;  // of a row: machine/wasm/look.c
const EVENTS = ["trap", "satp", "table"];    // sim_event.kind
const FRAMES = ["unknown", "free", "taken", "image", "table"];  // sim_frame.is
const INTERRUPT = 1n << 63n;

function eventOf([kind, hart, when, pc, ...value], number) {
    const level = Number(value.pop());
    return {number, kind: EVENTS[kind], hart: Number(hart), when: Number(when), pc, value, level};
}

class Machine {
    // code: the bytes of machine.wasm. options: numbers as in OPTIONS, append, and as
    // {bytes, name} the kernel and disks. console gets each byte, finding each sentence. Throws
    // an Error with a sentence when there can be no such machine.
    static async create(code, options, console, finding) {
        const machine = new Machine();
        const page = {page_console: console, page_finding: at => finding(machine.text(at)),
                      page_record: at => machine.record(machine.text(at))};
        const {instance} = await WebAssembly.instantiate(code, {page});
        machine.exports = instance.exports;
        machine.set(options);
        const wrong = machine.exports.live_create();
        if (wrong)
            throw new Error(machine.text(wrong));
        return machine;
    }

    set(options) {
        const {exports} = this;
        for (const [name, which] of Object.entries(OPTIONS))
            if (options[name] !== undefined)
                exports.live_option(which, BigInt(options[name]));
        if (options.append)
            exports.live_append(this.string(options.append));
        this.file(options.kernel, exports.live_kernel);
        (options.disks || []).forEach((disk, i) =>
            this.file(disk, (...file) => exports.live_disk(i, ...file)));
    }

    file({bytes, name}, take) {
        take(this.put(bytes), bytes.length, this.string(name));
    }

    // The memory moves when it grows, so no view of it is kept.
    get memory() {
        return new Uint8Array(this.exports.memory.buffer);
    }

    put(bytes) {
        const at = this.exports.live_room(bytes.length);
        if (!at)
            throw new Error("no memory for a file");
        this.memory.set(bytes, at);
        return at;
    }

    string(text) {
        return this.put(new TextEncoder().encode(text + "\0"));
    }

    text(at) {
        const {memory} = this;
        return new TextDecoder().decode(memory.slice(at, memory.indexOf(0, at)));
    }

    // ---- run ----
    // One of ENDS.
    run(instructions) {
        return ENDS[this.exports.live_run(BigInt(instructions))];
    }

    // Of the bytes as many as the UART takes.
    type(bytes) {
        this.room = this.room || this.exports.live_room(256);
        const some = bytes.slice(0, 256);
        this.memory.set(some, this.room);
        return this.exports.live_input(this.room, some.length);
    }

    // Nanoseconds until something happens by itself; Infinity: never.
    get wait() {
        const next = BigInt.asUintN(64, this.exports.live_next_ns());
        return next === NEVER ? Infinity : Number(next - this.nanoseconds);
    }

    // To a nanosecond: a BigInt.
    skipTo(ns) {
        this.exports.live_skip(ns);
    }

    // How the last run has ended: one of ENDS.
    get how() {
        return ENDS[this.exports.live_how()];
    }

    get code() {
        return this.exports.live_code();
    }

    get instructions() {
        return Number(this.exports.live_instructions());
    }

    get nanoseconds() {
        return BigInt.asUintN(64, this.exports.live_nanoseconds());
    }

    // ---- looked into ----
    get lastHart() {
        return this.exports.live_last_hart();
    }

    // A name of REGISTERS, or a number: x0 to x31, f0 to f31.
    register(hart, which) {
        return BigInt.asUintN(64, this.exports.live_register(hart, REGISTERS[which] ?? which));
    }

    // A copy of RAM, at most a page; null where there is none.
    read(pa, bytes) {
        const at = this.exports.live_memory(BigInt.asIntN(64, pa), bytes);
        return at ? this.memory.slice(at, at + bytes) : null;
    }

    // With a hart, what the kernel has mapped twice is known by its other address.
    place(address, hart) {
        const text = this.text(this.exports.live_place(BigInt.asIntN(64, address)));
        if (hart === undefined || !text.startsWith("0x"))
            return text;
        const pa = BigInt.asUintN(64, this.exports.live_physical(hart, BigInt.asIntN(64, address)));
        const other = pa ? this.place(pa) : text;
        return other.startsWith("0x") ? text : other;
    }

    // `count` rows of numbers of 64 bits that a call has put at `at`.
    words(at, count, columns = WORDS) {
        const all = new BigUint64Array(this.exports.memory.buffer, at, count * columns);
        return Array.from({length: count}, (_, i) =>
            [...all.slice(i * columns, (i + 1) * columns)]);
    }

    // ---- snapshots: null where there is no memory for one ----
    snapshot() {
        return this.exports.live_snapshot() || null;
    }

    // Bytes of memory that the machine and its snapshots have.
    get used() {
        return this.exports.live_used() >>> 0;
    }

    restore(snapshot) {
        if (!this.exports.live_restore(snapshot))
            throw new Error("no memory to go back");
    }

    drop(snapshot) {
        this.exports.live_snapshot_free(snapshot);
    }

    // ---- events: sim_event of machine/sim.h ----
    get events() {
        return Number(this.exports.live_events());
    }

    get eventsKnown() {
        return Number(this.exports.live_events_known());
    }

    forgetEvents() {
        this.exports.live_events_forget();
    }

    event(number) {
        const at = this.exports.live_event(BigInt(number));
        return at ? eventOf(this.words(at, 1)[0], number) : null;
    }

    // The event that changed the entry at pa the last time, or null.
    written(pa) {
        const at = this.exports.live_written(BigInt.asIntN(64, pa));
        return at ? eventOf(this.words(at, 1)[0], null) : null;
    }

    // ---- roots, what harts keep, who has what ----
    roots() {
        const count = this.exports.live_roots();
        return this.words(this.exports.live_words(), count).map(
            ([pa, asid, levels, switches, when, hart]) =>
                ({pa, asid: Number(asid), levels: Number(levels), switches: Number(switches),
                  when: Number(when), hart: Number(hart)}));
    }

    // The process whose table it is, or null.
    owner(root) {
        const at = this.exports.live_owner(BigInt.asIntN(64, root));
        const pid = at && this.words(this.exports.live_words(), 1, 1)[0][0];
        return at ? {pid: Number(BigInt.asIntN(64, pid)), name: this.text(at)} : null;
    }

    kept(hart) {
        const count = this.exports.live_kept(hart);
        return this.words(this.exports.live_words(), count).map(
            ([va, pa, value, when, memory, asid, level, global]) =>
                ({va, pa, value, when: Number(when), memory, asid: Number(asid),
                  level: Number(level), global: global !== 0n}));
    }

    // For each page of RAM from its begin on: an index of FRAMES, and from where it was taken.
    frames() {
        const STEP = 4096, is = [], from = [];
        for (let pa = RAM_BASE; ; pa += 4096n * BigInt(STEP)) {
            const count = this.exports.live_frames(pa, STEP);
            const all = new BigUint64Array(this.exports.memory.buffer, this.exports.live_words(),
                                           2 * count);
            for (let i = 0; i < count; i++) {
                is.push(Number(all[2 * i]));
                from.push(all[2 * i + 1]);
            }
            if (count < STEP)
                return {is, from};
        }
    }

    frame(pa) {
        const at = this.exports.live_frame(BigInt.asIntN(64, pa));
        if (!at)
            return null;
        const [is, from, when, hart] = this.words(at, 1, 4)[0];
        return {is: Number(is), from, when: Number(when), hart: Number(hart)};
    }

    // ---- the doctor: of these diagnose("done") alone may be called in the past ----
    // live_answer of machine/wasm/doctor.c
    answer(number) {
        if (number === 2)
            throw new Error("no memory for the doctor");
        return number === 1;
    }

    // Whether the kernel is stuck.
    isStuck() {
        return this.answer(this.exports.live_doctor_look());
    }

    // While all harts wait: whether a key would wake one.
    get keyWakes() {
        return this.answer(this.exports.live_key_wakes());
    }

    // For so many instructions nothing has happened.
    get quiet() {
        return Number(this.exports.live_doctor_quiet());
    }

    record(text) {
        if (text.startsWith(DIAGNOSIS))
            this.diagnoses.push(JSON.parse(text));
    }

    // What is wrong, the most likely cause first: records of machine/doctor/doctor.h. over: one of
    // OVER; state: one of ENDS.
    diagnose(over, state) {
        this.diagnoses = [];
        this.answer(this.exports.live_diagnose(OVER.indexOf(over), ENDS.indexOf(state)));
        return this.diagnoses;
    }

    // ---- functions ----
    // false: the kernel has none of this name.
    watch(name, call) {
        return Boolean(this.exports.live_watch(this.string(name), BigInt(call)));
    }

    // When it was called; Infinity: not yet.
    get called() {
        const when = BigInt.asUintN(64, this.exports.live_called());
        return when === NEVER ? Infinity : Number(when);
    }

    // Whether it has come to a call or return within so many instructions.
    runToJump(hart, instructions) {
        return this.exports.live_run_to_jump(hart, BigInt(instructions)) !== 0;
    }
}
