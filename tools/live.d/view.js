// The inside of a machine as the page shows it: registers, and page tables as a table of ranges.
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

    // ---- page tables ----
    function colourOf(flags) {
        const can = [...flags].filter(flag => "RWX".includes(flag)).join("").toLowerCase();
        return ["r", "rw", "rx", "rwx", "x"].includes(can) ? can : "odd";
    }

    const keyOf = row => `${row.level} ${row.va} ${row.kind}`;
    const valueOf = row => `${row.pa} ${row.flags} ${row.count}`;

    function tableRow(row, before, t) {
        const indent = "\u00a0\u00a0".repeat(row.depth);
        const end = row.va + (row.bytes ?? 4096n) - 1n;
        const range = row.kind === "leaf" ? `${hex(row.va)}\u2013${hex(end)}` : hex(row.va);
        const flags = cell("");
        const badge = flags.appendChild(document.createElement("span"));
        badge.textContent = row.flags ?? t("tables.nowhere");
        badge.className = row.kind === "leaf" ? `flags ${colourOf(row.flags)}` : "flags";
        const pages = row.kind === "leaf" ? String(row.bytes / 4096n) : "";
        const old = before && before.get(keyOf(row));
        const changed = before && old !== valueOf(row);
        return rowOf([cell(indent + range), flags, cell(pages), cell(hex(row.pa))],
                     `${row.kind}${changed ? " changed" : ""}`);
    }

    LIVE.TableView = class {
        constructor() {
            this.before = {};
        }

        // What differs from the tables shown before, when they have the same root, is marked.
        show({levels, root, asid, rows, tables, left}, t) {
            const about = element("tables-about"), body = element("tables").tBodies[0];
            element("tables").hidden = !levels;
            about.textContent = !levels ? t("tables.none") :
                t("tables.about", 12 + 9 * levels, root.toString(16), asid, tables) +
                (left ? t("tables.left", left) : "");
            const values = new Map(rows.map(row => [keyOf(row), valueOf(row)]));
            const text = [...values].join() + root + about.textContent;
            if (text === this.text)
                return;
            this.text = text;
            const before = this.before.root === root ? this.before.values : null;
            body.replaceChildren(...rows.map(row => tableRow(row, before, t)));
            this.before = {root, values};
        }
    };
})();
