// The machine's own thread: it runs in slices, and listens to the page in between.
//
// From the page: {create: options, code, commands, paused, stops}, {run: true}, {run: false},
// {move: name, ...} (see moves), {type: bytes}, {look: {hart, roots, frames, kept}},
// {entry: pa}, {frame: pa}, {near: number}, {diagnose: true}. To the page: {made},
// {wrong: text}, {output: bytes}, {screen: bytes} (all there is, after a move to the past),
// {findings}, {state, ...}, {view}, {ticks}, {moved}, {diagnosis, asked, over}; see below.
"use strict";

// As many as ./sim runs between looks at its input, so commands come at the same instruction.
const SLICE = 500000;
const BETWEEN_MS = 12, WAIT_MOST_MS = 1000, STATE_EVERY_MS = 100;
const SCREEN_MOST = 200000, TICKS_MOST = 20000, NEAR_EVENTS = 8;

let machine = null, history_ = null, travel = null, looker = null, doctor = null;
let running = false;
let options = null, story = null, told = 0;
let sent = 0, findingsSent = 0, diagnosed = 0, ticksSent = 0, tailFrom = 0, cutsSeen = 0;
let commands = null;  // null: a person types
let waitTimer = null, waitSince = 0;
const again = new MessageChannel();  // setTimeout would wait some milliseconds each time

// ---- to the page ----
function flush() {
    const {printed, print} = history_;
    if (history_.cuts !== cutsSeen) {
        findingsSent = -1;
        ticksSent = Math.min(ticksSent, history_.cutAt);
        cutsSeen = history_.cuts;
    }
    if (print < sent) {
        postMessage({screen: new Uint8Array(printed.slice(Math.max(0, print - SCREEN_MOST),
                                                          print))});
    } else if (print > sent) {
        postMessage({output: new Uint8Array(printed.slice(sent, print))});
    }
    sent = print;
    if (history_.found !== findingsSent)
        postMessage({findings: history_.findings.slice(0, history_.found)});
    findingsSent = history_.found;
}

// What the time line has not got yet of the events.
function sendTicks() {
    const known = machine.eventsKnown;
    const from = Math.max(Math.min(ticksSent, known), known - TICKS_MOST);
    const when = [], kind = [], hart = [], pairs = [];
    for (let number = from; number < known; number++) {
        const event = machine.event(number);
        when.push(event.when);
        kind.push(EVENTS.indexOf(event.kind));
        hart.push(event.hart);
        const [to, before] = event.kind === "satp" ? event.value.map(rootOf) : [];
        if (to && before)
            pairs.push([to.pa, before.pa]);
    }
    postMessage({ticks: {from, pairs, when: Float64Array.from(when), kind: Uint8Array.from(kind),
                         hart: Uint8Array.from(hart)}});
    ticksSent = known;
}

// why: see tellDiagnosis.
function tellState(why) {
    flush();
    sendTicks();
    told = performance.now();
    if (!running)
        history_.stop();
    const hart = machine.lastHart;
    if (!running || diagnosed !== history_.found)
        tellDiagnosis(why);
    postMessage({state: history_.state, running, code: machine.code, past: history_.past,
                 instructions: machine.instructions, end: history_.end, event: travel.at,
                 events: machine.events,
                 ns: Number(machine.nanoseconds), hart,
                 place: machine.place(machine.register(hart, "pc"), hart)});
}

// roots: addresses, or null for the hart's own.
function look({hart, roots, frames, kept}) {
    const own = rootOf(machine.register(hart, "satp"));
    const all = machine.roots().map(root => ({...root, owner: machine.owner(root.pa)}));
    const wanted = roots ?? (own ? [own.pa] : []);
    const tables = wanted.map(pa => {
        const root = all.find(each => each.pa === pa) ?? (own && own.pa === pa ? own : null);
        return root && {...root, ...new TableText(machine).of(root)};
    }).filter(Boolean);
    postMessage({view: {at: machine.instructions, ...looker.registers(hart), own, roots: all,
                        tables, fresh: looker.fresh(), kept: kept ? looker.kept() : [],
                        frames: frames ? looker.frames() : null}});
}

// What the doctor says of the present. why: {asked: true}, or {over: true} when the machine has
// ended or is stuck.
function tellDiagnosis(why) {
    diagnosed = history_.found;
    postMessage({diagnosis: doctor.list, ...why});
}

function askDoctor() {
    doctor.ask();
    tellDiagnosis({asked: true});
}

// The events around a number.
function near(number) {
    const events = [];
    for (let i = Math.max(0, number - NEAR_EVENTS); i <= number + NEAR_EVENTS; i++) {
        const event = machine.event(i);
        if (event)
            events.push(looker.told(event));
    }
    postMessage({near: events});
}

// ---- input ----
// At a prompt the next command is typed; at the one after the last the machine pauses.
function nextCommand() {
    const {printed} = history_, end = printed.length;
    if (commands === null || travel.pending.length || history_.past || end - tailFrom < 2 ||
        printed[end - 2] !== 0x24 || printed[end - 1] !== 0x20)
        return;
    if (!commands.length) {
        running = false;
        commands = null;
        return;
    }
    travel.pending = [...new TextEncoder().encode(commands.shift() + "\n")];
    tailFrom = end;
}

// ---- run ----
function finish() {
    running = false;
    tellState({over: true});
}

// All harts wait. The machine's clock goes as the page's does while a person types, and to the
// next event at once otherwise. false: not now.
function passTime() {
    if (travel.pending.length || history_.past)
        return true;
    const ms = machine.wait / 1e6;
    if (commands !== null && ms < Infinity) {
        history_.skip(machine.wait);
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
    if (history_.state !== "waits" || !running)
        return;
    clearTimeout(waitTimer);
    const real = 1e6 * (performance.now() - waitSince);
    if (machine.wait < Infinity)
        history_.skip(Math.min(machine.wait, ns ?? real));
    slices();
}

function slices() {
    const until = performance.now() + BETWEEN_MS;
    travel.at = null;
    while (running && performance.now() < until) {
        history_.run(SLICE);
        nextCommand();
        const typed = travel.typePending();
        if (history_.over)
            return finish();
        if (running && !typed && doctor.isStuck())
            return finish();  // it is of no use to go on; the person may
        if (history_.state === "waits" && running && !typed && !passTime())
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
    if (!machine || history_.over || running === on)
        return;
    running = on;
    clearTimeout(waitTimer);
    tellState();
    if (on)
        again.port2.postMessage(null);
}

// ---- moves: each is false when there is nothing to go to ----
const moves = {
    step: ({count}) => travel.forward(count),
    back: ({count}) => travel.back(count),
    call: ({hart}) => travel.forwardJump(hart),
    uncall: ({hart}) => travel.backJump(hart),
    event: ({kinds}) => travel.forwardEvent(kinds),
    unevent: ({kinds}) => travel.backEvent(kinds),
    toEvent: ({number}) => {
        const event = machine.event(number);
        if (event)
            travel.go(event);
        return event !== null;
    },
    to: ({at}) => {
        travel.at = null;
        history_.go({at});
    },
    tell: ({number}) => story.tell(number),
};

function move(message) {
    if (!machine)
        return;
    running = false;
    clearTimeout(waitTimer);
    travel.typePending();
    const found = moves[message.move](message) !== false;
    tellState();
    postMessage({moved: message.move, found});
}

function keys(bytes) {
    if (!machine)
        return;
    travel.pending.push(...bytes);
    if (running && history_.state === "waits") {
        wake();
    } else if (!running || history_.past) {
        travel.typePending();
        tellState();
    }
}

// ---- from the page ----
async function create(message) {
    options = message.create;
    commands = message.commands ?? null;
    try {
        machine = await Machine.create(message.code, options, byte => history_.hear(byte),
                                       text => history_.find(text));
    } catch (e) {
        postMessage({wrong: e.message});
        return;
    }
    history_ = new History(machine);
    travel = new Travel(history_);
    looker = new Look(machine, options.harts);
    doctor = new Doctor(history_);
    story = new Story(travel, message.stops ?? []);
    postMessage({made: true});
    if (message.paused)
        tellState();
    else
        setRunning(true);
}

onmessage = ({data}) => {
    if (data.create)
        create(data);
    else if (data.type)
        keys(data.type);
    else if (!machine)
        return;
    else if (data.run !== undefined)
        setRunning(data.run);
    else if (data.move)
        move(data);
    else if (data.look)
        look(data.look);
    else if (data.entry !== undefined)
        postMessage({entry: looker.entry(data.entry)});
    else if (data.frame !== undefined)
        postMessage({frame: looker.frame(data.frame)});
    else if (data.diagnose)
        askDoctor();
    else if (data.near !== undefined)
        near(data.near);
};
