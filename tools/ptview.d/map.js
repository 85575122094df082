// The map of the address space as an SVG: a band for each dump, low addresses on the left.
//
// The horizontal place of a page is u, from 0 to 1 over the whole map. To scale, u is the
// address divided by the size of the space. With compressed gaps the space is cut where
// anything begins or ends; a mapped piece is as wide as the logarithm of its size, and a gap
// has a fixed width. A view {from, to} is the part of u that is shown.
"use strict";

(function () {
    const NOTE = 22, CAPTION = 20, BAND = 40, DIFFERENCE = 12, BELOW = 34;
    const SMALL_GAP = 16;  // pages: up to here a gap is drawn like a mapped piece
    const GAP_WEIGHT = 3;

    // ---- layout ----
    function cuts(dumps, end) {
        const places = new Set([0, end]);
        for (const dump of dumps) {
            for (const region of PT.regions(dump)) {
                places.add(region.vpn);
                places.add(region.vpn + region.pages);
            }
        }
        return [...places].sort((a, b) => a - b);
    }

    const mappedBy = (dumps, vpn) => dumps.some(dump => covers(PT.regions(dump), vpn));
    const covers = (regions, vpn) =>
        regions.some(r => r.vpn <= vpn && vpn < r.vpn + r.pages);

    const weightOf = (pages, gap) => gap && pages > SMALL_GAP ? GAP_WEIGHT : 1.5 + Math.log2(pages);

    // The low half is all there is to see where nothing is mapped above it.
    function spaceOf(dumps) {
        const levels = Math.max(...dumps.map(d => d.levels)), half = PT.layout(levels).half;
        const high = dumps.some(d => d.leaves.some(leaf => leaf.vpn >= half));
        return {levels, half, end: high ? 2 * half : half};
    }

    // Pieces of the space in order: {vpn, pages, gap, u0, u1}. mode: "gaps" or "scale".
    PT.mapLayout = function (dumps, mode) {
        const space = spaceOf(dumps);
        if (mode === "scale")
            return {...space, pieces: [{vpn: 0, pages: space.end, gap: false, u0: 0, u1: 1}]};
        const at = cuts(dumps, space.end), pieces = [];
        for (let i = 0; i + 1 < at.length; i++) {
            const gap = !mappedBy(dumps, at[i]);
            pieces.push({vpn: at[i], pages: at[i + 1] - at[i], gap});
        }
        const total = pieces.reduce((sum, p) => sum + weightOf(p.pages, p.gap), 0);
        let u = 0;
        for (const piece of pieces) {
            piece.u0 = u;
            u += weightOf(piece.pages, piece.gap) / total;
            piece.u1 = u;
        }
        return {...space, pieces};
    };

    // The place of a page's first byte, and the page at a place.
    PT.mapPlace = function (layout, vpn) {
        const piece = layout.pieces.find(p => vpn < p.vpn + p.pages) || layout.pieces.at(-1);
        return piece.u0 + (vpn - piece.vpn) / piece.pages * (piece.u1 - piece.u0);
    };
    PT.mapPage = function (layout, u) {
        const piece = layout.pieces.find(p => u < p.u1) || layout.pieces.at(-1);
        const part = Math.min(Math.max((u - piece.u0) / (piece.u1 - piece.u0), 0), 1);
        return piece.vpn + Math.min(Math.floor(part * piece.pages), piece.pages - 1);
    };

    // The view after zooming by a factor about a place, never smaller than a few pages.
    PT.mapZoom = function (view, factor, about) {
        const least = 2e-8, size = Math.min(1, Math.max(least, (view.to - view.from) * factor));
        const part = (about - view.from) / (view.to - view.from);
        const from = Math.min(Math.max(about - part * size, 0), 1 - size);
        return {from, to: from + size};
    };

    // ---- drawing ----
    // x of a place, cut off at the edges of what is shown.
    const scaleOf = (view, width) => u =>
        Math.min(Math.max((u - view.from) / (view.to - view.from), -0.01), 1.01) * width;

    function visible(layout, view, vpn, pages) {
        const u0 = PT.mapPlace(layout, vpn), last = PT.mapPlace(layout, vpn + pages - 1);
        const piece = layout.pieces.find(p => vpn + pages - 1 < p.vpn + p.pages);
        const u1 = last + (piece.u1 - piece.u0) / piece.pages;
        return u1 > view.from && u0 < view.to ? [u0, u1] : null;
    }

    function drawGap(dump, piece, x, width, top, height, t) {
        const name = t(dump.flat ? "map.gap.flat" : "map.gap", PT.sizeText(piece.pages));
        const middle = x + width / 2, quarter = height / 4;
        const zigzag = at => `<path class="edge" d="M${at - 3} ${top}l6 ${quarter}l-6 ${quarter}` +
            `l6 ${quarter}l-6 ${quarter}"/>`;
        // The sign that something was left out stands on both sides of the text.
        return width < PT.textWidth(name) + 20 ? zigzag(middle) : zigzag(x + 6) +
            zigzag(x + width - 6) + PT.text("dim mid", middle, top + height / 2 + 4, name);
    }

    const LEAST = 1.5;  // pixels: what is mapped is seen, however small

    function drawRegion(region, x, width, top, dump, pages, t) {
        const role = t("role." + PT.role(region.leaves[0], dump));
        const permissions = PT.permissionText(region.permissions);
        const fits = text => PT.textWidth(text) + 6 < width;
        const name = PT.escape(`${PT.rangeText(region.vpn, region.pages, dump.levels)} ` +
            `${permissions} ${role} ${PT.sizeText(region.pages)}`);
        return `<g><title>${name}</title>` +
            PT.fill(region.permissions, x, top, Math.max(width, LEAST), BAND) + pages +
            (fits(permissions) ?
                PT.text("mono mid bold", x + width / 2, top + 17, permissions) : "") +
            (fits(role) ? PT.text("mid", x + width / 2, top + 33, role) : "") + "</g>";
    }

    // Lines between pages, where they would be at least some pixels apart.
    function drawPages(region, layout, x, top) {
        const width = x(PT.mapPlace(layout, region.vpn + 1)) - x(PT.mapPlace(layout, region.vpn));
        if (region.pages > 2000 || width < 5)
            return "";
        let d = "";
        for (let i = 1; i < region.pages; i++)
            d += `M${x(PT.mapPlace(layout, region.vpn + i)).toFixed(1)} ${top}v${BAND}`;
        return `<path class="edge" style="stroke-width:.6" d="${d}"/>`;
    }

    function drawBand(dump, layout, view, x, width, top, t) {
        let out = PT.rect("gap", 0, top, width, BAND);
        for (const piece of layout.pieces.filter(p => p.gap && p.pages > SMALL_GAP))
            if (piece.u1 > view.from && piece.u0 < view.to)
                out += drawGap(dump, piece, x(piece.u0), x(piece.u1) - x(piece.u0), top, BAND, t);
        for (const region of PT.regions(dump)) {
            const at = visible(layout, view, region.vpn, region.pages);
            if (at)
                out += drawRegion(region, Math.min(x(at[0]), width - LEAST), x(at[1]) - x(at[0]),
                                  top, dump, drawPages(region, layout, x, top), t);
        }
        return out;
    }

    // Addresses below the band, as many as fit; what begins a region goes before a round one.
    function drawAxis(layout, view, x, width, top) {
        const marks = layout.pieces.length > 1 ? layout.pieces.map(p => p.vpn) :
            roundMarks(layout, view);
        let out = "", free = -Infinity;
        for (const vpn of marks) {
            const u = PT.mapPlace(layout, vpn), text = PT.vaShort(vpn, layout.levels);
            if (u < view.from || u > view.to)
                continue;
            out += `<path class="rule" d="M${x(u).toFixed(1)} ${top}v5"/>`;
            const at = Math.min(x(u), width - text.length * 7.3);
            if (at > free) {
                out += PT.text("mono dim", Math.max(at, 2), top + 18, text);
                free = at + text.length * 7.3 + 8;
            }
        }
        return out;
    }

    function roundMarks(layout, view) {
        const from = PT.mapPage(layout, view.from), to = PT.mapPage(layout, view.to) + 1;
        const step = 2 ** Math.ceil(Math.log2(Math.max(1, (to - from) / 8)));
        const marks = [];
        for (let vpn = Math.ceil(from / step) * step; vpn < to; vpn += step)
            marks.push(vpn);
        return marks;
    }

    function drawChanges(changes, layout, view, x, top) {
        return changes.map(change => {
            const at = visible(layout, view, change.vpn, change.pages);
            return at ? PT.rect(change.kind, x(at[0]), top, Math.max(x(at[1]) - x(at[0]), 2), 6) :
                "";
        }).join("");
    }

    function drawCursor(vpn, pages, layout, view, x, tops) {
        const at = visible(layout, view, vpn, pages);
        return !at ? "" : tops.map(top => PT.rect("cursor", x(at[0]) - 1, top - 3,
            Math.max(x(at[1]) - x(at[0]), 2) + 2, BAND + 6)).join("");
    }

    // The bands with what belongs to them: {content, height}. The names of the dumps stand above
    // their bands where there are two, since one of them is the one before.
    function drawMap({dumps, mode, view, width, selected, changes, t}) {
        const layout = PT.mapLayout(dumps, mode), x = scaleOf(view, width), two = dumps.length > 1;
        const tops = dumps.map((dump, i) => NOTE + (two ? CAPTION : 4) + i * (BAND + CAPTION + 4));
        const end = tops.at(-1) + BAND + (two ? DIFFERENCE : 0);
        let out = PT.text("dim", 2, 15, t(mode === "gaps" ? "map.compressed" : "map.toScale"));
        dumps.forEach((dump, i) => {
            if (two)
                out += PT.text("bold", 2, tops[i] - 8, PT.fitText(
                    t(i ? "map.after" : "map.before", PT.numberedTitle(dump, t)), width - 2));
            out += drawBand(dump, layout, view, x, width, tops[i], t);
        });
        out += drawChanges(changes, layout, view, x, end - DIFFERENCE + 4);
        if (selected)
            out += drawCursor(selected.vpn, selected.pages, layout, view, x, tops);
        out += drawAxis(layout, view, x, width, end);
        return {content: out, height: end + BELOW};
    }

    // The map as text. options: {dumps (one, or the one before and the one after), mode, view,
    // width, selected ({vpn, pages} or null), changes (from PT.compare, or []), t}.
    PT.mapSvg = function (options) {
        const {content, height} = drawMap(options);
        return PT.svg(options.width, height, options.t("map.name"), content);
    };

    // The same as a picture that stands alone, with its title and the legend.
    const MARGIN = 20, HEAD = 56, FOOT = 36;
    PT.mapPicture = function (options) {
        const {content, height} = drawMap(options), {dumps, width, t} = options;
        const two = dumps.length > 1, title = two ? t("map.two") : PT.titleOf(dumps[0], t);
        const summary = two ? "" : PT.text("dim", MARGIN, 48, PT.summaryOf(dumps[0], t));
        const head = two ? HEAD - 20 : HEAD;
        return PT.svg(width + 2 * MARGIN, head + height + FOOT, title,
            PT.text("title", MARGIN, 28, title) + summary +
            // What lies beyond the view is cut off at the edge of an svg.
            `<svg x="${MARGIN}" y="${head}" width="${width}" height="${height}">${content}</svg>` +
            PT.drawLegend(MARGIN, head + height + 16, t, two));
    };
})();
