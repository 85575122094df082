// Two dumps compared, page by page: what came, what went, what changed.
"use strict";

(function () {
    // A large leaf that was split is one that went, and many that came.
    const place = leaf => `${leaf.level} ${leaf.vpn}`;
    const bits = leaf => leaf.high * 1024 + leaf.flags;

    function changeOf(was, is) {
        if (!was)
            return {kind: "came", was, is};
        if (!is)
            return {kind: "went", was, is};
        if (was.ppn === is.ppn && bits(was) === bits(is))
            return null;
        return {kind: "changed", was, is};
    }

    const leafOf = change => change.is || change.was;

    // Whether a change goes on where another ends, in the same way.
    function continues(last, change) {
        const before = leafOf(last.changes.at(-1)), now = leafOf(change);
        return last.kind === change.kind && last.moved === moved(change) &&
            before.level === now.level && before.vpn + PT.pagesOf(before) === now.vpn &&
            last.was === flags(change.was) && last.is === flags(change.is);
    }
    const moved = change => change.kind === "changed" && change.was.ppn !== change.is.ppn;
    const flags = leaf => leaf ? PT.flagText(leaf.flags & 0xff) : null;

    // Ranges of pages that changed alike, in the order of their addresses:
    // {kind, vpn, pages, was, is, moved, changes}; was and is are flags as letters, moved says
    // that the frames are others.
    PT.compare = function (before, after) {
        const theirs = new Map(before.leaves.map(leaf => [place(leaf), leaf]));
        const changes = [];
        for (const leaf of after.leaves) {
            changes.push(changeOf(theirs.get(place(leaf)), leaf));
            theirs.delete(place(leaf));
        }
        for (const leaf of theirs.values())
            changes.push(changeOf(leaf, null));
        const ranges = [];
        const sorted = changes.filter(c => c)
            .sort((a, b) => leafOf(a).vpn - leafOf(b).vpn || leafOf(b).level - leafOf(a).level);
        for (const change of sorted) {
            if (ranges.length && continues(ranges.at(-1), change))
                ranges.at(-1).changes.push(change);
            else
                ranges.push({kind: change.kind, vpn: leafOf(change).vpn, moved: moved(change),
                             was: flags(change.was), is: flags(change.is), changes: [change]});
        }
        for (const range of ranges)
            range.pages = range.changes.reduce((sum, c) => sum + PT.pagesOf(leafOf(c)), 0);
        return ranges;
    };

    // What a range had and has.
    PT.changeText = function (change, t) {
        if (change.kind !== "changed")
            return change.is || change.was;
        const letters = change.was === change.is ? change.is : `${change.was} \u2192 ${change.is}`;
        const why = change.moved ? t("compare.moved") :
            change.was === change.is ? t("compare.bits") : "";
        return why ? `${letters} ${why}` : letters;
    };

    PT.KINDS = ["came", "went", "changed"];
    // [kind, its ranges] of each kind that there is.
    PT.byKind = ranges => PT.KINDS
        .map(kind => [kind, ranges.filter(range => range.kind === kind)])
        .filter(([, list]) => list.length);
})();
