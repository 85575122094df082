// The left panel: the dumps in the log, the comparison, the findings, what could not be read.
"use strict";

(function () {
    const $ = id => document.getElementById(id), h = (...args) => PT.h(...args);
    const RANGES_SHOWN = 12;  // of one finding, at first

    function drawDumps(page) {
        const focused = $("dumps").contains(document.activeElement);
        $("dumps").replaceChildren(...page.dumps.map(dump => {
            const label = h("span", {}, PT.titleOf(dump, page.t), h("br"),
                h("small", {class: "dim"}, `${page.t("dump.line", dump.line)} \u00b7 ` +
                    PT.summaryOf(dump, page.t)));
            return h("li", {}, h("button", {
                class: "pick", "aria-current": dump === page.dump, onclick: () => page.show(dump),
            }, `${dump.number}. `, label));
        }));
        const shown = $("dumps").querySelector("[aria-current=true]");
        if (focused)
            shown.focus({preventScroll: true});
    }

    // Scrolls the list, and nothing else, until the dump shown is in sight.
    PT.revealDump = function () {
        const list = $("dumps"), item = list.querySelector("[aria-current=true]");
        const box = list.getBoundingClientRect(), {top, bottom} = item.getBoundingClientRect();
        list.scrollTop += Math.min(top - box.top, 0) + Math.max(bottom - box.bottom, 0);
    };

    function drawOthers(page) {
        const options = [h("option", {value: ""}, page.t("compare.none"))];
        for (const dump of page.dumps.filter(d => d !== page.dump))
            options.push(h("option", {value: dump.number}, PT.numberedTitle(dump, page.t)));
        $("other").replaceChildren(...options);
        $("other").value = page.other ? page.other.number : "";
        $("other").onchange = () =>
            page.compareWith(page.dumps[Number($("other").value) - 1] || null);
    }

    // A button that selects a range's first page.
    function rangeButton(page, vpn, pages, entry, more = "") {
        return h("button", {class: "pick mono", onclick: () => {
            page.select(vpn, entry);
            PT.revealInTree(page);
        }}, `${PT.rangeText(vpn, pages, page.dump.levels)} `, more);
    }

    function drawComparison(page) {
        const {t} = page;
        const lists = PT.byKind(page.changes).map(([kind, changes]) => h("div", {class: kind},
            h("b", {}, t("compare." + kind)),
            ...changes.map(change => rangeButton(page, change.vpn, change.pages,
                                                 change.changes[0].is,
                                                 PT.changeText(change, t)))));
        const none = page.other && !lists.length ? [h("p", {}, t("compare.same"))] : [];
        $("comparison").replaceChildren(...lists, ...none);
    }

    function drawFinding(page, finding) {
        const {t} = page, ranges = PT.ranges(finding.entries);
        const shown = ranges.slice(0, RANGES_SHOWN).map(range => {
            const pages = range.reduce((sum, e) => sum + PT.pagesOf(e), 0);
            const inDump = PT.walk(page.dump, range[0].vpn).includes(range[0]) ? range[0] : null;
            return rangeButton(page, range[0].vpn, pages, inDump);
        });
        const more = ranges.length > RANGES_SHOWN ?
            h("p", {class: "dim"}, t("findings.more", ranges.length - RANGES_SHOWN)) : null;
        return h("li", {class: finding.severity, "data-check": finding.key},
            h("b", {}, t("severity." + finding.severity)), " ",
            h("span", {title: t("define." + finding.key)}, t("check." + finding.key,
                                                             ...finding.args)),
            ...shown, more);
    }

    function drawProblems(page) {
        const {t} = page, {problems} = page.dump;
        $("problems").replaceChildren(...(problems.length ? [
            h("h2", {}, t("problems")),
            h("ul", {}, ...problems.map(p => h("li", {class: "warning"},
                h("b", {}, t("dump.line", p.line)), ": ", t("problem." + p.key, ...p.args)))),
        ] : []));
    }

    PT.panels.side = function (page) {
        drawDumps(page);
        drawOthers(page);
        drawComparison(page);
        $("findings-title").textContent = page.findings.length ?
            page.t("findings", page.findings.length) : page.t("findings.none");
        $("findings").replaceChildren(...page.findings.map(f => drawFinding(page, f)));
        drawProblems(page);
    };
})();
