// Tables of the page's own, and a hart's registers as one.
"use strict";

(function () {
    const NAMES = ("zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 " +
                   "s9 s10 s11 t3 t4 t5 t6").split(" ");
    const PRIVILEGES = {0: "U", 1: "S", 3: "M"};
    const element = id => document.getElementById(id);
    const hex = value => "0x" + value.toString(16);

    function cell(text, name = "", tag = "td") {
        const made = document.createElement(tag);
        made.textContent = text;
        made.className = name;
        return made;
    }

    function rowOf(cells, name) {
        const row = document.createElement("tr");
        row.className = name;
        row.append(...cells);
        return row;
    }

    LIVE.tableRow = (texts, name) => rowOf(texts.map(text => cell(text)), name);

    // ---- registers ----
    LIVE.RegisterView = class {
        constructor() {
            this.before = {};
        }

        show({hart, registers, x, places}) {
            const all = Object.entries(registers).filter(([name]) =>
                !["privilege", "state"].includes(name));
            all.splice(1, 0, ...x.map((value, i) => [NAMES[i], value]).slice(1));
            const before = this.before.hart === hart ? this.before.values : null;
            element("place").textContent =
                `${PRIVILEGES[registers.privilege]}: ${places.pc}`;
            element("registers").tBodies[0].replaceChildren(...all.map(([name, value]) =>
                rowOf([cell(name, "", "th"), cell(hex(value)), cell(placeOf(places[name], value))],
                      before && before[name] !== value ? "changed" : "")));
            this.before = {hart, values: Object.fromEntries(all)};
        }
    };

    const placeOf = (place, value) => place && place !== hex(value) ? place : "";
})();
