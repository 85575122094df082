// What the doctor says, in words: as tools/doctorwords.py makes them of tools/doctor.d/*.txt.
"use strict";

(function () {
    const KEYS = ["title", "what", "course", "look"];
    const TEXTS = ["cause", "why", "same_hart", "interrupts"];  // facts that are texts themselves
    const PANIC = "panic: ";

    // The text with its {facts}; null: it has one that there is not.
    function filled(text, facts) {
        const names = [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]);
        return names.every(name => Object.hasOwn(facts, name)) ?
            text.replace(/\{(\w+)\}/g, (whole, name) => String(facts[name])) : null;
    }

    LIVE.DoctorWords = class {
        // sections: {section: {key: [text, ...]}}
        constructor(sections) {
            this.sections = sections;
        }

        // A text of the report itself.
        say(key, facts = {}) {
            return filled(this.sections.report[key][0], facts);
        }

        word(key, facts) {
            const texts = this.sections.words[key];
            return texts ? filled(texts[0], facts) : null;
        }

        // What is known of these words of a panic: the section with the most of them in common.
        panicSection(text) {
            let found = null;
            for (const name of Object.keys(this.sections)) {
                const words = name.startsWith(PANIC) ? name.slice(PANIC.length) : null;
                if (words !== null && text.includes(words) && words.length > (found?.length ?? -1))
                    found = words;
            }
            return found === null ? {} : this.sections[PANIC + found];
        }

        // What the texts may name.
        factsOf(diagnosis) {
            const facts = {...diagnosis.facts, hart: diagnosis.hart};
            if (diagnosis.where)
                facts.where = diagnosis.where;
            if ("cause" in facts)
                facts.cause_number = facts.cause;
            for (const name of TEXTS)
                if (name in facts)
                    facts[name] = this.word(`${name}.${facts[name]}`, facts) || facts[name];
            return facts;
        }

        // {title, what, course, look}, each a list of texts.
        explain(diagnosis) {
            const facts = this.factsOf(diagnosis), told = {}, {name} = diagnosis;
            const section = this.sections[name] ?? this.sections.finding;
            const panic = this.panicSection(facts.panic ?? "");
            for (const key of KEYS) {
                const own = section[key] ?? [], ofPanic = panic[key] ?? [];
                const texts = name !== "panic" ? own.concat(key === "course" ? ofPanic : []) :
                    ofPanic.length ? ofPanic : own;
                told[key] = texts.map(text => filled(text, facts)).filter(Boolean);
            }
            if (diagnosis.facts.silent)
                told.what.push(this.say("silent"));
            return told;
        }

        // The paragraphs of a diagnosis below its title.
        paragraphs(diagnosis) {
            const {what, course, look} = this.explain(diagnosis), {where, hart, stack} = diagnosis;
            const place = !where ? [] : [this.say(hart >= 0 ? "where" : "where-alone",
                                                  {where, hart})];
            return [...place, ...what, ...course.map(text => this.say("course", {text})),
                    ...look.map(text => this.say("look", {text})),
                    ...(stack.length > 1 ? [this.say("stack", {stack: stack.join(" <- ")})] : [])];
        }
    };

    // The panel. ask: somebody wants a diagnosis; sections: of each language.
    LIVE.DiagnosisView = class {
        constructor(sections, ask) {
            Object.assign(this, {sections, list: []});
            document.getElementById("diagnose").onclick = ask;
        }

        show(list, language, t) {
            const words = new LIVE.DoctorWords(this.sections[language]);
            const element = id => document.getElementById(id), {length} = list;
            this.list = list;
            element("tab-diagnosis").textContent = length ? t("diagnosis.count", length) :
                t("diagnosis");
            element("tab-diagnosis").classList.toggle("ill", length > 0);
            element("diagnosis-about").textContent =
                t(length ? "diagnosis.some" : "diagnosis.none");
            element("diagnosis").replaceChildren(...list.map((each, i) =>
                this.item(each, i, words, t)));
        }

        item(diagnosis, i, words, t) {
            const item = document.createElement("li"), whole = document.createElement("details");
            const summary = document.createElement("summary");
            const more = diagnosis.forgive ? [t("diagnosis.hidden")] : [];
            summary.textContent = words.explain(diagnosis).title[0];
            whole.open = i === 0;
            whole.append(summary, ...[...more, ...words.paragraphs(diagnosis)].map(text => {
                const paragraph = document.createElement("p");
                paragraph.textContent = text;
                return paragraph;
            }));
            item.append(whole);
            return item;
        }
    };
})();
