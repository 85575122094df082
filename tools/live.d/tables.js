// The page tables that a hart's satp names, as rows for the page: privileged specification,
// 4.1.11 and 4.3.1. They are read from memory, so they are what a walk would find that knows
// nothing of earlier entries.
"use strict";

const LEVELS = {8: 3, 9: 4, 10: 5};  // satp.MODE: Sv39, Sv48, Sv57
const ROWS_MOST = 2000, ENTRIES = 512;
const FLAGS = "VRWXUGAD";

// Of several leaves that stand side by side, and go on in memory with the same flags, one row.
function continues(row, leaf) {
    return row && row.kind === "leaf" && row.level === leaf.level && row.flags === leaf.flags &&
        row.va + row.bytes === leaf.va && row.pa + row.bytes === leaf.pa;
}

function flagsOf(pte) {
    return [...FLAGS].map((flag, bit) => pte >> BigInt(bit) & 1n ? flag : "-").join("");
}

// Addresses have the sign of their highest bit in all bits above it.
function extended(va, levels) {
    const bits = 12 + 9 * levels;
    return BigInt.asUintN(64, BigInt.asIntN(bits, va));
}

class TableReader {
    constructor(read, levels) {
        Object.assign(this, {read, levels, rows: [], tables: 0, left: 0});
    }

    table(pa, level, va, depth) {
        const bytes = this.read(pa, 4096);
        this.tables++;
        if (!bytes) {
            this.rows.push({kind: "nowhere", depth, level, va: extended(va, this.levels), pa});
            return;
        }
        const view = new DataView(bytes.buffer);
        for (let i = 0; i < ENTRIES; i++) {
            const pte = view.getBigUint64(8 * i, true);
            if (pte & 1n)
                this.entry(pte, i, level, va + (BigInt(i) << BigInt(12 + 9 * level)), depth);
        }
    }

    entry(pte, index, level, va, depth) {
        const pa = (pte >> 10n & 0xfffffffffffn) << 12n, flags = flagsOf(pte);
        const bytes = 4096n << BigInt(9 * level), last = this.rows[this.rows.length - 1];
        const row = {kind: pte & 0xen ? "leaf" : "table", depth, level, index, pa, flags, bytes,
                     va: extended(va, this.levels), count: 1};
        if (row.kind === "leaf" && continues(last, row)) {
            last.bytes += bytes;
            last.count++;
            return;
        }
        if (this.rows.length >= ROWS_MOST) {
            this.left++;
            return;
        }
        this.rows.push(row);
        if (row.kind === "table" && level > 0)
            this.table(pa, level - 1, va, depth + 1);
        else if (row.kind === "table")
            row.kind = "odd";  // a pointer where no table may follow
    }
}

// {levels: 0} when addresses are not translated. left: entries there was no room for.
function pageTables(read, satp) {
    const levels = LEVELS[Number(satp >> 60n)];
    if (!levels)
        return {levels: 0, rows: [], tables: 0, left: 0};
    const reader = new TableReader(read, levels), root = (satp & 0xfffffffffffn) << 12n;
    reader.table(root, levels - 1, 0n, 0);
    const {rows, tables, left} = reader;
    return {levels, root, asid: Number(satp >> 44n & 0xffffn), rows, tables, left};
}
