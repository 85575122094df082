// Starts the page; or, for the command, leaves in the document what it asked for: the base64
// of a JSON object in the attribute data-result of the root element.
"use strict";

(function () {
    const preset = JSON.parse(document.getElementById("preset").textContent || "{}");
    PT.start(preset);

    // A finding as a line of text, for `tools/ptview --check`.
    function findingText(dump, finding) {
        const {t} = PT.page, ranges = PT.ranges(finding.entries).map(range =>
            PT.rangeText(range[0].vpn, range.reduce((sum, e) => sum + PT.pagesOf(e), 0),
                         dump.levels));
        return `${t("severity." + finding.severity)}: ` +
            `${t("check." + finding.key, ...finding.args)}: ${ranges.join(", ")}`;
    }

    function describe(dump) {
        const {t} = PT.page, findings = PT.findingsOf(dump);
        return {
            title: PT.titleOf(dump, t), line: dump.line, summary: PT.summaryOf(dump, t),
            findings: findings.map(f => findingText(dump, f)),
            wrong: findings.some(f => f.severity !== "note"),
            problems: dump.problems.map(p =>
                `${t("dump.line", p.line)}: ${t("problem." + p.key, ...p.args)}`),
        };
    }

    // The comparison that the page shows, for `tools/ptview --compare`.
    function comparisonLines() {
        const {t, other, dump, changes} = PT.page;
        const lines = [t("map.before", PT.numberedTitle(other, t)),
                       t("map.after", PT.numberedTitle(dump, t))];
        for (const [kind, ranges] of PT.byKind(changes))
            lines.push(t("compare." + kind), ...ranges.map(range => "    " +
                `${PT.rangeText(range.vpn, range.pages, dump.levels)} ` +
                PT.changeText(range, t)));
        return changes.length ? lines : [...lines, t("compare.same")];
    }

    function picture(page) {
        return preset.map ? PT.mapNow(page) : page.treeSvg();
    }

    function answer() {
        const {page} = PT;
        return {dumps: page.dumps.map(describe),
                empty: preset.logs.filter(log => !PT.parse(log.text).length).map(log => log.name),
                comparison: page.other ? comparisonLines() : null,
                svg: page.dump ? picture(page) : null};
    }

    if (preset.answer) {
        const bytes = new TextEncoder().encode(JSON.stringify(answer()));
        document.documentElement.dataset.result =
            btoa(Array.from(bytes, b => String.fromCharCode(b)).join(""));
    }
})();
