// The right panel: the selected address in its parts, the way through the tables, and every
// bit of the entry where it ends.
"use strict";

(function () {
    const $ = id => document.getElementById(id), h = (...args) => PT.h(...args);

    function splitAddress(page) {
        const {vpn, offset} = page.selected, {levels} = page.dump, {t} = page;
        const part = (value, name, high, low) => h("div", {},
            h("b", {class: "mono"}, `${value}`), ` (0x${value.toString(16)})`,
            h("small", {}, name), h("small", {}, t("detail.bits", `${high}\u2013${low}`)));
        const parts = [];
        for (let level = levels - 1; level >= 0; level--)
            parts.push(part(PT.indexOf(vpn, level), t("detail.index", level),
                            20 + 9 * level, 12 + 9 * level));
        return h("div", {class: "split"}, ...parts, part(offset, t("detail.offset"), 11, 0));
    }

    // ---- the way through the tables ----
    function saysText(entry, page) {
        if (PT.isKept(entry))
            return page.t("detail.kept", PT.paShort(entry.ppn));
        if (PT.isTable(entry))
            return page.t("detail.toTable", PT.paShort(entry.ppn));
        const key = entry.level ? "detail.toLarge" : "detail.toPage";
        return page.t(key, PT.paShort(entry.ppn), PT.sizeText(PT.pagesOf(entry)));
    }

    // Why no entry is shown: in a list of single pages most were not printed.
    function reasonOf({dump, selected}) {
        return dump.flat && !dump.invalid.includes(selected.vpn) ? "detail.unprinted" :
            "detail.unmapped";
    }

    function pathRow(page, level, tablePpn, entry) {
        const index = PT.indexOf(page.selected.vpn, level);
        const at = tablePpn === null ? "?" : PT.paText(tablePpn, 8 * index);
        const row = h("tr", {}, h("td", {}, `${level}`),
            h("td", {class: "mono"}, at, h("br"), `[${index}]`),
            h("td", {class: "mono"}, entry ? PT.pteText(entry) : "\u2014", h("br"),
              entry ? PT.flagText(entry.flags & 0xff) : ""),
            h("td", {}, entry ? saysText(entry, page) : page.t(reasonOf(page))));
        row.dataset.level = level;
        return row;
    }

    function pathTable(page, path, unmapped) {
        const {t, dump} = page, rows = [];
        let table = dump.root;
        for (const entry of path) {
            rows.push(pathRow(page, entry.level, table, entry));
            table = entry.ppn;
        }
        if (unmapped)
            rows.push(pathRow(page, dump.flat ? 0 : dump.levels - 1 - path.length, table, null));
        const heads = ["detail.level", "detail.entryAt", "detail.entry", "detail.says"];
        const head = h("tr", {}, ...heads.map(k => h("th", {}, t(k))));
        return h("table", {class: "path"}, head, ...rows);
    }

    // ---- bits ----
    const SINGLE = ["V", "R", "W", "X", "U", "G", "A", "D"];

    // Fields from the top: [name, highest bit, lowest bit, text key].
    function fieldsOf(levels) {
        const fields = [["N", 63, 63], ["PBMT", 62, 61], ["reserved", 60, 54]];
        for (let level = levels - 1; level >= 0; level--)
            fields.push([`PPN[${level}]`, level === levels - 1 ? 53 : 18 + 9 * level,
                         10 + 9 * level, "bit.PPN"]);
        fields.push(["RSW", 9, 8]);
        SINGLE.forEach((name, bit) => fields.splice(levels + 4, 0, [name, bit, bit]));
        return fields;
    }

    function bitsTable(page, entry) {
        const {t} = page, pte = PT.pteBig(entry);
        const rows = fieldsOf(page.dump.levels).map(([name, high, low, key]) => {
            const value = pte >> BigInt(low) & (1n << BigInt(high - low + 1)) - 1n;
            const where = high === low ? `${high}` : `${high}\u2013${low}`;
            const shown = high === low ? `${value}` : `0x${value.toString(16)}`;
            return h("tr", {class: value ? "" : "off"}, h("td", {class: "mono"}, where),
                h("td", {}, h("b", {}, name === "reserved" ? t("detail.reserved") : name)),
                h("td", {class: "mono"}, shown),
                h("td", {}, t(key || "bit." + name)));
        });
        const heads = ["detail.bit", "", "detail.value", "detail.meaning"];
        return h("table", {class: "bits-table"},
                 h("tr", {}, ...heads.map(k => h("th", {}, k && t(k)))), ...rows);
    }

    function bitsStrip(entry) {
        const bits = PT.pteBig(entry).toString(2).padStart(64, "0");
        const fields = bits.replace(/(.{10})(.{26})(.{9})(.{9})(.{2})(.{8})/, "$1 $2 $3 $4 $5 $6");
        return h("p", {class: "mono dim bits"}, fields);
    }

    function noteOf(entry, t) {
        const key = PT.isKept(entry) ? "bit.kept" : PT.isTable(entry) ? "bit.pointer" : null;
        return key ? h("p", {}, t(key)) : "";
    }

    function describe(page) {
        const {t, selected, dump} = page, {vpn, offset, exact} = selected;
        const whole = PT.walk(dump, vpn);
        // A table that was selected is where the way ends, though the walk would go on.
        const path = exact ? whole.slice(0, whole.indexOf(exact) + 1) : whole;
        const last = path.at(-1), leaf = last && PT.isLeaf(last);
        const parts = [h("h2", {}, t("detail.address")),
            h("code", {id: "address"}, PT.vaText(vpn, dump.levels, offset)), splitAddress(page),
            h("h2", {}, t("detail.path")), pathTable(page, path, !leaf && !exact)];
        if (leaf)
            parts.push(h("p", {}, `${t("detail.physical")}: `, h("code", {id: "physical"},
                PT.paText(last.ppn + vpn - last.vpn, offset)),
                ` \u00b7 ${t("role." + PT.role(last, dump))}` +
                ` \u00b7 ${t("detail.line", last.line)}`));
        if (last)
            parts.push(h("h2", {}, `${t("detail.decoded")} `, h("code", {}, PT.pteText(last))),
                       bitsStrip(last), noteOf(last, t), bitsTable(page, last));
        return parts;
    }

    PT.panels.detail = page => $("detail").replaceChildren(
        ...(page.selected ? describe(page) : [h("p", {class: "dim"}, page.t("detail.none"))]));
})();
