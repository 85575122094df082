// What harts keep of page tables beside memory: a table, those first that memory contradicts.
"use strict";

(function () {
    const element = id => document.getElementById(id);
    const hex = value => "0x" + value.toString(16);
    const ROWS_MOST = 300;

    const valueText = pte => pte & 1n ?
        `${PT.flagText(Number(pte & 0xffn))} ${hex((pte >> 10n & 0xfffffffffffn) << 12n)}` : "–";

    LIVE.isStale = kept => kept.value !== kept.memory;
    LIVE.mayBeMet = (kept, roots) => kept.global || roots.some(root => root.asid === kept.asid);

    // Stale ones that a hart may meet come first; then those whose ASID is none of a table that
    // there still is: they do no harm until the ASID is used again, and then there is a fence.
    LIVE.KeptView = class {
        show({kept, roots}, t) {
            const met = each => LIVE.mayBeMet(each, roots);
            const rank = each => LIVE.isStale(each) ? met(each) ? 0 : 1 : met(each) ? 2 : 3;
            const stale = kept.filter(LIVE.isStale);
            element("kept-about").textContent =
                t("kept.about", kept.length, stale.length, stale.filter(met).length);
            const sorted = [...kept].sort((a, b) => rank(a) - rank(b) || a.hart - b.hart ||
                                                    (a.va < b.va ? -1 : 1));
            element("kept-table").tBodies[0].replaceChildren(
                ...sorted.slice(0, ROWS_MOST).map(each => LIVE.tableRow([
                    String(each.hart), hex(each.va), String(each.level),
                    each.global ? "G" : String(each.asid), valueText(each.value),
                    LIVE.isStale(each) ? valueText(each.memory) : "="],
                    ["stale", "away", "", "away"][rank(each)])));
        }
    };
})();
