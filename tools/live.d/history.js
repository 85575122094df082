// The machine with its past: it can be taken to any instruction that it has executed.
//
// What came from outside (keys, time that passes while all harts wait) is in a journal by
// instruction, and there are snapshots. To go to an instruction is to restore the last snapshot
// before it, and to run from there with the journal's entries. A run that goes on in the past
// repeats what was; with the first key it becomes another, and what was after it is forgotten.
//
// A position is an instruction and an index in the journal: at one instruction a machine that
// waits may have passed several entries.
"use strict";

const SNAPSHOTS_MOST = 40, BYTES_MOST = 400 << 20, SPACING = 1000000, NEAR = 100000;
// Between snapshots on the way it runs so many times as long as one takes.
const RUN_FOR_ONE = 50;

class History {
    constructor(machine) {
        Object.assign(this, {machine, journal: [], next: 0, end: 0, snapshots: [], state: "runs",
                             printed: [], print: 0, findings: [], found: 0,
                             cuts: 0, cutAt: 0, stops: new Map(), nextMark: 0});
        this.mark();
    }

    get now() {
        return this.machine.instructions;
    }

    // Whether all that comes is known already.
    get past() {
        return this.next < this.journal.length || this.now < this.end;
    }

    get over() {
        return ["off", "reset", "failed"].includes(this.state);
    }

    // ---- what the machine says: heard once, though it may be said again ----
    hear(byte) {
        if (this.print++ === this.printed.length)
            this.printed.push(byte);
    }

    find(text) {
        if (this.found++ === this.findings.length)
            this.findings.push({text, when: this.now});
    }

    // ---- snapshots ----
    // One of the present, unless there is one as near as that.
    mark(near = 0) {
        const {now, next} = this, before = this.before(now);
        if (before && now - before.at < near || before?.at === now && before.next === next)
            return;
        const begun = performance.now(), taken = this.machine.snapshot();
        const ended = performance.now();
        this.nextMark = ended + RUN_FOR_ONE * (ended - begun);
        if (taken === null)
            return;
        const i = before ? this.snapshots.indexOf(before) + 1 : 0;
        this.snapshots.splice(i, 0, {taken, at: now, next, state: this.state, print: this.print,
                                     found: this.found});
        if (this.snapshots.length > SNAPSHOTS_MOST)
            this.thin();
        while (this.machine.used > BYTES_MOST && this.snapshots.length > 2)
            this.thin();
    }

    // The last one that is not later; with the same instruction, not further in the journal.
    before(at, next = Infinity) {
        let found = null;
        for (const each of this.snapshots)
            if (each.at < at || each.at === at && each.next <= next)
                found = each;
        return found;
    }

    // Without the one that leaves the smallest gap, by its distance from here; the first stays.
    thin() {
        const {snapshots, now} = this;
        let least = Infinity, which = 1;
        for (let i = 1; i + 1 < snapshots.length; i++) {
            const gap = (snapshots[i + 1].at - snapshots[i - 1].at) /
                (Math.abs(now - snapshots[i].at) + SPACING);
            if (gap < least)
                [least, which] = [gap, i];
        }
        this.machine.drop(snapshots.splice(which, 1)[0].taken);
    }

    // ---- forward ----
    // Runs on, so many instructions at most: by the journal while it lasts. The state is one of
    // ENDS; "waits" says that all wait and nobody knows for what. With a hart, until it has called
    // a function or returned from one; true then.
    run(count, hart) {
        const until = this.now + count;
        let jumped = false;
        while (this.now < until && !this.over && !jumped) {
            const {now} = this, entry = this.journal[this.next];
            if (entry && entry.at === now) {
                this.apply(entry);
                continue;
            }
            const most = Math.min(until, entry ? entry.at : this.past ? this.end : until) - now;
            if (hart === undefined)
                this.machine.run(most);
            else
                jumped = this.machine.runToJump(hart, most);
            this.state = this.machine.how;
            if (this.state === "waits")
                break;
        }
        this.settle();
        return jumped;
    }

    // At the frontier: what was done is written down.
    settle() {
        if (this.next < this.journal.length)
            return;
        if (this.state === "waits" && !this.waitsAlready())
            this.note({at: this.now, what: "waits"});
        if (this.now > this.end) {
            this.end = this.now;
            if (performance.now() >= this.nextMark)
                this.mark(SPACING);
        }
    }

    waitsAlready() {
        const last = this.journal[this.journal.length - 1];
        return last !== undefined && last.at === this.now && last.what === "waits";
    }

    apply({what, value}) {
        if (what === "waits")
            this.machine.run(1);  // it waits again, and devices do what they did
        else if (what === "skip")
            this.machine.skipTo(value);
        else
            this.machine.type(value);
        this.state = what === "waits" ? "waits" : "runs";
        this.next++;
    }

    note(entry) {
        this.journal.push(entry);
        this.next = this.journal.length;
    }

    // The clock goes on, while all wait.
    skip(ns) {
        this.cut();
        const to = this.machine.nanoseconds + BigInt(Math.ceil(ns));
        this.machine.skipTo(to);
        this.note({at: this.now, what: "skip", value: to});
        this.state = "runs";
    }

    // How many of the bytes the machine has taken.
    type(bytes) {
        this.cut();
        const taken = this.machine.type(bytes);
        if (taken) {
            this.note({at: this.now, what: "type", value: bytes.slice(0, taken)});
            this.state = "runs";
        }
        return taken;
    }

    // What is after the present is no more.
    cut() {
        if (!this.past)
            return;
        this.journal.length = this.next;
        this.end = this.now;
        this.printed.length = this.print;
        this.findings.length = this.found;
        for (const later of this.snapshots.filter(({at, next}) =>
            at > this.end || next > this.next))
            this.machine.drop(later.taken);
        this.snapshots = this.snapshots.filter(({at, next}) => at <= this.end && next <= this.next);
        this.machine.forgetEvents();
        this.cuts++;
        this.cutAt = this.machine.events;
    }

    // ---- to a position ----
    get position() {
        return {at: this.now, next: this.next};
    }

    // The present is shown: who comes back to this instruction finds it as it was.
    stop() {
        this.stops.set(this.now, this.next);
    }

    // Without next: as it was shown, or else before what came from outside at that instruction.
    go({at, next}) {
        at = Math.max(0, Math.min(at, this.end));
        next ??= this.stops.get(at);
        const from = this.before(at, next ?? 0) ?? this.before(at - 1) ?? this.snapshots[0];
        const here = this.now < at && this.now >= from.at && this.next >= from.next;
        if (!here)
            this.restore(from);
        if (at - this.now > 2 * NEAR) {
            this.run(at - this.now - NEAR);
            this.mark(NEAR);  // for the next step back
        }
        this.run(at - this.now);
        while (this.next < (next ?? 0) && this.journal[this.next]?.at === at)
            this.apply(this.journal[this.next]);
    }

    restore(snapshot) {
        this.machine.restore(snapshot.taken);
        this.next = snapshot.next;
        this.state = snapshot.state;
        this.print = snapshot.print;
        this.found = snapshot.found;
    }
}
