// The page's state, and what changes it. The panels (side.js, tree.js, detail.js, mapview.js)
// draw what the state says: each has PT.panels.NAME(page).
//
// page.logs are the logs that are shown, {name, dumps, lines}, page.dumps the dumps of all.
// page.dump is the dump that is shown, page.other the one that it is compared with (the one
// before) or null. page.selected is {vpn, pages, offset, entry} or null; entry is null where
// nothing is mapped.
"use strict";

(function () {
    const $ = id => document.getElementById(id);
    PT.panels = {};

    // An element: h("li", {class: "x", onclick: f}, "text", element...).
    PT.h = function (name, attributes = {}, ...content) {
        const element = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) {
            if (key.startsWith("on"))
                element.addEventListener(key.slice(2), value);
            else if (value !== null && value !== undefined && value !== false)
                element.setAttribute(key, value);
        }
        element.append(...content.filter(c => c !== null && c !== undefined));
        return element;
    };

    const page = PT.page = {
        language: "en", t: null, logs: [], dumps: [], dump: null, other: null, findings: [],
        changes: [], selected: null, ram: undefined, mode: "gaps", view: {from: 0, to: 1},
    };

    // ---- what the state follows from ----
    // Size of RAM in pages: typed in, else what the log says, else null.
    const ramOf = dump => page.ram === undefined ? dump.ram : page.ram;
    PT.findingsOf = dump => PT.check(page.dumps, dump, ramOf(dump));

    function refresh() {
        $("main").hidden = !page.dump;
        $("empty").hidden = !!page.dump;
        $("cancel").hidden = $("add").parentElement.hidden = !page.dump;
        $("save-tree").disabled = $("save-map").disabled = !page.dump;
        if (!page.dump)
            return;
        page.findings = PT.findingsOf(page.dump);
        page.changes = page.other ? PT.compare(page.other, page.dump) : [];
        for (const draw of Object.values(PT.panels))
            draw(page);
        PT.revealDump();  // the list's height follows from that of the map
    }

    page.show = function (dump) {
        page.dump = dump;
        page.selected = null;
        page.view = {from: 0, to: 1};
        if (page.other === dump)
            page.other = null;
        refresh();
    };

    page.compareWith = function (dump) {
        page.other = dump;
        page.view = {from: 0, to: 1};
        refresh();
    };

    // Selects a page, or an entry of the tree; a table stands for all that it spans.
    page.select = function (vpn, entry, offset = 0) {
        const at = entry || PT.walk(page.dump, vpn).at(-1);
        const mapped = at && PT.isLeaf(at) ? at : entry;
        page.selected = {vpn, offset, entry: mapped || null, exact: entry || null,
                         pages: mapped ? PT.pagesOf(mapped) : 1,
                         from: mapped ? mapped.vpn : vpn};
        PT.panels.detail(page);
        PT.panels.map(page);
        PT.panels.mark(page);
    };

    // ---- what happened ----
    page.report = function (bad, text) {
        $("status").textContent = text;
        $("status").classList.toggle("bad", bad);
    };
    page.say = (key, ...args) => page.report(false, page.t(key, ...args));
    page.complain = (key, ...args) => page.report(true, page.t(key, ...args));

    function save(name, text) {
        const url = URL.createObjectURL(new Blob([text], {type: "image/svg+xml"}));
        PT.h("a", {href: url, download: name}).click();
        setTimeout(() => URL.revokeObjectURL(url), 10000);
        page.say("status.saved", name);
    }

    // ---- language ----
    page.speak = function (language) {
        page.language = language;
        page.t = PT.translator(language);
        document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
        for (const element of document.querySelectorAll("[data-t]"))
            element.textContent = page.t(element.dataset.t);
        for (const element of document.querySelectorAll("[data-t-title]")) {
            element.title = page.t(element.dataset.tTitle);
            element.setAttribute("aria-label", element.title);
        }
        fillHelp();
        refresh();
    };

    function fillHelp() {
        const {t} = page, h = PT.h;
        const keys = ["tree", "map", "mouse", "rest"].map(k => h("li", {}, t("help.key." + k)));
        const checks = PT.CHECKS.flatMap(key => [h("dt", {}, t("check." + key, "N")),
                                                 h("dd", {}, t("define." + key))]);
        $("help-text").replaceChildren(
            h("h1", {}, t("help.heading")), h("p", {}, t("help.intro")),
            h("h2", {}, t("help.keys")), h("ul", {}, ...keys),
            h("h2", {}, t("help.checks")), h("dl", {}, ...checks));
    }

    // ---- controls ----
    function setRam() {
        const text = $("ram").value.trim(), pages = text ? PT.readSize(text) : undefined;
        if (pages === null)
            return page.complain("ram.bad");
        page.ram = pages;
        refresh();
    }

    function goTo() {
        const at = page.dump && PT.readAddress($("goto").value, page.dump.levels);
        if (!at)
            return page.complain("goto.bad", $("goto").value);
        page.select(at.vpn, null, at.offset);
        PT.revealInTree(page);
    }

    function step(by) {
        const next = page.dumps[page.dumps.indexOf(page.dump) + by];
        if (next)
            page.show(next);
    }

    const KEYS = {
        "+": () => PT.zoom(page, 0.5), "=": () => PT.zoom(page, 0.5),
        "-": () => PT.zoom(page, 2), "0": () => PT.zoomAll(page),
        "[": () => step(-1), "]": () => step(1), "g": () => $("goto").focus(),
        "?": () => $("help-box").showModal(),
    };

    function onKey(event) {
        const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
        const known = KEYS[event.key];
        if (typing || event.ctrlKey || event.metaKey || event.altKey || !known ||
            $("help-box").open || !page.dump && event.key !== "?")
            return;
        event.preventDefault();
        known();
    }

    function onClick(id, f) {
        $(id).addEventListener("click", f);
    }

    function listen() {
        onClick("cancel", refresh);
        onClick("language", () => page.speak(page.language === "en" ? "zh" : "en"));
        onClick("help", () => $("help-box").showModal());
        onClick("save-tree", () => page.dump && save("page-table.svg", page.treeSvg()));
        onClick("save-map", () => page.dump && save("address-space.svg", PT.mapNow(page)));
        $("ram").addEventListener("change", setRam);
        $("goto").addEventListener("change", goTo);
        document.addEventListener("keydown", onKey);
    }
    page.treeSvg = () => PT.pictureSvg(page.dump, page.findings, page.t);

    PT.start = function (preset) {
        document.head.append(PT.h("style", {}, PT.THEME));
        PT.listenToMap(page);
        PT.listenForLogs(page);
        listen();
        const wanted = preset.language || navigator.language;
        page.speak(/^zh/i.test(wanted) ? "zh" : "en");
        if (preset.ram) {
            page.ram = preset.ram;
            $("ram").value = PT.sizeText(preset.ram);
        }
        if (preset.logs)
            PT.load(page, preset.logs);
        const [dump, other] = [preset.dump, preset.other].map(number => {
            if (number > page.dumps.length)
                page.complain("status.noDump", number, page.dumps.length);
            return page.dumps[number - 1];
        });
        if (dump)
            page.show(dump);
        if (dump && other)
            page.compareWith(other);
    };
})();
