// What the two pictures share: colours by permission, and a little SVG as text.
"use strict";

(function () {
    PT.escape = text => String(text).replace(/[&<>"]/g,
        c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})[c]);

    // One colour for each thing that may be done with a page; pages without U are hatched.
    PT.colourOf = function (flags) {
        const rwx = flags & PT.RWX;
        return {[PT.R]: "r", [PT.R | PT.W]: "rw", [PT.R | PT.X]: "rx", [PT.RWX]: "rwx",
                [PT.X]: "x"}[rwx] || "odd";
    };
    PT.COLOURS = {r: PT.R, rw: PT.R | PT.W, rx: PT.R | PT.X, rwx: PT.RWX, x: PT.X};

    // What the colours have to be: text is read on each (4.5 to 1), and those of a legend differ
    // for people who see fewer colours, too; tests/host/test_ptview_looks.py measures both.
    PT.SCHEMES = {
        light: {bg: "#ffffff", ink: "#1d2530", dim: "#5c6877", line: "#c3cad3", box: "#f4f6f8",
                gap: "#e9edf1", r: "#7ca9fc", rw: "#9aeda3", rx: "#dbab35", rwx: "#df6740",
                x: "#e1c3f0", odd: "#8f8f8f", came: "#1660c3", went: "#d2453f",
                changed: "#492601", mark: "#883170"},
        dark: {bg: "#14181d", ink: "#eef2f6", dim: "#98a4b3", line: "#3b4550", box: "#1c2229",
               gap: "#232a32", r: "#153677", rw: "#147d62", rx: "#8e6003", rwx: "#700c00",
               x: "#795aab", odd: "#505050", came: "#069ef8", went: "#e74e01",
               changed: "#fff1bb", mark: "#c4759c"},
    };
    const {light, dark} = PT.SCHEMES, DARK = "@media (prefers-color-scheme:dark)";
    const variables = colours => Object.entries(colours).map(([k, v]) => `--${k}:${v}`).join(";");
    PT.THEME = `:root{${variables(light)}}\n${DARK}{:root{${variables(dark)}}}`;

    // A picture's own style. Its colours stand in it as they are: outside of a browser nothing
    // knows variables, and what has an unknown colour is black.
    const FILLS = "dim bg gap r rw rx rwx x odd came went changed";
    const rules = c => `.pt text{fill:${c.ink}}` +
        FILLS.split(" ").map(name => `.pt .${name}{fill:${c[name]}}`).join("") +
        `.pt .box{fill:${c.box};stroke:${c.line}}.pt .alarm{fill:${c.went}}` +
        `.pt .edge,.pt .rule{stroke:${c.line}}.pt .cursor{stroke:${c.mark}}` +
        `.pt .hatch{stroke:${c.ink}}`;
    const STYLE = `.pt{font:12px system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC",
"Microsoft YaHei",sans-serif} .pt .mono{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,
monospace} .pt .title{font-size:15px;font-weight:600} .pt .bold{font-weight:600}
.pt .end{text-anchor:end} .pt .mid{text-anchor:middle} .pt .edge{fill:none;stroke-width:1.3}
.pt .cursor{fill:none;stroke-width:2} .pt .kernel{fill:url(#hatch)} .pt .hatch{stroke-opacity:.33}
${rules(light)}
${DARK}{${rules(dark)}}`;
    const HATCH = '<defs><pattern id="hatch" width="6" height="6" ' +
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
        '<path class="hatch" d="M0 0V6" stroke-width="1.6"/></pattern></defs>';

    PT.svg = (width, height, label, content) =>
        `<svg xmlns="http://www.w3.org/2000/svg" class="pt" width="${width}" height="${height}" ` +
        `viewBox="0 0 ${width} ${height}" role="img" aria-label="${PT.escape(label)}">` +
        `<style>${STYLE}</style>${HATCH}` +
        `<rect class="bg" width="${width}" height="${height}"/>${content}</svg>`;

    const round = n => Math.round(n * 100) / 100;
    PT.rect = (cls, x, y, width, height, more = "") =>
        `<rect class="${cls}" x="${round(x)}" y="${round(y)}" width="${round(width)}" ` +
        `height="${round(height)}"${more}/>`;
    PT.text = (cls, x, y, text) =>
        `<text class="${cls}" x="${round(x)}" y="${round(y)}">${PT.escape(text)}</text>`;

    // About as many pixels as it will need; Chinese characters are wider.
    PT.textWidth = text =>
        [...text].reduce((sum, c) => sum + (c < "\u2e80" ? 7 : 12.5), 0);

    // So much of a text as fits into a width.
    PT.fitText = function (text, width) {
        if (PT.textWidth(text) <= width)
            return text;
        let end = text.length;
        while (end && PT.textWidth(text.slice(0, end)) > width - 12)
            end--;
        return text.slice(0, end) + "\u2026";
    };

    // A region's filling: its colour, and the hatch over it where the user may not go.
    PT.fill = function (flags, x, y, width, height, more = "") {
        const colour = PT.rect(PT.colourOf(flags), x, y, width, height, more);
        return flags & PT.U ? colour :
            colour + PT.rect("kernel", x, y, width, height, ' pointer-events="none"');
    };

    // What the colours mean, {colour, name, hatched}; for two dumps what changed, too.
    PT.legend = (t, two) => [
        ...Object.entries(PT.COLOURS).map(([colour, flags]) =>
            ({colour, name: PT.permissionText(flags).slice(0, 3)})),
        {colour: "box", name: t("legend.user")},
        {colour: "box", name: t("legend.kernel"), hatched: true},
        ...(two ? PT.KINDS : []).map(kind => ({colour: kind, name: t("compare." + kind)})),
    ];

    // The same in a picture, from x on.
    PT.drawLegend = function (x, y, t, two) {
        let out = "";
        for (const {colour, name, hatched} of PT.legend(t, two)) {
            const [top, height] = PT.KINDS.includes(colour) ? [y - 7, 6] : [y - 11, 14];
            out += PT.rect(colour, x, top, 20, height) +
                (hatched ? PT.rect("kernel", x, top, 20, height) : "") +
                PT.text(PT.COLOURS[colour] ? "mono" : "", x + 26, y, name);
            x += 40 + PT.textWidth(name);
        }
        return out;
    };

    // What was printed above a dump, in the reader's language.
    function viewOf({view, pid, name, design}, t) {
        const who = pid === null ? t("view.all") : t("view.process", pid);
        const what = t("view." + view, name === null ? who : `${who} (${name})`);
        return design === null ? what : t("view.design", what, design);
    }

    // The title of a dump: its log where there are several, what was printed above it, its root.
    PT.titleOf = function (dump, t) {
        const root = dump.flat ? t("dump.flat") :
            dump.root === null ? t("dump.noRoot") : t("dump.root", PT.paShort(dump.root));
        const title = dump.view ? `${viewOf(dump, t)} \u00b7 ${root}` : root;
        return dump.file ? `${dump.file}: ${title}` : title;
    };
    PT.numberedTitle = (dump, t) => `${dump.number}. ${PT.titleOf(dump, t)}`;
    PT.summaryOf = function (dump, t) {
        const pages = dump.leaves.reduce((sum, leaf) => sum + PT.pagesOf(leaf), 0);
        return t(dump.flat ? "dump.pages" : "dump.summary", dump.leaves.length, PT.sizeText(pages),
                 PT.tables(dump).filter(e => e.level > 0).length + 1);
    };
})();
