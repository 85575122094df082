// The map of physical memory: a square for each page, coloured by the function that took it.
"use strict";

(function () {
    const element = id => document.getElementById(id);
    const ACROSS = 128, GAP = -1, LEGEND_MOST = 24, RAM_BASE = 0x80000000n;
    const FIXED = {unknown: "--gap", free: "--free", image: "--image", table: "--mark"};
    // So that neighbours in the list differ in lightness, too.
    const hue = i => `hsl(${(i * 137.5) % 360} 60% ${[45, 62, 34][i % 3]}%)`;

    // The rows that are drawn: of many of which nobody has anything, one gap.
    function rowsOf(is) {
        const rows = [];
        for (let row = 0; row * ACROSS < is.length; row++) {
            const used = is.slice(row * ACROSS, (row + 1) * ACROSS).some(x => x !== "unknown");
            if (used)
                rows.push(row);
            else if (rows.at(-1) !== GAP)
                rows.push(GAP);
        }
        return rows;
    }

    LIVE.FrameView = class {
        constructor(ask) {
            Object.assign(this, {ask, names: [], rows: [], t: null});
            const map = element("frames-map");
            map.addEventListener("click", event => {
                const box = map.getBoundingClientRect();
                const x = Math.floor((event.clientX - box.left) / box.width * ACROSS);
                const y = Math.floor((event.clientY - box.top) / box.height * map.height);
                const row = this.rows[y];
                if (row !== undefined && row !== GAP)
                    this.ask({frame: RAM_BASE + 4096n * BigInt(row * ACROSS + x)});
            });
        }

        // A name keeps its colour as long as the page is open.
        colourOf(is, whose) {
            if (FIXED[is])
                return getComputedStyle(document.documentElement).getPropertyValue(FIXED[is]);
            let i = this.names.indexOf(whose);
            if (i < 0)
                i = this.names.push(whose) - 1;
            return hue(i);
        }

        show({frames}, t) {
            this.t = t;
            if (!frames)
                return;
            const groups = new Map();
            frames.is.forEach((is, page) => {
                const key = is === "taken" ? frames.whose[page] : is;
                if (!groups.has(key))
                    groups.set(key, {is, key, pages: []});
                groups.get(key).pages.push(page);
            });
            const sorted = [...groups.values()].sort((a, b) => b.pages.length - a.pages.length);
            this.rows = rowsOf(frames.is);
            this.draw(sorted);
            this.legend(sorted, t);
            element("frames-about").textContent = t("frames.about", frames.is.length);
        }

        draw(groups) {
            const map = element("frames-map"), {rows} = this;
            const places = new Map(rows.map((row, y) => [row, y]));
            Object.assign(map, {width: ACROSS, height: rows.length});
            const context = map.getContext("2d");
            for (const {is, key, pages} of groups) {
                context.fillStyle = this.colourOf(is, key);
                for (const page of pages) {
                    const y = places.get(Math.floor(page / ACROSS));
                    if (y !== undefined)
                        context.fillRect(page % ACROSS, y, 1, 1);
                }
            }
        }

        legend(groups, t) {
            element("frames-legend").tBodies[0].replaceChildren(
                ...groups.slice(0, LEGEND_MOST).map(({is, key, pages}) => {
                    const row = LIVE.tableRow(["", is === "taken" ? key : t("frames." + is),
                                               PT.sizeText(pages.length)], "");
                    const swatch = document.createElement("span");
                    swatch.className = "swatch";
                    swatch.style.background = this.colourOf(is, key);
                    row.cells[0].append(swatch);
                    return row;
                }));
        }

        // What the worker answered.
        showFrame(frame) {
            const {t} = this;
            element("frame").textContent = !frame ? "" : frame.place ?
                t("frame.by", "0x" + frame.pa.toString(16), t("frames." + frame.is), frame.place,
                  frame.hart, frame.when.toLocaleString("en-US")) :
                t("frame.is", "0x" + frame.pa.toString(16), t("frames." + frame.is));
        }
    };
})();
