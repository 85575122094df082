// What is wrong with a page table: the classic mistakes, each with one precise definition.
//
// A finding is {key, severity, entries, args}: entries are those concerned, in the order of
// their addresses. The keys' sentences and definitions stand in strings.js (check.KEY,
// define.KEY) and in docs/ptview.md. Severity: "error" is wrong on any hardware, "warning" is
// probably a mistake, "note" is worth knowing.
"use strict";

(function () {
    const identity = leaf => leaf.vpn === leaf.ppn;
    const inHighHalf = (leaf, dump) => leaf.vpn >= PT.layout(dump.levels).half;
    const user = leaf => (leaf.flags & PT.U) !== 0;
    const has = (leaf, bits) => (leaf.flags & bits) === bits;
    // The kernel's own window on physical memory and devices, not what a process sees.
    const window_ = (leaf, dump) => !user(leaf) && (identity(leaf) || inHighHalf(leaf, dump));

    // The part of the address space that a leaf plays, as far as its address and bits tell.
    PT.role = function (leaf, dump) {
        const at = PT.layout(dump.levels);
        if (leaf.vpn === at.trampoline)
            return "trampoline";
        if (leaf.vpn === at.trapframe)
            return "trapframe";
        if (inHighHalf(leaf, dump))
            return "kernel";
        if (user(leaf))
            return "user";
        if (identity(leaf))
            return leaf.ppn < PT.RAM_PPN ? "device" : "direct";
        if (leaf.vpn >= at.userMax && leaf.vpn < at.trapframe)
            return "stack";
        return dump.hasUser ? "noUser" : "mirrored";
    };

    // Neighbouring leaves with the same permissions and the same part to play. A dump never
    // changes, so they are computed once.
    const known = new WeakMap();
    PT.regions = function (dump) {
        if (!known.has(dump))
            known.set(dump, findRegions(dump));
        return known.get(dump);
    };

    function findRegions(dump) {
        const regions = [];
        for (const leaf of dump.leaves) {
            const last = regions.at(-1), role = PT.role(leaf, dump);
            const permissions = leaf.flags & PT.PERMISSIONS;
            if (last && last.vpn + last.pages === leaf.vpn && last.role === role &&
                last.permissions === permissions) {
                last.pages += PT.pagesOf(leaf);
                last.leaves.push(leaf);
            } else {
                regions.push({vpn: leaf.vpn, pages: PT.pagesOf(leaf), permissions, role,
                              leaves: [leaf]});
            }
        }
        return regions;
    }

    // ---- one leaf at a time ----
    const LEAF_CHECKS = {
        writeOnly: ["error", leaf => has(leaf, PT.W) && !has(leaf, PT.R)],
        misaligned: ["error", leaf => leaf.ppn % PT.pagesOf(leaf) !== 0],
        notRam: ["error", (leaf, dump, ram) => !inRam(leaf.ppn, PT.pagesOf(leaf), ram) &&
            !window_(leaf, dump)],
        trampolineUser: ["error", (leaf, dump) => user(leaf) &&
            leaf.vpn >= PT.layout(dump.levels).trapframe && !inHighHalf(leaf, dump)],
        noAccessed: ["note", leaf => !has(leaf, PT.A)],
        noDirty: ["note", leaf => has(leaf, PT.W) && !has(leaf, PT.D)],
    };
    const inRam = (ppn, pages, ram) => ppn >= PT.RAM_PPN &&
        (ram === null || ppn + pages <= PT.RAM_PPN + ram);

    // ---- tables ----
    // What the course's kernels have no use for, and so is a mistake there, Trellis does.
    const keptBy = (table, dump) => dump.design !== null && PT.isKept(table);
    const TABLE_CHECKS = {
        tableBits: ["error", table => (table.flags & (PT.U | PT.A | PT.D)) !== 0],
        tableAtBottom: ["error", (table, dump) => table.level === 0 && !keptBy(table, dump)],
        kept: ["note", keptBy],
        tableNotRam: ["error", (table, dump, ram) => table.level > 0 && !inRam(table.ppn, 1, ram)],
        // Of a dump that lost lines nobody knows what its tables had.
        emptyTable: ["note", (table, dump) => table.level > 0 && !table.kids.length &&
            !PT.isPartial(dump)],
    };

    // ---- the tree as a whole ----
    // Pairs of leaves that map a frame in common. The kernel's windows are left out: all of
    // memory is in them, so they would pair with everything.
    function sharedFrames(leaves) {
        const found = new Set();
        const sorted = [...leaves].sort((a, b) => a.ppn - b.ppn);
        let widest = null;
        for (const leaf of sorted) {
            if (widest && leaf.ppn < widest.ppn + PT.pagesOf(widest))
                found.add(widest).add(leaf);
            if (!widest || leaf.ppn + PT.pagesOf(leaf) > widest.ppn + PT.pagesOf(widest))
                widest = leaf;
        }
        return found;
    }

    function twoPages(dump) {
        return sharedFrames(dump.leaves.filter(leaf => !window_(leaf, dump)));
    }

    // Kernel code: what runs in supervisor mode at an address of the kernel's.
    const isKernelText = (leaf, dump) => has(leaf, PT.X) && !user(leaf) &&
        (leaf.vpn === PT.layout(dump.levels).trampoline || identity(leaf) ||
         inHighHalf(leaf, dump));

    function kernelTextWritable(dump) {
        const frames = [];  // of the text, [first, end), neighbours as one
        for (const leaf of dump.leaves.filter(l => isKernelText(l, dump))) {
            const end = leaf.ppn + PT.pagesOf(leaf);
            if (frames.at(-1)?.[1] === leaf.ppn)
                frames.at(-1)[1] = end;
            else
                frames.push([leaf.ppn, end]);
        }
        const overlaps = leaf => frames.some(([start, end]) =>
            leaf.ppn < end && start < leaf.ppn + PT.pagesOf(leaf));
        const trampoline = PT.layout(dump.levels).trampoline;
        return dump.leaves.filter(leaf => has(leaf, PT.W) &&
            (leaf.vpn === trampoline && !user(leaf) || overlaps(leaf)));
    }

    function userMapsTable(dump) {
        const tables = new Set(PT.tables(dump).filter(t => t.level > 0).map(t => t.ppn));
        if (dump.root !== null)
            tables.add(dump.root);
        const reaches = leaf => [...tables].some(ppn =>
            ppn >= leaf.ppn && ppn < leaf.ppn + PT.pagesOf(leaf));
        return dump.leaves.filter(leaf => user(leaf) && reaches(leaf));
    }

    // A program at 0 and a stack are two pages at least, with the guard between them. When all that
    // the user may touch lies in one piece, there is none. A program that begins higher up may
    // have its stack below, and below that nothing.
    function noGuard(dump) {
        const at = PT.layout(dump.levels);
        const low = dump.leaves.filter(leaf => user(leaf) && leaf.vpn < at.userMax);
        const first = low[0], last = low.at(-1);
        const pages = low.reduce((sum, leaf) => sum + PT.pagesOf(leaf), 0);
        const whole = first && first.vpn === 0 && last.vpn + PT.pagesOf(last) === pages;
        return whole && pages > 1 && !PT.isPartial(dump) &&
            (!dump.flat || dump.invalid.includes(pages)) ? low : [];
    }

    // Kernel stacks are one page (xv6) or two (Trellis) with unmapped ones below; three in a
    // row have no guard between them.
    const STACK_PAGES_MAX = 2;
    function noStackGuard(dump) {
        return PT.regions(dump).filter(r => r.role === "stack" && r.pages > STACK_PAGES_MAX)
            .flatMap(r => r.leaves);
    }

    // Of all that the user sees, or its mirror, as xv6 did it until 2021: a habit and no slip.
    function allWriteExecute(dump) {
        const low = dump.leaves.filter(leaf => inUserPart(leaf, dump) && !identity(leaf));
        return low.every(leaf => has(leaf, PT.W | PT.X)) ? low : [];
    }

    function writeExecute(dump) {
        const habit = new Set(allWriteExecute(dump));
        return dump.leaves.filter(leaf => has(leaf, PT.W | PT.X) && !habit.has(leaf));
    }

    const runsKernel = dump => dump.leaves.some(leaf => identity(leaf) && isKernelText(leaf, dump));

    // A table that user code runs on, or the kernel in xv6's manner, needs it. What maps both has
    // no need to, nor has a kernel in the high half.
    function noTrampoline(dump) {
        const vpn = PT.layout(dump.levels).trampoline;
        const needed = dump.levels === 3 && !dump.leaves.some(leaf => inHighHalf(leaf, dump)) &&
            dump.leaves.some(user) !== runsKernel(dump);
        const absent = dump.flat ? dump.invalid.includes(vpn) :
            !PT.isPartial(dump) && PT.walk(dump, vpn).every(PT.isTable);
        return needed && absent ? [{vpn, level: 0}] : [];
    }

    // A kernel that leaves SUM clear cannot use a user's page that its own table maps with U.
    function keptUser(dump, userView) {
        const copies = dump.design ? userView && relation(userView, dump) === COPIED :
            runsKernel(dump);
        return copies ? dump.leaves.filter(leaf => user(leaf) && inUserPart(leaf, dump)) : [];
    }

    // What freewalk met when it panicked: uvmunmap had been told of the trampoline, the trapframe
    // and the pages from 0 to the process's size.
    function freewalk(dump) {
        if (!dump.freewalk)
            return [];
        let size = 0;
        const left = dump.leaves.filter(leaf => {
            const below = leaf.vpn === size;
            size += below ? PT.pagesOf(leaf) : 0;
            return leaf.vpn < PT.layout(dump.levels).trapframe && !below;
        });
        // A process whose heap has holes may have been told right of its pages.
        const above = left.filter(leaf => !inUserPart(leaf, dump));
        return above.length ? above : left;
    }

    const WHOLE_CHECKS = {
        writeExecute: ["warning", writeExecute],
        allWriteExecute: ["note", allWriteExecute],
        noTrampoline: ["warning", noTrampoline],
        keptUser: ["warning", keptUser],
        freewalk: ["error", freewalk],
        twoPages: ["warning", twoPages],
        kernelText: ["error", kernelTextWritable],
        userMapsTable: ["error", userMapsTable],
        noGuard: ["warning", noGuard],
        noStackGuard: ["warning", noStackGuard],
        wrapped: ["note", dump => dump.kids.filter(entry => entry.wrapped)],
    };

    // ---- two views of one process ----
    const EXACT = PT.V | PT.PERMISSIONS;
    const byPlace = leaf => `${leaf.level} ${leaf.vpn}`;
    const inUserPart = (leaf, dump) => leaf.vpn < PT.layout(dump.levels).userMax;

    // What the kernel's view must have where the user's has this leaf: its bits, or null when
    // it must have none. A, D and the bits for software may differ: hardware sets the former.
    const ABSENT = () => null;
    const SHARED = leaf => leaf.flags & EXACT;
    const COPIED = leaf => user(leaf) ? leaf.flags & EXACT & ~(PT.U | PT.X) : null;

    // The frames of the tables above a process's pages.
    const tablesOfUser = dump => [dump.root, ...PT.tables(dump)
        .filter(table => table.level > 0 && inUserPart(table, dump)).map(table => table.ppn)];

    // Which of them it is can be seen, whatever the design's name is: a view of all processes has
    // no process's pages, one that goes through the user's tables has all, and one with tables of
    // its own has copies.
    function relation(userView, kernelView) {
        if (kernelView.pid === null)
            return ABSENT;
        const theirs = new Set(tablesOfUser(kernelView));
        return tablesOfUser(userView).some(ppn => theirs.has(ppn)) ? SHARED : COPIED;
    }

    // The leaves, of either view, about which the two disagree. What lies in the last GiB of
    // the low half and above is each view's own.
    function viewsDisagree(userView, kernelView) {
        const found = new Set(), expected = relation(userView, kernelView);
        const kernel = new Map();
        for (const leaf of kernelView.leaves)
            if (inUserPart(leaf, kernelView) && !identity(leaf))
                kernel.set(byPlace(leaf), leaf);
        for (const leaf of userView.leaves.filter(l => inUserPart(l, userView))) {
            const flags = expected(leaf), theirs = kernel.get(byPlace(leaf));
            if (flags === null)
                continue;
            if (!theirs || theirs.ppn !== leaf.ppn || (theirs.flags & EXACT) !== flags)
                found.add(theirs || leaf);
            kernel.delete(byPlace(leaf));
        }
        for (const leaf of kernel.values())
            found.add(leaf);
        return [...found].sort((a, b) => a.vpn - b.vpn);
    }

    // The user's view that was printed before this kernel's view, in the same log: of the same
    // process, or of any if the kernel's view is the one of all.
    PT.otherView = function (dumps, dump) {
        if (dump.view !== "kernel")
            return null;
        const before = dumps.slice(0, dumps.indexOf(dump)).reverse();
        return before.find(d => d.view === "user" && d.file === dump.file &&
            d.design === dump.design &&
            (dump.pid === null || d.pid === dump.pid && d.name === dump.name)) || null;
    };

    // ---- all together ----
    const ORDER = {error: 0, warning: 1, note: 2};

    // An entry of one byte eight times, or four times where 32 bits of it were printed: what xv6
    // fills a frame with when it is freed (1) or allocated (5). It is no entry at all.
    const isFilled = (entry, dump) =>
        (dump.flat ? /^0x(?:0{8})?(..)\1{3,7}$/ : /^0x(..)\1{7}$/).test(PT.pteText(entry));

    // All findings about a dump. ram: pages of RAM, or null when nobody knows.
    PT.check = function (dumps, printed, ram) {
        const findings = [], filled = entry => isFilled(entry, printed);
        const userView = PT.otherView(dumps, printed);
        const dump = {...printed, leaves: printed.leaves.filter(leaf => !filled(leaf))};
        const add = (key, severity, entries, ...args) => {
            if (entries.length)
                findings.push({key, severity, entries, args});
        };
        for (const [key, [severity, wrong]] of Object.entries(LEAF_CHECKS))
            add(key, severity, dump.leaves.filter(leaf => wrong(leaf, dump, ram)));
        const tables = PT.tables(dump).filter(table => !filled(table));
        for (const [key, [severity, wrong]] of Object.entries(TABLE_CHECKS))
            add(key, severity, tables.filter(table => wrong(table, dump, ram)));
        for (const [key, [severity, find]] of Object.entries(WHOLE_CHECKS))
            add(key, severity, [...find(dump, userView)].sort((a, b) => a.vpn - b.vpn));
        if (userView)
            add("views", "warning", viewsDisagree(userView, printed), userView.number);
        add("fill", "error", [...printed.leaves, ...PT.tables(printed)].filter(filled));
        add("reserved", "error", [...dump.leaves, ...tables].filter(e => reservedBits(e)));
        return findings.sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
    };
    PT.CHECKS = [...Object.keys(LEAF_CHECKS), ...Object.keys(TABLE_CHECKS),
                 ...Object.keys(WHOLE_CHECKS), "views", "fill", "reserved"];

    // Bits 60..54 are reserved; N and PBMT mean something in a leaf only.
    const reservedBits = entry => (entry.high & 0x7f) !== 0 ||
        PT.isTable(entry) && (entry.high & 0x380) !== 0;

    // Neighbouring entries as ranges [first, last], for a list that a person reads.
    PT.ranges = function (entries) {
        const ranges = [];
        for (const entry of entries) {
            const last = ranges.at(-1);
            if (last && last.at(-1).vpn + PT.pagesOf(last.at(-1)) === entry.vpn)
                last.push(entry);
            else
                ranges.push([entry]);
        }
        return ranges;
    };
})();
