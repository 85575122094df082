// The machine in its WebAssembly memory, as an object: what machine/wasm/shell.c exports.
"use strict";

const ENDS = ["runs", "waits", "off", "reset", "failed"];  // sim_end.how
const NEVER = 0xffffffffffffffffn;
const OPTIONS = {harts: 0, mib: 1, seed: 2, mode: 3, legacyDisk: 4, svadu: 5};
const REGISTERS = {pc: 64, privilege: 65, state: 66, mstatus: 67, mie: 68, mip: 69, satp: 70,
                   stvec: 71, sepc: 72, scause: 73, stval: 74, sscratch: 75, mtvec: 76, mepc: 77,
                   mcause: 78, mtval: 79, mscratch: 80};

class Machine {
    // code: the bytes of machine.wasm. options: numbers as in OPTIONS, append, and as
    // {bytes, name} the kernel and disks. console gets each byte, finding each sentence. Throws
    // an Error with a sentence when there can be no such machine.
    static async create(code, options, console, finding) {
        const machine = new Machine();
        const page = {page_console: console, page_finding: at => finding(machine.text(at))};
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

    skip(ns) {
        this.exports.live_skip(this.nanoseconds + BigInt(Math.ceil(ns)));
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

    place(address) {
        return this.text(this.exports.live_place(BigInt.asIntN(64, address)));
    }
}
