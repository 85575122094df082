// The time line: a tick for each event, in three lanes, and where the machine is. A click goes to
// the nearest event; what the events around it are stands in a list.
"use strict";

(function () {
    const element = id => document.getElementById(id);
    const LANES = ["trap", "satp", "table"], HEIGHT = 54, SPAN_LEAST = 1000, CLOSER = 4;
    const NEAREST = 8;  // pixels
    const CAUSES = ["misaligned fetch", "fetch access fault", "illegal instruction", "breakpoint",
                    "misaligned load", "load access fault", "misaligned store",
                    "store access fault", "ecall from U", "ecall from S", "", "ecall from M",
                    "fetch page fault", "load page fault", "", "store page fault"];
    const INTERRUPTS = {1: "software interrupt", 3: "software interrupt (M)",
                        5: "timer interrupt", 7: "timer interrupt (M)", 9: "external interrupt",
                        11: "external interrupt (M)"};
    const hex = value => "0x" + value.toString(16);

    LIVE.causeName = cause => cause >> 63n ? INTERRUPTS[cause & 63n] ?? hex(cause) :
        CAUSES[Number(cause)] || hex(cause);

    const entryText = pte => pte & 1n ?
        `${PT.flagText(Number(pte & 0xffn))} ${hex((pte >> 10n & 0xfffffffffffn) << 12n)}` : "–";

    // One event in words.
    LIVE.eventText = function ({kind, value, level}, t) {
        if (kind === "trap")
            return t("event.trap", LIVE.causeName(value[0]), hex(value[1]));
        if (kind === "satp")
            return t("event.satp", hex((value[0] & 0xfffffffffffn) << 12n),
                     Number(value[0] >> 44n & 0xffffn));
        return t("event.table", value[0] >> 3n & 511n, hex(value[0] & ~4095n), level,
                 entryText(value[2]), entryText(value[1]));
    };

    LIVE.eventRow = function (event, t, go) {
        const row = LIVE.tableRow(["", LIVE.eventText(event, t), event.place,
                                   t("event.hart", event.hart)], event.kind);
        const button = document.createElement("button");
        button.textContent = event.when.toLocaleString("en-US");
        button.title = t("event.go");
        button.onclick = () => go(event.number);
        row.cells[0].append(button);
        return row;
    };

    LIVE.TimeLine = class {
        constructor(ask) {
            Object.assign(this, {ask, first: 0, when: [], kind: [], hart: [], now: 0, end: 1,
                                 span: null, asked: 0});
            const canvas = element("timeline");
            canvas.addEventListener("click", event => this.clicked(event));
            canvas.addEventListener("keydown", event => this.key(event));
            element("wider").onclick = () => this.zoom(CLOSER);
            element("closer").onclick = () => this.zoom(1 / CLOSER);
            element("to-end").onclick = () => ask({move: "to", at: this.end});
            new ResizeObserver(() => this.later()).observe(canvas);
            matchMedia("(prefers-color-scheme: dark)").onchange = () => this.later();
        }

        // span: how many instructions are shown; null: all.
        clear(span) {
            Object.assign(this, {first: 0, when: [], kind: [], hart: [], now: 0, end: 1, span});
            this.later();
        }

        // What the worker sends: events from a number on; those behind it are no more.
        add({from, when, kind, hart}) {
            const kept = Math.min(this.when.length, from - this.first);
            if (kept < this.when.length || !when.length)
                for (const list of [this.when, this.kind, this.hart])
                    list.length = Math.max(0, Math.min(list.length, kept));
            if (this.first + this.when.length !== from)
                Object.assign(this, {first: from, when: [], kind: [], hart: []});
            this.when.push(...when);
            this.kind.push(...kind);
            this.hart.push(...hart);
            const MOST = 65536, over = this.when.length - MOST;
            if (over > 0) {
                for (const list of [this.when, this.kind, this.hart])
                    list.splice(0, over);
                this.first += over;
            }
        }

        state({instructions, end}) {
            this.now = instructions;
            this.end = Math.max(end, instructions, 1);
            this.later();
        }

        // The instructions at both ends.
        get range() {
            const span = this.span ?? this.end;
            if (span >= this.end)
                return [0, this.end];
            const from = Math.max(0, Math.min(this.now - span / 2, this.end - span));
            return [from, from + span];
        }

        zoom(factor) {
            const span = (this.span ?? this.end) * factor;
            this.span = span >= this.end ? null : Math.max(SPAN_LEAST, span);
            this.later();
        }

        later() {
            this.asked ||= requestAnimationFrame(() => this.draw());
        }

        draw() {
            this.asked = 0;
            const canvas = element("timeline"), width = canvas.clientWidth || 1;
            const ratio = devicePixelRatio || 1, style = getComputedStyle(canvas);
            Object.assign(canvas, {width: width * ratio, height: HEIGHT * ratio});
            const context = canvas.getContext("2d"), lane = (HEIGHT - 6) / LANES.length;
            context.scale(ratio, ratio);
            const [from, to] = this.range, x = at => (at - from) / (to - from) * (width - 2) + 1;
            const seen = new Set();
            LANES.forEach((name, i) => {
                context.fillStyle = style.getPropertyValue(`--lane-${name}`);
                for (let n = 0; n < this.when.length; n++) {
                    const px = Math.round(x(this.when[n])), key = px * 4 + i;
                    if (this.kind[n] !== i || px < 0 || px > width || seen.has(key))
                        continue;
                    seen.add(key);
                    context.fillRect(px, 3 + i * lane + 1, 1.5, lane - 2);
                }
            });
            context.fillStyle = style.getPropertyValue("--ink");
            context.fillRect(x(this.now) - 1, 0, 2, HEIGHT);
            context.globalAlpha = .18;
            if (this.now < this.end)
                context.fillRect(x(this.now), 0, x(this.end) - x(this.now), HEIGHT);
            canvas.setAttribute("aria-valuenow", String(this.now));
            canvas.setAttribute("aria-valuemax", String(this.end));
        }

        // The event nearest to a place in the canvas; null: there is none near.
        nearest(px, py) {
            const [from, to] = this.range, width = element("timeline").clientWidth;
            const each = (to - from) / width, at = from + px * each;
            const lane = Math.min(2, Math.max(0, Math.floor(py / (HEIGHT / LANES.length))));
            let best = null, least = NEAREST * each;
            for (let n = 0; n < this.when.length; n++) {
                const far = Math.abs(this.when[n] - at);
                if (this.kind[n] === lane && far < least)
                    [best, least] = [this.first + n, far];
            }
            return {number: best, at: Math.round(at)};
        }

        clicked(event) {
            const {number, at} = this.nearest(event.offsetX, event.offsetY);
            this.ask(number === null ? {move: "to", at} : {move: "toEvent", number});
        }

        key(event) {
            const moves = {ArrowLeft: "unevent", ArrowRight: "event"};
            if (!moves[event.key])
                return;
            event.preventDefault();
            this.ask({move: moves[event.key], kinds: LANES});
        }
    };

    LIVE.EventList = class {
        constructor(ask) {
            this.ask = ask;
        }

        show(events, now, t) {
            const rows = events.map(event => {
                const row = LIVE.eventRow(event, t, number => this.ask({move: "toEvent", number}));
                if (event.when > now)
                    row.classList.add("future");
                return row;
            });
            element("events-table").tBodies[0].replaceChildren(...rows);
        }
    };
})();
