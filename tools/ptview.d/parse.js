// A console log into dumps: the page tables that a vmprint has printed in it.
//
// An entry's line is its depth in `..` or `||`, its index (or the first address of what it
// spans), and `pte` and `pa` in hexadecimal:
//
//     .. .. ..6: pte 0x0000000021f850d7 pa 0x0000000087e14000
//
// `vmprint -v` of Trellis adds the flags as letters and the range, and folds neighbours whose
// frames ascend: `6-130:`. The course's print_pgtbl prints single pages without their tables:
//
//     va 0x4000 pte 0x21FC70D7 pa 0x87F1C000 perm 0xD7
//
// These are a dump, too; its `flat` is true, its leaves have no parents and are at level 0, and
// `invalid` has the pages that are printed as not mapped. Everything else in the log is passed
// over. What looks like an entry and cannot be read whole is said: dump.problems has
// {line, key, args}.
"use strict";

(function () {
    const LEVELS_MAX = 5;  // Sv57
    const HEX = "0x[0-9a-f]+";
    const DOTS = "((?:(?:\\.\\.|\\|\\|)[ \\t]*)+)";
    // A printf that writes the 0x itself makes two of them where the caller wrote one as well.
    const IS = "(?:[ \\t]*[=:][ \\t]*|[ \\t]+)(?:0x)*([0-9a-f]+)\\b";
    const PTE_PA = `pte${IS}[ \\t,]+pa${IS}`;
    // Letters count where our own kernel prints them, with the range; others are their writer's.
    const ENTRY = new RegExp(`${DOTS}(${HEX}|\\d+)(?:-(\\d+))?[ \\t]*:[ \\t]*${PTE_PA}` +
        `(?:[ \\t]+(?:([VRWXUGAD-]{8})[ \\t]+)?va[ \\t]+(${HEX})(?:-(${HEX}))?)?`, "i");
    const PAGE = new RegExp(`^[ \\t]*va${IS}[ \\t,]+${PTE_PA}(?:[ \\t,]+perm${IS})?`, "i");
    const ROOT = /page table[ \t]+(?:at[ \t]+)?(?:(?:0x)+([0-9a-f]+)|([0-9a-f]{8,16})\b)/i;
    const CUT_ROOT = /^[ \t]*page table[ \t]*(?:0x?)?$/i;
    const TITLE = new RegExp("\\b(user and kernel|user|kernel) view of " +
        "(?:process (\\d+)(?: \\((.*)\\))?|all processes)(?:, (\\w+))?", "i");
    const GONE = new RegExp(`^[ \\t]*${DOTS}\\(gone meanwhile\\)`, "i");
    // vmprint has printed a title, and then there was nothing to print below it.
    const NO_DUMP = /^vmprint: /;
    const BOOT = /^Trellis (\w+): .*?(\d+) ([KMG]iB) of RAM/;
    // What begins and ends a list of single pages, and how xv6 ends that frees too little.
    const LIST = /\bprint_pgtbl\b/;
    const FREEWALK = /panic: freewalk: leaf/;
    // A line that has at least its index and the word pte, or that ends before that: a list of
    // files, which has a `..` too, is neither.
    const BROKEN = new RegExp(`^[ \\t]*(?:${DOTS}|va[ \\t=:]+)([^ \\t:]*)[ \\t,:]+pte(.*)$`, "i");
    const CUT_PAGE = /^[ \t]*va(?:[ \t=:]+(?:0x)*[0-9a-f]*(?:[ \t,]+p?t?)?)?$/i;
    const INDEX = /^(?:\d+(?:-\d+)?|(?:0x)+[0-9a-f]+|[0-9a-f]+)$/i;
    const REST = /^[ \t=:]*([^ \t,]*)[ \t,]*(?:pa?(?:[ \t=:]+([^ \t,]*).*)?$)?(\S*)/i;
    const CUT = new RegExp(`^[ \\t]*${DOTS}(?:0x[0-9a-f]*|\\d+(?:-\\d*)?)` +
        "(?:[ \\t]*:[ \\t]*(?:p|pt)?)?$", "i");
    // Nothing but dots is cut off where the log ends, and elsewhere something else.
    const ONLY_DOTS = /^[ \t]*([.|][.| \t]*)$/;
    // Colours and the like, which a terminal's log may have.
    const ESCAPE = /\x1b(?:\[[0-?]*[ -\/]*[@-~]|[@-Z\\-_])|[\x00-\x08\x0b-\x1f]/g;

    function newDump(state, root, line) {
        const dump = {
            number: state.dumps.length + 1, line, root, kids: [], leaves: [], problems: [],
            levels: 3, view: null, pid: null, name: null, design: state.design, ram: state.ram,
            flat: false, invalid: [], freewalk: false,
        };
        Object.assign(dump, state.title);
        state.title = state.pages = null;
        state.path = [];
        state.dumps.push(dump);
        return dump;
    }

    function current(state, line) {
        if (state.dumps.length)
            return state.dumps[state.dumps.length - 1];
        const dump = newDump(state, null, line);
        problem(dump, line, "lostRoot");
        return dump;
    }

    function problem(dump, line, key, ...args) {
        dump.problems.push({line, key, args});
    }

    const depthOf = dots => Math.ceil(dots.replace(/[ \t]/g, "").length / 2);

    // Index and run length of an entry's line, or null when they make no sense.
    function readIndex(m) {
        if (/^0x/i.test(m[2]))  // an address; which index it is depends on the depth of the tree
            return {address: BigInt(m[2]), count: 1};
        const first = Number(m[2]), last = m[3] === undefined ? first : Number(m[3]);
        return last < PT.ENTRIES && first <= last ? {first, count: last - first + 1} : null;
    }

    function readEntry(state, m, line) {
        const dump = current(state, line);
        const depth = depthOf(m[1]);
        const at = readIndex(m);
        const parent = depth > 1 ? state.path[depth - 2] : null;
        const pte = BigInt("0x" + m[4]);
        const wrong = !at || m[4].length > 16 || at.count > 1 && !(pte & 14n) ? "badEntry" :
            depth > state.path.length + 1 || parent && PT.isLeaf(parent) ? "lostParent" :
            depth > LEVELS_MAX ? "tooDeep" : !(pte & 1n) ? "notValid" : null;
        state.path.length = Math.min(state.path.length, depth - 1);
        if (wrong)
            return problem(dump, line, wrong);
        const entry = {depth, line, parent, kids: [], ...PT.split(pte), ...at};
        checkFrame(dump, pte, m[5], line);
        entry.letters = m[8] && m[6] && m[6].toUpperCase();
        entry.claimed = m[7];
        const list = parent ? parent.kids : dump.kids;
        if (list.length && at.first !== undefined && list.at(-1).first >= at.first)
            problem(dump, line, "outOfOrder");
        list.push(entry);
        state.path.push(entry);
    }

    // The pa is in the pte already; where they differ, the line was cut or its printer is wrong.
    // Of the bits above the page number xv6 makes a part of the pa.
    function checkFrame(dump, pte, printed, line) {
        const {ppn} = PT.split(pte), pa = BigInt("0x" + printed);
        if (pa === BigInt(ppn) << 12n || pa === pte >> 10n << 12n)
            return;
        const cut = [PT.paText(ppn), PT.paShort(ppn)].some(text =>
            text.slice(2).startsWith(printed.toLowerCase()));
        problem(dump, line, cut ? "cutLine" : "wrongFrame");
    }

    function listOfPages(state, line) {
        if (state.pages)
            return state.dumps.at(-1);
        const dump = newDump(state, null, line);
        dump.flat = true;
        dump.pages = state.pages = [];
        return dump;
    }

    // An address that does not ascend begins another list.
    function readPage(state, m, line) {
        const [address, pte, perm] = [m[1], m[2], m[4] || "0"].map(text => BigInt("0x" + text));
        if (address <= state.pages?.at(-1)?.address)
            state.pages = null;
        const dump = listOfPages(state, line);
        state.pages.push({address, pte, line});
        if (m[1].length > 16 || m[2].length > 16 || address & 0xfffn)
            return problem(dump, line, "badEntry");
        checkFrame(dump, pte, m[3], line);
        if (m[4] && perm !== (pte & 0xffn) && perm !== (pte & 0x3ffn))
            problem(dump, line, "wrongLetters");
    }

    // An address that is filled up with zeros has all 16 digits.
    function readRoot(state, digits, line) {
        const root = BigInt("0x" + digits), cut = digits[0] === "0" && digits.length < 16;
        const dump = newDump(state, Number(root >> 12n), line);
        if (root & 0xfffn || !root || cut)
            problem(dump, line, "badRoot");
    }

    function readTitle(state, m) {
        const view = {user: "user", kernel: "kernel"}[m[1].toLowerCase()] || "both";
        state.title = {view, pid: m[2] ? Number(m[2]) : null, name: m[3] || null,
                       design: m[4] || state.design};
    }

    const cutEntry = (state, text, last) => BROKEN.exec(text) ||
        state.inEntries && (CUT.exec(text) || last && ONLY_DOTS.exec(text) ||
                            state.pages && CUT_PAGE.exec(text));

    // The word that makes a line unreadable, such as a number with a wrong digit; null where the
    // line only ends too early.
    function badWord([, , index, rest]) {
        if (rest === undefined)
            return null;
        if (!INDEX.test(index))
            return index;
        const [, pte, pa, other] = REST.exec(rest);
        return [pte, pa].find(word => word && !/^(?:0x)*[0-9a-f]*$/i.test(word)) || other || null;
    }

    function readBroken(state, m, line) {
        const ofPage = m[1] === undefined && m[2] !== undefined;
        const dump = ofPage ? listOfPages(state, line) : current(state, line), word = badWord(m);
        problem(dump, line, ...word === null ? ["cutLine"] : ["badWord", word]);
        // What follows below it has lost its parent, and is not the child of another.
        if (m[1])
            state.path.length = Math.min(state.path.length, depthOf(m[1]) - 1);
    }

    function readLine(state, text, line, last) {
        let m = TITLE.exec(text);
        if (m)
            return readTitle(state, m);
        if (NO_DUMP.test(text))
            state.title = null;
        if ((m = BOOT.exec(text))) {
            state.title = null;
            state.design = m[1];
            state.ram = PT.readSize(m[2] + m[3]);
        } else if ((m = ENTRY.exec(text))) {
            readEntry(state, m, line);
        } else if ((m = PAGE.exec(text))) {
            readPage(state, m, line);
        } else if ((m = ROOT.exec(text))) {
            readRoot(state, m[1] || m[2], line);
        } else if (state.inEntries && GONE.test(text)) {
            problem(current(state, line), line, "gone");
        } else if (CUT_ROOT.test(text)) {
            problem(newDump(state, null, line), line, "lostRoot");
        } else if ((m = cutEntry(state, text, last))) {
            readBroken(state, m, line);
        } else {
            readOther(state, text);
            state.inEntries = false;
            return;
        }
        state.inEntries = true;
    }

    function readOther(state, text) {
        if (LIST.test(text))
            state.pages = null;
        if (FREEWALK.test(text) && state.dumps.length)
            state.dumps.at(-1).freewalk = true;
    }

    // ---- placing: what needs the whole dump, since the depth tells how many levels there are
    function place(dump) {
        dump.levels = Math.max(3, deepest(dump.kids));
        unwrap(dump);
        dump.kids = dump.flat ? placePages(dump) : placeAll(dump, dump.kids, null, 0);
        if (!dump.flat && !dump.kids.length && !dump.problems.length)
            problem(dump, dump.line, "noEntries");
        for (const list of [dump.kids, ...tablesOf(dump.kids).map(e => e.kids)])
            list.sort((a, b) => a.index - b.index);
        dump.leaves = leavesOf(dump.kids);
        dump.hasUser = dump.leaves.some(leaf => leaf.flags & PT.U);
    }

    // Addresses that were computed in an int, as in the lab's own example: where the root's entry
    // 255 begins, 0x3fc0000000, is printed as 0xffffffffc0000000. What tells it from a high half
    // is the trampoline, which would be the last page of all. The lower ones lack nothing but
    // zeros above their 32 bits.
    const INT_SIGN = 0xffffffff00000000n, INT_TRAMPOLINE = 0xfffffffffffff000n;
    const LOST_AT_TOP = 0x3f00000000n;

    function unwrap(dump) {
        const top = dump.kids.at(-1);
        if (dump.levels !== 3 || !top || !isTrampoline(lastBelow(top)) || !dump.kids.every(isInt))
            return;
        for (const raw of dump.kids.filter(isNegative)) {
            const lost = raw === top ? LOST_AT_TOP : 0n;
            for (const e of [raw, ...allBelow(raw)].filter(isNegative))
                e.address = e.address - INT_SIGN + lost;
            raw.wrapped = true;
        }
    }
    const isNegative = raw => raw.address !== undefined && raw.address >= INT_SIGN;
    const isInt = raw => raw.address !== undefined &&
        BigInt.asUintN(64, BigInt.asIntN(32, raw.address)) === raw.address;
    const lastBelow = raw => raw.kids.length ? lastBelow(raw.kids.at(-1)) : raw;
    const allBelow = raw => raw.kids.flatMap(e => [e, ...allBelow(e)]);
    const isTrampoline = raw => raw.depth === 3 && raw.address === INT_TRAMPOLINE &&
        (raw.flags & (PT.X | PT.U)) === PT.X;

    // A list of single pages as leaves. Where its printf keeps 32 bits of a number, the last GiB
    // stands at 0xc0000000; no kernel of the course has anything else there. Pages of one large
    // leaf have the same entry.
    const LAST_GIB = 0xc0000000n;
    function placePages(dump) {
        const {pages} = dump, placed = [];
        delete dump.pages;
        const wraps = pages.every(({address}) => address < 2n ** 32n || address >= INT_SIGN);
        for (const {address, pte, line} of pages) {
            const low = BigInt.asUintN(32, address), wrapped = wraps && low >= LAST_GIB;
            const vpn = Number(BigInt.asUintN(39, wrapped ? low + LOST_AT_TOP : address) >> 12n);
            const entry = {level: 0, index: vpn, vpn, parent: null, kids: null, line, wrapped,
                           ...PT.split(pte)};
            const last = placed.at(-1);
            if (!(entry.flags & PT.V))
                dump.invalid.push(vpn);
            else if (last && PT.pteBig(last) === pte && isPartOf(last, vpn))
                Object.assign(last, {level: 1, vpn: vpn - vpn % PT.ENTRIES});
            else
                placed.push(PT.isTable(entry) ? {...entry, kids: []} : entry);
        }
        return placed;
    }
    const isPartOf = (leaf, vpn) => PT.isLeaf(leaf) && leaf.ppn % PT.ENTRIES === 0 &&
        Math.floor(leaf.vpn / PT.ENTRIES) === Math.floor(vpn / PT.ENTRIES);

    function deepest(list) {
        return list.reduce((most, e) => Math.max(most, e.depth, deepest(e.kids)), 0);
    }

    function placeAll(dump, list, parent, base) {
        const placed = [];
        for (const raw of list) {
            const level = dump.levels - raw.depth;
            const first = raw.first !== undefined ? raw.first :
                Number(raw.address >> BigInt(12 + 9 * level) & 511n);
            for (let i = 0; i < raw.count; i++)
                placed.push(placeOne(dump, raw, parent, base, first + i, i));
            checkClaims(dump, raw, placed.at(-raw.count));
        }
        return placed;
    }

    function placeOne(dump, raw, parent, base, index, nth) {
        const level = dump.levels - raw.depth, span = PT.spanOf(level);
        const entry = {level, index, parent, line: raw.line, high: raw.high, flags: raw.flags,
                       ppn: raw.ppn + nth * span, vpn: base + index * span, kids: null,
                       wrapped: raw.wrapped === true};
        if (PT.isTable(entry))
            entry.kids = placeAll(dump, raw.kids, entry, entry.vpn);
        return entry;
    }

    // Letters and addresses that were printed beside the entry say the same as it does.
    function checkClaims(dump, raw, entry) {
        if (raw.letters && raw.letters !== PT.flagText(entry.flags & 0xff))
            problem(dump, raw.line, "wrongLetters");
        const va = raw.address !== undefined ? raw.address :
            raw.claimed ? BigInt(raw.claimed) : null;
        const bits = 9 * dump.levels + 12;
        if (va !== null && BigInt.asUintN(bits, va) !== BigInt(entry.vpn) << 12n)
            problem(dump, raw.line, "wrongAddress");
    }

    function tablesOf(list) {
        return list.filter(e => e.kids).flatMap(e => [e, ...tablesOf(e.kids)]);
    }
    function leavesOf(list) {
        return list.flatMap(e => PT.isLeaf(e) ? [e] : leavesOf(e.kids));
    }
    PT.tables = dump => tablesOf(dump.kids);

    // Whether entries may be missing; what is only printed in two ways that disagree is all there.
    const ALL_THERE = ["badRoot", "notValid", "wrongFrame", "wrongLetters"];
    PT.isPartial = dump => dump.problems.some(({key}) => !ALL_THERE.includes(key));

    // Every dump in the log, in its order.
    PT.parse = function (log) {
        const state = {dumps: [], path: [], title: null, design: null, ram: null, pages: null,
                       inEntries: false};
        const lines = log.trimEnd().split(/\r*\n/);
        lines.forEach((text, i) =>
            readLine(state, text.replace(ESCAPE, "").trimEnd(), i + 1, i === lines.length - 1));
        state.dumps.forEach(place);
        for (const dump of state.dumps)
            dump.problems.sort((a, b) => a.line - b.line);
        return state.dumps;
    };
})();
