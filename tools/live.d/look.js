// What the page is shown of a machine: registers, page tables as vmprint prints them, what harts
// keep, events in words.
"use strict";

const FRESH_MOST = 24, JUST = 1000;  // instructions
const LINES_MOST = 6000;
const LEVELS = {8: 3, 9: 4, 10: 5};  // satp.MODE: Sv39, Sv48, Sv57
const ENTRIES = 512, V = 1n, RWX = 14n;

const hexOf = value => "0x" + value.toString(16);
const frameOf = pte => (pte >> 10n & 0xfffffffffffn) << 12n;

// {root, levels, asid} of a value of satp; null: nothing is translated.
function rootOf(satp) {
    const levels = LEVELS[Number(satp >> 60n)];
    return levels ? {pa: (satp & 0xfffffffffffn) << 12n, levels,
                     asid: Number(satp >> 44n & 0xffffn)} : null;
}

// The tables below a root as text, from memory: what a walk would find that knows nothing of
// earlier entries. As vmprint -v does, neighbours alike whose frames ascend are one line.
class TableText {
    constructor(machine) {
        Object.assign(this, {machine, lines: [], tables: 0, left: 0});
    }

    of({pa, levels}) {
        this.lines.push(`page table ${hexOf(pa)}`);
        this.table(pa, levels - 1, "..");
        return {text: this.lines.join("\n"), tables: this.tables, left: this.left};
    }

    table(pa, level, dots) {
        const bytes = this.machine.read(pa, 4096);
        this.tables++;
        if (!bytes)
            return;
        const entries = new BigUint64Array(bytes.buffer);
        for (let i = 0; i < ENTRIES; ) {
            const pte = entries[i], first = i++;
            if (!(pte & V))
                continue;
            const step = 1n << BigInt(10 + 9 * level);
            while (pte & RWX && i < ENTRIES && entries[i] === pte + step * BigInt(i - first))
                i++;
            this.line(pte, first, i - 1, level, dots);
        }
    }

    line(pte, first, last, level, dots) {
        if (this.lines.length >= LINES_MOST) {
            this.left++;
            return;
        }
        const range = last > first ? `${first}-${last}` : `${first}`;
        this.lines.push(`${dots}${range}: pte ${hexOf(pte)} pa ${hexOf(frameOf(pte))}`);
        if (!(pte & RWX) && level > 0)
            this.table(frameOf(pte), level - 1, dots + " ..");
    }
}

class Look {
    constructor(machine, harts) {
        Object.assign(this, {machine, harts, places: new Map()});
    }

    place(address) {
        if (!this.places.has(address))
            this.places.set(address, this.machine.place(address));
        return this.places.get(address);
    }

    registers(hart) {
        const registers = {}, x = [];
        for (const name of Object.keys(REGISTERS))
            registers[name] = this.machine.register(hart, name);
        for (let i = 0; i < 32; i++)
            x.push(this.machine.register(hart, i));
        const places = ["pc", "sepc", "stvec", "mepc", "mtvec"].map(name =>
            [name, this.machine.place(registers[name], hart)]);
        places.push(["ra", this.machine.place(x[1], hart)]);
        return {hart, registers, x, places: Object.fromEntries(places)};
    }

    // The entries that were changed last.
    fresh() {
        const {machine} = this, found = [], now = machine.instructions;
        for (let number = machine.events - 1; number >= 0 && found.length < FRESH_MOST; number--) {
            const event = machine.event(number);
            if (!event)
                break;
            if (event.kind === "table")
                found.push({...this.told(event), just: now - event.when <= JUST});
        }
        return found;
    }

    told(event) {
        return {...event, place: this.place(event.pc)};
    }

    // Of all harts, what they keep.
    kept() {
        return Array.from({length: this.harts}, (_, hart) =>
            this.machine.kept(hart).map(entry => ({...entry, hart}))).flat();
    }

    entry(pa) {
        const bytes = this.machine.read(pa, 8), event = this.machine.written(pa);
        return {pa, value: bytes ? new BigUint64Array(bytes.buffer)[0] : null,
                written: event && this.told(event),
                kept: this.kept().filter(entry => entry.pa === pa)};
    }

    frames() {
        const {is, from} = this.machine.frames(), names = new Map();
        const whose = from.map(address => {
            if (!address)
                return "";
            if (!names.has(address))
                names.set(address, functionOf(this.place(address)));
            return names.get(address);
        });
        return {is: is.map(i => FRAMES[i]), whose};
    }

    frame(pa) {
        const frame = this.machine.frame(pa);
        return frame && {...frame, pa, is: FRAMES[frame.is],
                         place: frame.from ? this.place(frame.from) : ""};
    }
}

// "vm.c:212 (uvmunmap)" and "uvmunmap+0x1c" are both of uvmunmap.
function functionOf(place) {
    const m = /\((.*)\)$/.exec(place) || /^([^:+]+)\+0x/.exec(place);
    return m ? m[1] : place;
}
