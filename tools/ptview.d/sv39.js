// Addresses and page-table entries as numbers (privileged specification 1.12: 4.4 Sv39).
//
// A Number holds 53 bits, so addresses are kept as page numbers: a vpn has at most 45 bits
// (Sv57), a ppn 44. An entry is kept in three parts: high (bits 63..54), ppn (53..10) and
// flags (9..0). The level of an entry is 0 where it maps 4 KiB pages.
"use strict";
window.PT = {};

PT.V = 1, PT.R = 2, PT.W = 4, PT.X = 8, PT.U = 16, PT.G = 32, PT.A = 64, PT.D = 128;
PT.RWX = PT.R | PT.W | PT.X;
PT.PERMISSIONS = PT.RWX | PT.U;
PT.RAM_PPN = 0x80000;  // where RAM begins on QEMU's virt machine
PT.ENTRIES = 512;

PT.isLeaf = entry => (entry.flags & PT.RWX) !== 0;
PT.isTable = entry => !PT.isLeaf(entry);
// V alone at level 0, where no table can follow: how a kernel may keep the frame of a page that
// may not be touched at all (PROT_NONE). Every access faults.
PT.isKept = entry => entry.level === 0 && (entry.flags & 0xff) === PT.V;

// Pages that one entry at this level spans: 1, 512, 262144.
PT.spanOf = level => PT.ENTRIES ** level;
PT.pagesOf = entry => PT.spanOf(entry.level);

// Where the lab's layout, and ours, put things, for a table of so many levels. MAXVA is one
// bit less than the hardware has, so that no address needs its sign extended.
PT.layout = function (levels) {
    const end = 2 ** (9 * levels - 1);
    return {
        half: end,                      // the first page of the high half
        trampoline: end - 1,
        trapframe: end - 2,
        userMax: end - PT.spanOf(2),    // the last GiB holds stacks, trapframe, trampoline
    };
};

// ---- text ----
const hex = (number, digits) => "0x" + number.toString(16).padStart(digits, "0");

// The address of a page, sign-extended from the highest bit that the table translates.
PT.vaBig = function (vpn, levels) {
    const bits = BigInt(9 * levels + 12);
    return BigInt.asUintN(64, BigInt.asIntN(Number(bits), BigInt(vpn) << 12n));
};
PT.vaText = (vpn, levels, offset = 0) => hex(PT.vaBig(vpn, levels) + BigInt(offset), 16);
PT.vaShort = (vpn, levels) => hex(PT.vaBig(vpn, levels), 1);
// The last byte of a range, which a reader can compare with the next one's first.
PT.rangeText = (vpn, pages, levels) =>
    `${PT.vaShort(vpn, levels)}\u2013${hex(PT.vaBig(vpn + pages - 1, levels) + 0xfffn, 1)}`;
PT.paText = (ppn, offset = 0) => hex((BigInt(ppn) << 12n) + BigInt(offset), 16);
PT.paShort = ppn => hex(BigInt(ppn) << 12n, 1);
PT.pteBig = entry => BigInt(entry.high) << 54n | BigInt(entry.ppn) << 10n | BigInt(entry.flags);
PT.pteText = entry => hex(PT.pteBig(entry), 16);

const LETTERS = "VRWXUGAD";
PT.flagText = flags => [...LETTERS].map((c, i) => flags >> i & 1 ? c : "-").join("");
// What a reader asks first of a region: what may be done there, and by whom.
PT.permissionText = flags => [..."RWX"].map((c, i) => flags >> i + 1 & 1 ? c : "-").join("") +
    (flags & PT.U ? "U" : "-");

PT.sizeText = function (pages) {
    const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let size = pages * 4, unit = 0;
    while (size >= 1024 && unit < units.length - 1) {
        size /= 1024;
        unit++;
    }
    const rounded = size.toFixed(1).replace(/\.0$/, "");
    return `${Number(rounded) === size ? "" : "\u2248"}${rounded} ${units[unit]}`;
};

// ---- from text ----
// The three parts of an entry, from its 64 bits.
PT.split = big => ({
    high: Number(big >> 54n & 0x3ffn),
    ppn: Number(big >> 10n & 0xfffffffffffn),
    flags: Number(big & 0x3ffn),
});

// "0x3fffffe010" as a page and an offset in it, or null: the upper bits have to be the sign.
PT.readAddress = function (text, levels) {
    const digits = text.trim().replace(/^0x/i, "").replace(/_/g, "");
    if (!/^[0-9a-f]{1,16}$/i.test(digits))
        return null;
    const big = BigInt("0x" + digits), bits = 9 * levels + 12;
    if (BigInt.asUintN(64, BigInt.asIntN(bits, big)) !== big)
        return null;
    return {vpn: Number(BigInt.asUintN(bits, big) >> 12n), offset: Number(big & 0xfffn)};
};

// "128M", "2 GiB" or "131072K" as a number of pages, or null.
PT.readSize = function (text) {
    const m = /^\s*(\d+)\s*([KMG])(?:i?B)?\s*$/i.exec(text);
    const pages = m && Number(m[1]) * {K: 1024, M: 1 << 20, G: 2 ** 30}[m[2].toUpperCase()] / 4096;
    return pages && Number.isInteger(pages) ? pages : null;
};

// ---- walking ----
PT.indexOf = (vpn, level) => Math.floor(vpn / PT.spanOf(level)) % PT.ENTRIES;

// The entries that the hardware would read for a page, from the root on; the last one is a
// leaf when the page is mapped. Of single pages no more than the last is known.
PT.walk = function (dump, vpn) {
    if (dump.flat)
        return dump.leaves.filter(e => e.vpn <= vpn && vpn < e.vpn + PT.pagesOf(e));
    const path = [];
    let kids = dump.kids;
    for (let level = dump.levels - 1; level >= 0 && kids; level--) {
        const entry = kids.find(e => e.index === PT.indexOf(vpn, level));
        if (!entry)
            break;
        path.push(entry);
        kids = PT.isTable(entry) ? entry.kids : null;
    }
    return path;
};
