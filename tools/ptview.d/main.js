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
            heading: `${PT.numberedTitle(dump, t)} (${t("dump.line", dump.line)}): ` +
                PT.summaryOf(dump, t),
            findings: findings.map(f => findingText(dump, f)),
            severities: findings.map(f => f.severity),
            problems: dump.problems.map(p =>
                `${t("dump.line", p.line)}: ${t("problem." + p.key, ...p.args)}`),
        };
    }

    // What is found in a log, as one line: for a class, whose logs are many.
    function logText({name, dumps}) {
        const {t} = PT.page, parts = [];
        if (!dumps.length)
            return `${name}: ${t("result.none")}`;
        const findings = dumps.flatMap(PT.findingsOf);
        for (const severity of ["error", "warning"]) {
            const names = new Set(findings.filter(f => f.severity === severity)
                .map(f => t("check." + f.key, ...f.args)));
            if (names.size)
                parts.push(`${t("severity." + severity)}: ${[...names].join(", ")}`);
        }
        const problems = dumps.reduce((sum, dump) => sum + dump.problems.length, 0);
        if (problems)
            parts.push(t("result.problems", problems));
        return `${name}: ${t("result.dumps", dumps.length)}: ` +
            (parts.join("; ") || t("result.clean"));
    }

    // The logs in their order, {name, dumps}; the page does not keep those that have no dump.
    function allLogs() {
        const kept = [...PT.page.logs];
        return preset.logs.map(({name, text}) =>
            ({name, dumps: PT.parse(text).length ? kept.shift().dumps : []}));
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
        const {page} = PT, logs = allLogs();
        return {dumps: page.dumps.map(describe),
                empty: logs.filter(log => !log.dumps.length).map(log => log.name),
                logs: logs.map(logText), comparison: page.other ? comparisonLines() : null,
                svg: page.dump ? picture(page) : null};
    }

    if (preset.answer) {
        const bytes = new TextEncoder().encode(JSON.stringify(answer()));
        document.documentElement.dataset.result =
            btoa(Array.from(bytes, b => String.fromCharCode(b)).join(""));
    }
})();
