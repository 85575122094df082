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

    const LIGHT = `--bg:#ffffff;--ink:#1d2530;--dim:#5c6877;--line:#c3cad3;--box:#f4f6f8;
--gap:#e9edf1;--r:#a9c9ec;--rw:#9fd6b4;--rx:#f1cf86;--rwx:#f0a096;--x:#d5b8ea;--odd:#c4c4c4;
--hatch:#1d253055;--came:#157a41;--went:#c0392b;--changed:#8f5a00;--mark:#1257b8`;
    const DARK = `--bg:#14181d;--ink:#e3e8ee;--dim:#98a4b3;--line:#3b4550;--box:#1c2229;
--gap:#232a32;--r:#2d5580;--rw:#276445;--rx:#76591a;--rwx:#963c33;--x:#64457c;--odd:#555b63;
--hatch:#ffffff50;--came:#4cc885;--went:#ff7b6b;--changed:#e9b04a;--mark:#7db4ff`;
    PT.THEME = `:root{${LIGHT}}\n@media (prefers-color-scheme: dark){:root{${DARK}}}`;

    // A picture's own style: it has to look the same outside of the page.
    const STYLE = `${PT.THEME}
.pt{font:12px system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
.pt text{fill:var(--ink)} .pt .dim{fill:var(--dim)} .pt .mono{font-family:ui-monospace,
"DejaVu Sans Mono",Menlo,Consolas,monospace} .pt .title{font-size:15px;font-weight:600}
.pt .bold{font-weight:600} .pt .end{text-anchor:end} .pt .mid{text-anchor:middle}
.pt .bg{fill:var(--bg)} .pt .box{fill:var(--box);stroke:var(--line)} .pt .gap{fill:var(--gap)}
.pt .edge{fill:none;stroke:var(--line);stroke-width:1.3} .pt .rule{stroke:var(--line)}
.pt .r{fill:var(--r)} .pt .rw{fill:var(--rw)} .pt .rx{fill:var(--rx)} .pt .rwx{fill:var(--rwx)}
.pt .x{fill:var(--x)} .pt .odd{fill:var(--odd)} .pt .kernel{fill:url(#hatch)}
.pt .came{fill:var(--came)} .pt .went{fill:var(--went)} .pt .changed{fill:var(--changed)}
.pt .alarm{fill:var(--went)} .pt .cursor{fill:none;stroke:var(--mark);stroke-width:2}`;
    const HATCH = '<defs><pattern id="hatch" width="6" height="6" ' +
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
        '<path d="M0 0V6" stroke="var(--hatch)" stroke-width="1.6"/></pattern></defs>';

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

    // A region's filling: its colour, and the hatch over it where the user may not go.
    PT.fill = function (flags, x, y, width, height, more = "") {
        const colour = PT.rect(PT.colourOf(flags), x, y, width, height, more);
        return flags & PT.U ? colour :
            colour + PT.rect("kernel", x, y, width, height, ' pointer-events="none"');
    };

    // Swatches with their names, from x on; for two dumps with those of what changed.
    PT.legend = function (x, y, t, two) {
        let out = "";
        const swatch = (colour, name, mono) => {
            out += colour(x) + PT.text(mono ? "mono" : "", x + 26, y, name);
            x += 40 + PT.textWidth(name);
        };
        const page = flags => x => PT.fill(flags, x, y - 11, 20, 14);
        for (const flags of Object.values(PT.COLOURS))
            swatch(page(flags | PT.U), PT.permissionText(flags).slice(0, 3), true);
        swatch(page(PT.R | PT.U), t("legend.user"));
        swatch(page(PT.R), t("legend.kernel"));
        for (const kind of two ? PT.KINDS : [])
            swatch(x => PT.rect(kind, x, y - 7, 20, 6), t("compare." + kind));
        return out;
    };

    // The title of a dump: its log where there are several, what was printed above it, its root.
    PT.titleOf = function (dump, t) {
        const root = dump.root === null ? t("dump.noRoot") : t("dump.root", PT.paShort(dump.root));
        const title = dump.title ? `${dump.title} \u00b7 ${root}` : root;
        return dump.file ? `${dump.file}: ${title}` : title;
    };
    PT.numberedTitle = (dump, t) => `${dump.number}. ${PT.titleOf(dump, t)}`;
    PT.summaryOf = function (dump, t) {
        const pages = dump.leaves.reduce((sum, leaf) => sum + PT.pagesOf(leaf), 0);
        return t("dump.summary", dump.leaves.length, PT.sizeText(pages),
                 PT.tables(dump).filter(e => e.level > 0).length + 1);
    };
})();
