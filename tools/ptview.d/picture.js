// The tree of one dump as an SVG: tables from the root on the left, regions on the right.
//
// Every table is a box with a row for each of its entries; entries that lead to the same kind
// of page are one row. A row leads to a table in the next column, or to a region in the last.
"use strict";

(function () {
    const TABLE = 150, BETWEEN = 44, ROW = 22, HEAD = 38, GAP = 14, MARGIN = 20, TOP = 66;
    // What stands in a region's line: permissions, range, size, role, frame. The range is as
    // wide as the longest one; after it the others.
    const RANGE = 60, CHARACTER = 7.3, SIZE = 75, ROLE = 87, FRAMES = 232, LINE = 380;
    const ROWS_MAX = 60;  // of one table: a picture with more of them shows nothing

    // ---- rows ----
    // The permissions of all pages below an entry, when every one of its pages is mapped and
    // they are all alike; else null.
    function uniform(entry, dump) {
        if (PT.isLeaf(entry))
            return `${entry.flags & PT.PERMISSIONS} ${PT.role(entry, dump)}`;
        if (entry.kids.length !== PT.ENTRIES)
            return null;
        const first = uniform(entry.kids[0], dump);
        return first && entry.kids.every(kid => uniform(kid, dump) === first) ? first : null;
    }

    const leavesBelow = entry => PT.isLeaf(entry) ? [entry] : entry.kids.flatMap(leavesBelow);

    const isFresh = (entry, {fresh}) => fresh.has(entry) || entry.kids?.some(kid => fresh.has(kid));

    function rowsOf(list, picture) {
        const rows = [];
        for (const entry of list) {
            const fresh = isFresh(entry, picture), last = rows.at(-1);
            const same = uniform(entry, picture.dump), alike = same && fresh ? `${same}!` : same;
            if (alike && last && last.alike === alike && last.last + 1 === entry.index) {
                last.last = entry.index;
                last.leaves.push(...leavesBelow(entry));
            } else if (alike) {
                rows.push({alike, first: entry.index, last: entry.index, entry, fresh,
                           leaves: leavesBelow(entry)});
            } else {
                rows.push({child: entry, first: entry.index, last: entry.index, entry, fresh:
                           picture.fresh.has(entry)});
            }
        }
        return rows.length <= ROWS_MAX ? rows :
            [...rows.slice(0, ROWS_MAX - 1), {more: rows.length - ROWS_MAX + 1}];
    }

    // ---- placing ----
    const columnX = column => MARGIN + column * (TABLE + BETWEEN);
    // Of single pages there is one table, which is none of the page table's.
    const columns = dump => dump.flat ? 1 : dump.levels;

    // Places a table with its top at `top`, and all below it; returns where the next may begin.
    function place(picture, list, ppn, level, top) {
        const rows = rowsOf(list, picture), column = columns(picture.dump) - 1 - level;
        const bottom = top + HEAD + rows.length * ROW;
        let free = top;
        picture.tables.push({x: columnX(column), top, bottom, rows, ppn, level});
        rows.forEach((row, i) => {
            const y = top + HEAD + i * ROW;
            const from = [columnX(column) + TABLE, y + ROW / 2];
            if (row.child && PT.isTable(row.child) && row.child.level > 0) {
                picture.edges.push([...from, columnX(column + 1), free + HEAD / 2]);
                free = place(picture, row.child.kids, row.child.ppn, level - 1, free) + GAP;
            } else if (row.leaves) {
                const at = Math.max(free, y);
                picture.edges.push([...from, columnX(columns(picture.dump)), at + ROW / 2]);
                picture.regions.push({y: at, row});
                free = at + ROW;
            }
        });
        return Math.max(free, bottom);
    }

    // ---- drawing ----
    const range = row => row.first === row.last ? `${row.first}` : `${row.first}\u2013${row.last}`;

    function drawTable(table, picture, t) {
        const {x, top} = table, {dump} = picture;
        const name = dump.flat ? t("table.flat") :
            table.level === dump.levels - 1 ? t("table.root") : t("table.level", table.level);
        let out = PT.rect("box", x, top, TABLE, table.bottom - top, ' rx="4"') +
            PT.text("bold", x + 8, top + 16, name) +
            PT.text("dim mono", x + 8, top + 31,
                    table.ppn !== null ? PT.paShort(table.ppn) : dump.flat ? "" : "?");
        table.rows.forEach((row, i) => {
            const y = top + HEAD + i * ROW;
            out += `<path class="rule" d="M${x} ${y}H${x + TABLE}"/>`;
            if (row.more)
                out += PT.text("dim", x + 8, y + 15, t("table.more", row.more));
            else
                out += drawRow(row, x, y, picture);
        });
        return out;
    }

    // Where each entry has a name, somebody wants to know which one is pointed at.
    function drawRow(row, x, y, {nameOf, marked}) {
        const out = (row.fresh ? PT.rect("came", x + 1, y + 1, TABLE - 2, ROW - 2,
                                         ' fill-opacity=".3"') : "") +
            PT.text("mono", x + 8, y + 15, range(row)) + drawTarget(row, x, y) +
            (row.child && marked.has(row.child) ?
                PT.text("alarm bold end", x + TABLE - 24, y + 15, "\u26a0") : "");
        return nameOf ? `<g data-entry="${nameOf(row.entry)}">` +
            PT.rect("box", x, y, TABLE, ROW, ' opacity="0"') + out + "</g>" : out;
    }

    function drawTarget(row, x, y) {
        if (row.leaves)
            return PT.fill(row.leaves[0].flags, x + TABLE - 34, y + 5, 26, 12);
        return PT.text("dim end", x + TABLE - 8, y + 15, "\u25b8");
    }

    // The frames of a region, when they lie one behind the other.
    function framesText(leaves, t) {
        const first = leaves[0];
        const ascends = leaves.every(leaf => leaf.ppn - first.ppn === leaf.vpn - first.vpn);
        return ascends ? `pa ${PT.paShort(first.ppn)}` : t("region.scattered", leaves.length);
    }

    const pagesIn = leaves => leaves.reduce((sum, leaf) => sum + PT.pagesOf(leaf), 0);
    const rangeOf = (leaves, dump) =>
        PT.rangeText(leaves[0].vpn, pagesIn(leaves), dump.levels);

    // Where the longest range ends, from where a region's line begins.
    const rangesEnd = picture => RANGE + CHARACTER * Math.max(0, ...picture.regions.map(
        region => rangeOf(region.row.leaves, picture.dump).length));

    function drawRegion(region, picture, t) {
        const {dump, marked} = picture, leaves = region.row.leaves, first = leaves[0];
        const x = columnX(columns(dump)), y = region.y + 15;
        const after = x + rangesEnd(picture), alarm = leaves.some(leaf => marked.has(leaf));
        return PT.fill(first.flags, x, region.y + 2, 50, ROW - 4, ' rx="3"') +
            PT.text("mono bold mid", x + 25, y, PT.permissionText(first.flags)) +
            PT.text("mono", x + RANGE, y, rangeOf(leaves, dump)) +
            PT.text("end", after + SIZE, y, PT.sizeText(pagesIn(leaves))) +
            PT.text("", after + ROLE, y, t("role." + PT.role(first, dump))) +
            PT.text("dim mono", after + FRAMES, y, framesText(leaves, t)) +
            (alarm ? PT.text("alarm bold", x - 16, y, "\u26a0") : "");
    }

    function drawEdge([x1, y1, x2, y2]) {
        const bend = Math.min(30, (x2 - x1) / 2);
        return `<path class="edge" d="M${x1} ${y1}C${x1 + bend} ${y1} ${x1 + bend * .6} ${y2} ` +
            `${x1 + BETWEEN - 6} ${y2}H${x2}"/>`;
    }

    // The picture as text. findings: what PT.check said, whose entries are marked. fresh: entries
    // that were just written. nameOf: what a row's group is to have as data-entry.
    PT.pictureSvg = function (dump, findings, t, {fresh = new Set(), nameOf} = {}) {
        const picture = {dump, tables: [], edges: [], regions: [], fresh, nameOf, marked: new Set(
            findings.filter(f => f.severity !== "note").flatMap(f => f.entries))};
        const end = place(picture, dump.kids, dump.root, columns(dump) - 1, TOP);
        const width = Math.ceil(columnX(columns(dump)) + rangesEnd(picture) + LINE + MARGIN);
        const height = end + 56;
        const title = PT.titleOf(dump, t);
        return PT.svg(width, height, title,
            PT.text("title", MARGIN, 28, title) +
            PT.text("dim", MARGIN, 48, PT.summaryOf(dump, t)) +
            picture.edges.map(drawEdge).join("") +
            picture.tables.map(table => drawTable(table, picture, t)).join("") +
            picture.regions.map(region => drawRegion(region, picture, t)).join("") +
            PT.drawLegend(MARGIN, height - 20, t));
    };
})();
