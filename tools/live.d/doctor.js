// When the doctor is asked, and what it is told: docs/live.md.
"use strict";

// Without a sign of life for so long, one who asks may take a kernel that runs for stuck.
const QUIET = 20000000;

class Doctor {
    constructor(history) {
        Object.assign(this, {history, verdict: null, judged: -1});
    }

    // The guest has printed a prompt and nothing else since: it waits for a person.
    get atPrompt() {
        const {print, printed} = this.history;
        return print > 1 && printed[print - 2] === 0x24 && printed[print - 1] === 0x20;
    }

    get here() {
        const {now, next, cuts} = this.history;
        return [now, next, cuts].join();
    }

    // A piece of the run is over. Whether the kernel is stuck, or waits for ever: that is said
    // once, until it prints something.
    isStuck() {
        const {history} = this, {machine} = history, waits = history.state === "waits";
        if (history.past || history.over)
            return false;
        const ever = waits && machine.wait === Infinity, stuck = machine.isStuck() || ever;
        if (!stuck || this.judged === history.print || this.atPrompt)
            return false;
        this.judged = history.print;
        if (waits && machine.keyWakes)
            return false;
        this.judge(ever ? "waits" : "stuck");
        return true;
    }

    judge(over) {
        const {history} = this;
        this.verdict = {here: this.here, list: history.machine.diagnose(over, history.state)};
    }

    // Somebody asks.
    ask() {
        const {history} = this, {machine} = history, waits = history.state === "waits";
        if (history.past || history.over || this.atPrompt)
            return;
        if (waits)
            this.judge(machine.wait === Infinity ? "waits" : "stuck");
        else if (machine.isStuck() || machine.quiet >= QUIET)
            this.judge("stuck");
    }

    // What is said of the present: without a verdict, what has come to light without a closer look.
    get list() {
        const {history, verdict} = this;
        return verdict?.here === this.here ? verdict.list :
            history.machine.diagnose("done", history.state);
    }
}
