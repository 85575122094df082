// The map in the page: zooming, moving and clicking.
"use strict";

(function () {
    const $ = id => document.getElementById(id);
    const STEP = 0.1;   // of the view, for one press of an arrow
    const DRAG = 4;     // pixels: less is a click

    const dumpsOf = page => page.other ? [page.other, page.dump] : [page.dump];
    const layoutOf = page => PT.mapLayout(dumpsOf(page), page.mode);
    // The map is drawn for text of 13 pixels, and grows with the page's.
    const widthOf = () => Math.max(300, Math.floor(($("map").clientWidth || 1000) * 13 /
        parseFloat(getComputedStyle(document.body).fontSize)));

    const PICTURE = 1200;  // pixels, whatever the window has

    const optionsOf = (page, width) => ({
        dumps: dumpsOf(page), mode: page.mode, view: page.view, width,
        selected: page.selected && {vpn: page.selected.from, pages: page.selected.pages},
        changes: page.changes, t: page.t,
    });
    // What the map shows now, as a picture.
    PT.mapNow = page => PT.mapPicture(optionsOf(page, PICTURE));

    PT.panels.map = function (page) {
        $("map").innerHTML = PT.mapSvg(optionsOf(page, widthOf()));
        $("legend").replaceChildren(...PT.legend(page.t, page.other !== null).map(
            ({colour, name, hatched}) => PT.h("span", {}, PT.h("span", {
                class: `swatch ${colour}${hatched ? " hatched" : ""}`}), ` ${name}`)));
        $("zoom-to").disabled = !page.selected;
        $("mode").value = page.mode;
    };

    const placeOf = (page, x) => {
        const box = $("map").getBoundingClientRect();
        return page.view.from + (x - box.left) / box.width * (page.view.to - page.view.from);
    };

    // Where zooming keeps what it shows: the selection if it is in sight, else the middle.
    function centre(page) {
        if (page.selected) {
            const u = PT.mapPlace(layoutOf(page), page.selected.vpn);
            if (u >= page.view.from && u <= page.view.to)
                return u;
        }
        return (page.view.from + page.view.to) / 2;
    }

    PT.zoom = function (page, factor, about) {
        page.view = PT.mapZoom(page.view, factor, about === undefined ? centre(page) : about);
        PT.panels.map(page);
    };
    PT.zoomAll = function (page) {
        page.view = {from: 0, to: 1};
        PT.panels.map(page);
    };

    function zoomToSelection(page) {
        const {from, pages} = page.selected, layout = layoutOf(page);
        const u0 = PT.mapPlace(layout, from), u1 = PT.mapPlace(layout, from + pages - 1);
        const size = Math.max((u1 - u0) * 3, 2e-7, page.mode === "gaps" ? 0.02 : 0);
        const start = Math.min(Math.max((u0 + u1 - size) / 2, 0), 1 - size);
        page.view = {from: start, to: start + size};
        PT.panels.map(page);
    }

    function move(page, part) {
        const size = page.view.to - page.view.from;
        const from = Math.min(Math.max(page.view.from + part * size, 0), 1 - size);
        page.view = {from, to: from + size};
        PT.panels.map(page);
    }

    function selectAt(page, u) {
        page.select(PT.mapPage(layoutOf(page), u), null);
        PT.revealInTree(page);
    }

    // A drag moves the view; when it hardly moved, it was a click.
    function listenToPointer(page) {
        let start = null;
        $("map").addEventListener("pointerdown", event => {
            start = {x: event.clientX, view: page.view, dragged: false};
            $("map").setPointerCapture(event.pointerId);
        });
        $("map").addEventListener("pointermove", event => {
            if (!start || Math.abs(event.clientX - start.x) < DRAG && !start.dragged)
                return;
            start.dragged = true;
            page.view = start.view;
            move(page, (start.x - event.clientX) / $("map").clientWidth);
        });
        $("map").addEventListener("pointerup", event => {
            if (start && !start.dragged)
                selectAt(page, placeOf(page, event.clientX));
            start = null;
        });
        $("map").addEventListener("pointercancel", () => start = null);
    }

    const KEYS = {
        ArrowLeft: page => move(page, -STEP),
        ArrowRight: page => move(page, STEP),
        Enter: page => selectAt(page, (page.view.from + page.view.to) / 2),
    };

    PT.listenToMap = function (page) {
        listenToPointer(page);
        $("map").addEventListener("wheel", event => {
            event.preventDefault();
            PT.zoom(page, event.deltaY < 0 ? 0.8 : 1.25, placeOf(page, event.clientX));
        }, {passive: false});
        $("map").addEventListener("keydown", event => {
            if (!KEYS[event.key])
                return;
            event.preventDefault();
            KEYS[event.key](page);
        });
        $("mode").addEventListener("change", () => {
            page.mode = $("mode").value;
            PT.zoomAll(page);
        });
        $("zoom-in").addEventListener("click", () => PT.zoom(page, 0.5));
        $("zoom-out").addEventListener("click", () => PT.zoom(page, 2));
        $("zoom-all").addEventListener("click", () => PT.zoomAll(page));
        $("zoom-to").addEventListener("click", () => zoomToSelection(page));
        window.addEventListener("resize", () => page.dump && PT.panels.map(page));
    };
})();
