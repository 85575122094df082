// The machine's own thread: it runs in slices, and listens to the page in between.
//
// From the page: {create: options, code, commands, paused}, {run: true}, {run: false}, {step: N},
// {type: bytes}, {look: hart}. To the page: {made}, {wrong: text}, {output: bytes},
// {finding: text}, {state, ...} and {view}; see below.
"use strict";

// As many as ./sim runs between looks at its input, so commands come at the same instruction.
const SLICE = 500000;
const BETWEEN_MS = 12, WAIT_MOST_MS = 1000, STATE_EVERY_MS = 100, TAIL = 64;

let machine = null, running = false, state = "runs", options = null;
let output = [], pending = [], told = 0;
let tail = "", commands = null;  // null: a person types
let waitTimer = null, waitSince = 0;
const again = new MessageChannel();  // setTimeout would wait some milliseconds each time

// ---- to the page ----
function flush() {
    if (output.length)
        postMessage({output: new Uint8Array(output)});
    output = [];
}

function tellState() {
    flush();
    told = performance.now();
    const hart = machine.lastHart;
    postMessage({state, running, code: machine.code, instructions: machine.instructions,
                 ns: Number(machine.nanoseconds), hart,
                 place: machine.place(machine.register(hart, "pc"))});
}

function look(hart) {
    const registers = {}, x = [];
    for (const name of Object.keys(REGISTERS))
        registers[name] = machine.register(hart, name);
    for (let i = 0; i < 32; i++)
        x.push(machine.register(hart, i));
    const tables = pageTables((pa, bytes) => machine.read(pa, bytes), registers.satp);
    const places = ["pc", "sepc", "stvec", "mepc", "mtvec"].map(name =>
        [name, machine.place(registers[name])]);
    places.push(["ra", machine.place(x[1])]);
    postMessage({view: {hart, registers, x, tables, places: Object.fromEntries(places)}});
}

// ---- input ----
// Whether the machine has got any, so that its harts may have something to do.
function typePending() {
    if (!pending.length)
        return false;
    const taken = machine.type(new Uint8Array(pending));
    pending = pending.slice(taken);
    return taken > 0;
}

// At a prompt the next command is typed; at the one after the last the machine pauses.
function nextCommand() {
    if (commands === null || pending.length || !tail.endsWith("$ "))
        return;
    if (!commands.length) {
        running = false;
        commands = null;
        return;
    }
    pending = [...new TextEncoder().encode(commands.shift() + "\n")];
    tail = "";
}

// ---- run ----
function over() {
    return state === "off" || state === "reset" || state === "failed";
}

function finish() {
    running = false;
    tellState();
}

// All harts wait. The machine's clock goes as the page's does while a person types, and to the
// next event at once otherwise. false: not now.
function passTime() {
    if (pending.length)
        return true;
    const ms = machine.wait / 1e6;
    if (commands !== null && ms < Infinity) {
        machine.skip(machine.wait);
        return true;
    }
    tellState();
    waitSince = performance.now();
    if (ms < Infinity)
        waitTimer = setTimeout(wake, Math.min(ms, WAIT_MOST_MS), machine.wait);
    return false;
}

// ns: so long has it waited; without it, as long as it really was.
function wake(ns) {
    if (state !== "waits" || !running)
        return;
    clearTimeout(waitTimer);
    const real = 1e6 * (performance.now() - waitSince);
    if (machine.wait < Infinity)
        machine.skip(Math.min(machine.wait, ns ?? real));
    state = "runs";
    slices();
}

function slices() {
    const until = performance.now() + BETWEEN_MS;
    while (running && performance.now() < until) {
        state = machine.run(SLICE);
        nextCommand();
        const typed = typePending();
        if (over())
            return finish();
        if (state === "waits" && running && !typed && !passTime())
            return;
    }
    flush();
    if (!running)
        return tellState();
    if (performance.now() - told > STATE_EVERY_MS)
        tellState();
    again.port2.postMessage(null);
}
again.port1.onmessage = () => {
    if (running)
        slices();
};

function setRunning(on) {
    if (!machine || over() || running === on)
        return;
    running = on;
    clearTimeout(waitTimer);
    tellState();
    if (on)
        again.port2.postMessage(null);
}

// Time passes by itself for one who steps.
function step(count) {
    if (!machine || over())
        return;
    running = false;
    clearTimeout(waitTimer);
    const end = machine.instructions + count;
    while (!over() && machine.instructions < end) {
        typePending();
        state = machine.run(end - machine.instructions);
        if (state === "waits") {
            if (machine.wait === Infinity)
                break;
            machine.skip(machine.wait);
        }
    }
    typePending();
    tellState();
}

function keys(bytes) {
    pending.push(...bytes);
    if (running && state === "waits")
        wake();
}

// ---- from the page ----
function console_(byte) {
    output.push(byte);
    tail = (tail + String.fromCharCode(byte)).slice(-TAIL);
}

async function create(message) {
    options = message.create;
    commands = message.commands ?? null;
    try {
        machine = await Machine.create(message.code, options, console_,
                                       text => postMessage({finding: text}));
    } catch (e) {
        postMessage({wrong: e.message});
        return;
    }
    postMessage({made: true});
    if (message.paused)
        tellState();
    else
        setRunning(true);
}

onmessage = ({data}) => {
    if (data.create)
        create(data);
    else if (data.run !== undefined)
        setRunning(data.run);
    else if (data.step)
        step(data.step);
    else if (data.type)
        keys(data.type);
    else if (data.look !== undefined && machine)
        look(data.look);
};
