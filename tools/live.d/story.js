// A story is played: from stop to stop, and back. What a story is stands in docs/live.md;
// tools/stories.py has read and checked it.
"use strict";

const PROMPT = [0x24, 0x20], PROMPT_SLICE = 50000;

class Story {
    constructor(travel, stops) {
        Object.assign(this, {travel, stops, positions: []});
    }

    // To the stop of this number; false: it is not reached.
    tell(number) {
        const {history} = this.travel;
        while (this.positions.length <= number) {
            if (this.positions.length)
                history.go(this.positions[this.positions.length - 1]);
            if (!this.reach(this.stops[this.positions.length]))
                return false;
            history.stop();
            this.positions.push(history.position);
        }
        history.go(this.positions[number]);
        return true;
    }

    reach({type, at}) {
        const {travel} = this;
        if (type)
            travel.pending.push(...new TextEncoder().encode(type + "\r"));
        if (at.what === "prompt")
            return this.toPrompt();
        if (at.what === "finding")
            return this.toFinding();
        if (at.what === "function")
            return travel.toFunction(at.name, at.call) === "there";
        return travel.forwardEvent([at.what], event => this.fits(event, at));
    }

    fits(event, {cause, address, name}) {
        const place = this.travel.history.machine.place(event.pc);
        return (cause === undefined || event.value[0] === BigInt(cause)) &&
            (address === undefined || event.value[1] === BigInt(address)) &&
            (name === undefined || functionOf(place) === name);
    }

    toPrompt() {
        const {travel} = this, {history} = travel, from = history.print;
        const there = () => history.print > from + 1 &&
            PROMPT.every((c, i) => history.printed[history.print - 2 + i] === c);
        const end = history.now + SEARCH_MOST;
        while (!there() && history.now < end && !history.over && travel.passTime())
            history.run(PROMPT_SLICE);
        return there();
    }

    toFinding() {
        const {travel} = this, {history} = travel, from = history.found;
        const end = history.now + SEARCH_MOST;
        while (history.found === from && history.now < end && !history.over && travel.passTime())
            history.run(SEARCH_SLICE);
        if (history.found === from)
            return false;
        history.go({at: history.findings[from].when});
        return true;
    }
}
