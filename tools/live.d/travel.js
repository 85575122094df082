// To and fro: by instruction, by function, by event (trap, switch of satp, change of a page table).
"use strict";

const SEARCH_MOST = 400000000, SEARCH_SLICE = 200000, WINDOW_LEAST = 2000, WINDOW_GROWS = 8;

class Travel {
    // passTime: called when all harts wait; whether the run may go on.
    constructor(history) {
        this.history = history;
        this.at = null;  // the number of the event that the machine stands at
        this.pending = [];  // bytes to type
    }

    // Types what the machine takes; whether it has got any.
    typePending() {
        if (!this.pending.length)
            return false;
        const taken = this.history.type(new Uint8Array(this.pending));
        this.pending = this.pending.slice(taken);
        return taken > 0;
    }

    // While all wait, time passes by itself for one who steps. false: it would wait for ever.
    passTime() {
        const {history} = this, {wait} = history.machine;
        this.typePending();
        if (history.state !== "waits" || history.past)
            return true;
        if (wait === Infinity)
            return false;
        history.skip(wait);
        return true;
    }

    forward(count) {
        const {history} = this, end = history.now + count;
        this.at = null;
        while (history.now < end && !history.over && this.passTime())
            history.run(end - history.now);
    }

    // Back by so many; false: it is at its beginning.
    back(count) {
        const {history} = this, {now} = history;
        this.at = null;
        if (now === 0)
            return false;
        history.go({at: now - count});
        return true;
    }

    // ---- by function ----
    // To the hart's next call or return.
    forwardJump(hart) {
        const {history} = this, end = history.now + SEARCH_MOST / 20;
        this.at = null;
        while (history.now < end && !history.over && this.passTime())
            if (history.run(SEARCH_SLICE, hart))
                return true;
        return false;
    }

    backJump(hart) {
        const {history} = this, here = history.position, now = here.at;
        this.at = null;
        for (let window = WINDOW_LEAST; ; window *= WINDOW_GROWS) {
            const last = this.lastJump(hart, Math.max(0, now - window), now);
            if (last !== null || window >= now) {
                history.go(last ?? here);
                return last !== null;
            }
        }
    }

    // Where the last one before `to` leads, that comes after `from`.
    lastJump(hart, from, to) {
        const {history} = this;
        let last = null;
        history.go({at: from});
        while (history.now < to - 1 && history.run(to - 1 - history.now, hart))
            last = history.position;
        return last;
    }

    // ---- by event ----
    go(event) {
        const {history} = this;
        history.go({at: event.when});
        if (history.machine.events <= event.number)
            history.run(1);
        this.at = event.number;
    }

    // To the next event that is one of kinds and fits; false: none comes.
    forwardEvent(kinds, fits = () => true) {
        const {history} = this, {machine} = history, start = history.position, end = start.at +
            SEARCH_MOST;
        let number = (this.at ?? machine.events - 1) + 1;
        history.mark(NEAR);
        for (;;) {
            for (; number < machine.eventsKnown; number++) {
                const event = machine.event(number);
                if (event && kinds.includes(event.kind) && fits(event)) {
                    this.go(event);
                    return true;
                }
            }
            if (history.over || history.now >= end || !this.passTime())
                break;
            history.run(SEARCH_SLICE);
        }
        this.at = null;
        return false;
    }

    backEvent(kinds) {
        const {machine} = this.history;
        for (let number = (this.at ?? machine.events) - 1; number >= 0; number--) {
            const event = machine.event(number);
            if (!event)
                return false;  // it is too long ago
            if (kinds.includes(event.kind) && (this.at !== null || event.when < this.history.now)) {
                this.go(event);
                return true;
            }
        }
        return false;
    }

    // ---- to a call of a function ----
    // "unknown" when the kernel has none of this name, "never" when it is not called.
    toFunction(name, call = 1) {
        const {history} = this, {machine} = history, end = history.now + SEARCH_MOST;
        this.at = null;
        if (history.now > 0)
            history.run(1);  // not that where it stands
        history.mark(NEAR);
        if (!machine.watch(name, call))
            return "unknown";
        while (machine.called === Infinity) {
            if (history.over || history.now >= end || !this.passTime())
                return "never";
            history.run(SEARCH_SLICE);
        }
        history.go({at: machine.called});
        return "there";
    }
}
