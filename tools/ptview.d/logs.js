// Where logs come from, opened, dropped or pasted, and the dumps of several as one list.
"use strict";

(function () {
    const $ = id => document.getElementById(id);

    const linesOf = text => text.trimEnd() ? text.trimEnd().split("\n").length : 0;

    // A name that no other log has: those of two boots may both be console.log.
    function freeName(name, logs) {
        const taken = new Set(logs.map(log => log.name));
        let free = name;
        for (let n = 2; taken.has(free); n++)
            free = `${name} (${n})`;
        return free;
    }

    // The dumps of all logs, numbered through; where there are several, each names its own.
    PT.joinLogs = function (logs) {
        const dumps = logs.flatMap(log => log.dumps.map(dump =>
            Object.assign(dump, {file: logs.length > 1 ? log.name : null})));
        dumps.forEach((dump, i) => dump.number = i + 1);
        return dumps;
    };

    // Shows logs, a list of {name, text}, beside those that are shown or instead of them. The
    // last dump is shown first: a session's last word is what its reader wants to see. A log
    // without a dump is said, and what was shown stays.
    PT.load = function (page, texts, complaints = []) {
        const kept = $("add").checked ? page.logs : [], logs = [...kept];
        for (const {name, text} of texts) {
            const dumps = PT.parse(text), lines = linesOf(text);
            if (dumps.length)
                logs.push({name: freeName(name, logs), dumps, lines});
            else
                complaints.push(page.t("status.none", name, lines));
        }
        const bad = complaints.length > 0;
        if (logs.length > kept.length) {
            page.logs = logs;
            page.dumps = PT.joinLogs(logs);
            page.other = null;
            page.show(page.dumps.at(-1));
            complaints.unshift(page.t("status.loaded", logs.map(log => log.name).join(", "),
                page.dumps.length, logs.reduce((sum, log) => sum + log.lines, 0)));
        }
        page.report(bad, complaints.join(" \u00b7 "));
    };

    // files is an array: the browser empties its own list when the event is over.
    async function loadFiles(page, files) {
        const texts = [], complaints = [];
        for (const file of files) {
            try {
                texts.push({name: file.name, text: await file.text()});
            } catch (e) {
                const key = e.name === "NotFoundError" ? "status.gone" : "status.cannotRead";
                complaints.push(page.t(key, file.name));
            }
        }
        PT.load(page, texts, complaints);
    }

    function listenToButtons(page) {
        $("open").addEventListener("click", () => $("file").click());
        $("file").addEventListener("change", () => {
            if ($("file").files.length)
                loadFiles(page, [...$("file").files]);
            $("file").value = "";
        });
        $("paste").addEventListener("click", () => {
            $("main").hidden = true;
            $("empty").hidden = false;
            $("text").focus();
        });
        $("show").addEventListener("click", () => loadText(page, $("text").value));
    }

    const loadText = (page, text) => PT.load(page, [{name: page.t("status.pasted"), text}]);

    function listenForDrops(page) {
        const over = on => event => {
            event.preventDefault();
            $("drop-here").hidden = !on;
        };
        document.addEventListener("dragover", over(true));
        document.addEventListener("dragleave", event => event.relatedTarget || over(false)(event));
        document.addEventListener("drop", event => {
            over(false)(event);
            const {files} = event.dataTransfer, text = event.dataTransfer.getData("text");
            if (files.length)
                loadFiles(page, [...files]);
            else if (text)
                loadText(page, text);
        });
        // Pasting anywhere but into a field is a log too.
        document.addEventListener("paste", event => {
            const text = event.clipboardData.getData("text");
            if (!/^(INPUT|TEXTAREA)$/.test(event.target.tagName) && text)
                loadText(page, text);
        });
    }

    PT.listenForLogs = function (page) {
        listenToButtons(page);
        listenForDrops(page);
    };
})();
