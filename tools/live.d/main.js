// The page: the machine's controls, and what it tells of itself.
"use strict";

(function () {
    const preset = JSON.parse(document.getElementById("preset").textContent);
    const element = id => document.getElementById(id);
    const LOOK_EVERY_MS = 400, STORY_SPAN = 100000;  // instructions of the time line
    const TABS = ["tables", "kept", "frames", "events", "diagnosis"];
    const KEYS = {F10: "step", F9: "call", F7: "trap", F6: "table"};
    const BACK = {step: "back", call: "uncall", event: "unevent"};
    const page = LIVE.page = {worker: null, inside: null, chosen: {}, findings: [], last: null,
                              wrong: null, seen: null, tab: "tables", moved: null, moves: 0,
                              diagnosis: [], asked: 0};
    let t, terminal, registers, tables, kept, frames, timeline, events, diagnosis, teller;
    let looked = 0;

    // ---- the machine ----
    function optionsNow() {
        const {kernel, disk} = page.chosen, foreign = kernel !== undefined;
        const number = id => Number(element(id).value);
        const design = element("design").value, words = element("append").value.trim();
        const disks = disk ? [disk] : foreign ? [] : [page.inside.disk];
        return {kernel: kernel ?? withoutForgotten(page.inside.kernel), disks,
                harts: number("harts"), seed: element("seed").value.trim(), mib: number("mib"),
                mode: number("mode"),
                legacyDisk: element("legacy").checked ? 1 : 0,
                append: [foreign ? "" : `design=${design}`, words].join(" ").trim()};
    }

    // Why there can be no such machine, or null.
    function mistake({seed, harts}) {
        if (!/^\d{1,20}$/.test(seed) || BigInt(seed) >> 64n)
            return t("wrong.seed", seed);
        if (!(Number.isInteger(harts) && harts >= 1 && harts <= 8))
            return t("wrong.harts", harts);
        return null;
    }

    // A new worker each time: the memory of the old one goes with it.
    function reset({commands, paused} = {}) {
        const options = optionsNow(), why = mistake(options);
        if (why)
            return complain(why);
        page.worker?.terminate();
        Object.assign(page, {findings: [], last: null, wrong: null, seen: null, moved: null,
                             diagnosis: []});
        diagnosis.show([], page.language, t);
        terminal.clear();
        timeline.clear(teller.story ? STORY_SPAN : null);
        element("entry").hidden = true;
        element("progress").hidden = false;
        fill("hart", [...Array(options.harts).keys()]);
        page.worker = new Worker(page.code);
        page.worker.onmessage = ({data}) => hear(data);
        page.worker.onerror = event => complain(t("wrong.browser", event.message));
        const stops = teller.story?.stops;
        page.worker.postMessage({create: options, code: page.inside.wasm, commands, stops,
                                 paused: paused || stops !== undefined});
        showFindings();
        showState();
    }

    function hear(data) {
        if (data.state)
            return hearState(data);
        for (const [name, act] of Object.entries(heard))
            if (data[name] !== undefined)
                act(data[name], data);
    }

    const heard = {
        output: bytes => terminal.write(bytes),
        screen: bytes => {
            terminal.clear();
            terminal.write(bytes);
        },
        findings: list => {
            page.findings = list.map(({text}) => text);
            showFindings();
        },
        diagnosis: (list, {asked, over}) => {
            page.diagnosis = list;
            diagnosis.show(list, page.language, t);
            if (asked)
                page.asked++;
            if (over && list.length && !teller.story)
                showTab("diagnosis");
        },
        made: () => {
            element("progress").hidden = true;
            teller.made();
        },
        wrong: text => complain(text),
        view: view => showView(view),
        ticks: ticks => hearTicks(ticks),
        near: list => events.show(list, page.last?.instructions ?? 0, t),
        entry: entry => tables.showEntry(entry),
        frame: frame => frames.showFrame(frame),
        moved: (move, {found}) => {
            page.moves++;
            if (move === "tell")
                teller.told(found);
            page.moved = found ? null : t("moved.none");
            showState();
        },
    };

    function hearTicks(ticks) {
        timeline.add(ticks);
        for (const [a, b] of ticks.pairs)
            tables.paired(a, b);
    }

    function hearState(data) {
        const stopped = !data.running &&
            (page.last?.running !== false || page.last.instructions !== data.instructions);
        if (stopped)
            element("hart").value = data.hart;
        page.last = data;
        page.moved = null;
        timeline.state(data);
        showState();
        if (!data.running)
            look();
    }

    function ask(message) {
        page.worker?.postMessage(message);
    }

    function look() {
        looked = performance.now();
        ask({look: {hart: Number(element("hart").value), roots: tables.wanted(page.seen),
                    frames: page.tab === "frames", kept: ["tables", "kept"].includes(page.tab)}});
        if (page.tab === "events" && page.last)
            ask({near: page.last.event ?? page.last.events});
    }

    // ---- shown ----
    function complain(text) {
        page.wrong = text;
        element("progress").hidden = true;
        showState();
    }

    function stateText({state, running, code}) {
        const paused = {runs: "paused", waits: "paused.waits"}[state];
        return t(`state.${!running && paused ? paused : state}`, code);
    }

    function showState() {
        const {last, wrong} = page, status = element("status");
        const over = last && ["off", "reset", "failed"].includes(last.state);
        element("run").textContent = t(last?.running ? "pause" : "run");
        for (const id of ["run", "step", "step-many"])
            element(id).disabled = !last || over && !last.past;
        element("step-back").disabled = !last || last.instructions === 0;
        element("to-end").disabled = !last?.past;
        status.className = wrong ? "bad" : "";
        status.textContent = wrong ?? (!last ? t("state.starts") :
            t("status", stateText(last), last.instructions.toLocaleString("en-US"),
              (last.ns / 1e9).toFixed(3), last.hart, last.place) +
            (last.past ? " · " + t("state.past") : "") +
            (page.moved ? " · " + page.moved : ""));
        const {kernel, disk} = page.chosen;
        element("kernel-name").textContent = kernel?.name ?? "Trellis";
        element("disk-name").textContent = disk?.name ?? (kernel ? t("none") : "Trellis");
        element("back").disabled = !kernel && !disk;
        element("design-part").hidden = kernel !== undefined;
    }

    function showFindings() {
        const count = page.findings.length;
        element("findings-title").textContent =
            count ? t("findings", count) : t("findings.none");
        element("findings").replaceChildren(...page.findings.map(text => {
            const item = document.createElement("li");
            item.textContent = text;
            return item;
        }));
    }

    function showView(view) {
        page.seen = view;
        registers.show(view);
        if (page.tab === "tables")
            tables.show(view, t);
        else if (page.tab === "kept")
            kept.show(view, t);
        else if (page.tab === "frames")
            frames.show(view, t);
    }

    function showTab(name) {
        page.tab = name;
        for (const each of TABS) {
            element(`${each}-panel`).hidden = each !== name;
            element(`tab-${each}`).setAttribute("aria-selected", String(each === name));
        }
        look();
    }

    function fill(id, values) {
        const select = element(id), before = select.value;
        select.replaceChildren(...values.map(value => new Option(value, value)));
        if (values.map(String).includes(before))
            select.value = before;
    }

    function speak(language) {
        page.language = LIVE.language = language;
        t = LIVE.translator(language);
        document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
        for (const part of document.querySelectorAll("[data-t]"))
            part.textContent = t(part.dataset.t);
        for (const part of document.querySelectorAll("[data-t-title]")) {
            part.title = t(part.dataset.tTitle);
            part.setAttribute("aria-label", part.title);
        }
        element("run").title = t("run.title");
        teller.speak(page.language, t);
        diagnosis.show(page.diagnosis, language, t);
        showState();
        showFindings();
        if (page.seen)
            showView(page.seen);
    }

    // ---- stories ----
    // With the settings that it names, and Trellis as it is or without what the story forgets.
    function beginStory(story) {
        page.chosen = {};
        for (const [id, value] of Object.entries({...page.usual, ...story?.settings}))
            element(id).value = value;
        if (page.inside)
            reset();
    }

    function withoutForgotten({name, bytes}) {
        const {patches} = teller.story ?? {patches: []}, changed = bytes.slice();
        for (const {at, words} of patches)
            changed.set(words, at);
        return {name, bytes: changed};
    }

    // ---- asked for ----
    const toggle = () => ask({run: !page.last?.running});
    // To the next of what is chosen, or to the one before.
    function step(back, kind = element("kind").value) {
        const move = kind === "step" || kind === "call" ? kind : "event";
        ask({move: back ? BACK[move] : move, kinds: [kind], count: 1,
             hart: Number(element("hart").value)});
    }
    function stepMany() {
        const count = Math.floor(Number(element("count").value));
        if (count >= 1)
            ask({move: "step", count});
    }

    function takeFiles(files) {
        teller.story = null;
        teller.draw();
        if (files.kernel && !files.disk)
            delete page.chosen.disk;  // that of another kernel
        Object.assign(page.chosen, files);
        reset();
    }

    function listen() {
        element("run").onclick = toggle;
        element("step").onclick = () => step(false);
        element("step-back").onclick = () => step(true);
        for (const name of TABS)
            element(`tab-${name}`).onclick = () => showTab(name);
        element("step-many").onclick = stepMany;
        element("reset").onclick = () => reset();
        element("hart").onchange = look;
        element("language").onclick = () => speak(page.language === "zh" ? "en" : "zh");
        element("back").onclick = () => {
            page.chosen = {};
            reset();
        };
        document.addEventListener("keydown", event => {
            const kind = KEYS[event.key], other = event.ctrlKey || event.altKey || event.metaKey;
            if (other || !kind && event.key !== "F8" || !page.last)
                return;
            event.preventDefault();
            if (kind)
                step(event.shiftKey, kind);
            else
                toggle();
        });
        LIVE.listenForFiles(takeFiles);
        setInterval(() => {
            if (page.last?.running && !document.hidden &&
                performance.now() - looked >= LOOK_EVERY_MS)
                look();
        }, LOOK_EVERY_MS);
    }

    async function start() {
        const inside = JSON.parse(element("inside").textContent);
        terminal = page.terminal = new LIVE.Terminal(element("screen"), element("keys"),
                                                     bytes => ask({type: bytes}));
        registers = new LIVE.RegisterView();
        tables = new LIVE.TableView(ask, look);
        kept = new LIVE.KeptView();
        frames = new LIVE.FrameView(ask);
        timeline = new LIVE.TimeLine(ask);
        events = new LIVE.EventList(ask);
        diagnosis = new LIVE.DiagnosisView(inside.doctor, () => ask({diagnose: true}));
        teller = page.teller = new LIVE.Teller(inside.stories,
                                               {begin: beginStory, ask, show: showTab});
        const language = preset.language ?? navigator.language;
        speak(language.startsWith("zh") ? "zh" : "en");
        fill("design", inside.designs);
        element("design").value = inside.design;
        for (const [id, value] of Object.entries(preset.settings ?? {}))
            element(id).value = value;
        page.usual = Object.fromEntries(["design", "harts", "seed", "append"].map(
            id => [id, element(id).value]));
        listen();
        showTab(page.tab);
        page.code = URL.createObjectURL(new Blob([element("worker").textContent],
                                                 {type: "text/javascript"}));
        const [wasm, kernel, disk] = await Promise.all(
            [inside.wasm, inside.kernel, inside.disk].map(LIVE.unpack));
        page.inside = {wasm, kernel: {name: "Trellis", bytes: kernel},
                       disk: {name: "Trellis", bytes: disk}};
        if (preset.story)
            teller.choose(preset.story);
        else
            reset(preset);
        element("keys").focus();
    }

    start().catch(e => complain(t("wrong.browser", e.message)));
})();
