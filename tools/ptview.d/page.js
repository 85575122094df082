// The page's state, and what changes it. The panels (side.js, tree.js, detail.js, mapview.js)
// draw what the state says: each has PT.panels.NAME(page).
//
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
        language: "en", t: null, dumps: [], dump: null, other: null, findings: [], changes: [],
        selected: null, ram: undefined, mode: "gaps", view: {from: 0, to: 1},
    };

    // ---- what the state follows from ----
    // Size of RAM in pages: typed in, else what the log says, else null.
    const ramOf = dump => page.ram === undefined ? dump.ram : page.ram;
    PT.findingsOf = dump => PT.check(page.dumps, dump, ramOf(dump));

    function refresh() {
        $("main").hidden = !page.dump;
        $("empty").hidden = !!page.dump;
        $("cancel").hidden = !page.dump;
        $("save-tree").disabled = $("save-map").disabled = !page.dump;
        if (!page.dump)
            return;
        page.findings = PT.findingsOf(page.dump);
        page.changes = page.other ? PT.compare(page.other, page.dump) : [];
        for (const draw of Object.values(PT.panels))
            draw(page);
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

    // ---- loading ----
    function say(bad, key, ...args) {
        $("status").textContent = page.t(key, ...args);
        $("status").classList.toggle("bad", bad);
    }
    page.say = (key, ...args) => say(false, key, ...args);
    page.complain = (key, ...args) => say(true, key, ...args);

    const linesOf = log => log.trimEnd() ? log.trimEnd().split("\n").length : 0;

    // Shows a log's last dump: a session's last word is what its reader wants to see.
    page.load = function (log, name) {
        const lines = linesOf(log);
        const dumps = PT.parse(log);
        if (!dumps.length)
            return page.complain("status.none", name, lines);
        page.dumps = dumps;
        page.other = null;
        page.show(dumps.at(-1));
        page.say("status.loaded", name, dumps.length, lines);
    };

    async function loadFile(file) {
        try {
            page.load(await file.text(), file.name);
        } catch (e) {
            page.complain("status.cannotRead", file.name);
            throw e;
        }
    }

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
        onClick("open", () => $("file").click());
        $("file").addEventListener("change", () => {
            if ($("file").files.length)
                loadFile($("file").files[0]);
            $("file").value = "";
        });
        onClick("paste", () => {
            $("main").hidden = true;
            $("empty").hidden = false;
            $("text").focus();
        });
        onClick("cancel", refresh);
        onClick("show", () => page.load($("text").value, page.t("status.pasted")));
        onClick("language", () => page.speak(page.language === "en" ? "zh" : "en"));
        onClick("help", () => $("help-box").showModal());
        onClick("save-tree", () => page.dump && save("page-table.svg", page.treeSvg()));
        onClick("save-map", () => page.dump && save("address-space.svg", PT.mapNow(page)));
        $("ram").addEventListener("change", setRam);
        $("goto").addEventListener("change", goTo);
        document.addEventListener("keydown", onKey);
        listenForDrops();
    }
    page.treeSvg = () => PT.pictureSvg(page.dump, page.findings, page.t);

    function listenForDrops() {
        const over = on => event => {
            event.preventDefault();
            $("drop-here").hidden = !on;
        };
        document.addEventListener("dragover", over(true));
        document.addEventListener("dragleave", event => event.relatedTarget || over(false)(event));
        document.addEventListener("drop", event => {
            over(false)(event);
            const file = event.dataTransfer.files[0], text = event.dataTransfer.getData("text");
            if (file)
                loadFile(file);
            else if (text)
                page.load(text, page.t("status.pasted"));
        });
        // Pasting anywhere but into a field is a log too.
        document.addEventListener("paste", event => {
            const text = event.clipboardData.getData("text");
            if (!/^(INPUT|TEXTAREA)$/.test(event.target.tagName) && text)
                page.load(text, page.t("status.pasted"));
        });
    }

    PT.start = function (preset) {
        document.head.append(PT.h("style", {}, PT.THEME));
        PT.listenToMap(page);
        listen();
        const wanted = preset.language || navigator.language;
        page.speak(/^zh/i.test(wanted) ? "zh" : "en");
        if (preset.ram) {
            page.ram = preset.ram;
            $("ram").value = PT.sizeText(preset.ram);
        }
        if (preset.log !== undefined)
            page.load(preset.log, preset.name);
        if (page.dumps[preset.dump - 1])
            page.show(page.dumps[preset.dump - 1]);
    };
})();
