// The bar in which a story is told: which one, its sentences, to and fro.
"use strict";

(function () {
    const element = id => document.getElementById(id);

    LIVE.Teller = class {
        // begin gets the story that was chosen, or null at its end; ask: messages for the worker;
        // show: the name of a tab.
        constructor(stories, {begin, ask, show}) {
            Object.assign(this, {stories, begin, ask, show, story: null, at: -1, wanted: 0});
            element("story-choice").onchange = () => this.choose(element("story-choice").value);
            element("story-next").onclick = () => this.go(this.at + 1);
            element("story-before").onclick = () => this.go(this.at - 1);
            element("story-end").onclick = () => this.choose("");
        }

        choose(name) {
            this.story = this.stories.find(story => story.name === name) ?? null;
            this.at = -1;
            this.begin(this.story);
            this.draw();
        }

        // The machine has been made.
        made() {
            if (this.story)
                this.go(0);
        }

        go(number) {
            if (!this.story?.stops[number])
                return;
            this.wanted = number;
            element("story-next").disabled = element("story-before").disabled = true;
            this.ask({move: "tell", number});
        }

        // The worker has gone there, or not.
        told(found) {
            if (!found)
                this.failed = true;
            else
                this.at = this.wanted;
            const {show} = this.story?.stops[this.at] ?? {};
            if (show)
                this.show(show);
            this.draw();
        }

        speak(language, t) {
            Object.assign(this, {language, t});
            const choice = element("story-choice"), before = this.story?.name ?? "";
            choice.replaceChildren(new Option(t("story.none"), ""), ...this.stories.map(
                story => new Option(story.title[language], story.name)));
            choice.value = before;
            this.draw();
        }

        draw() {
            const {story, language, t} = this, box = element("story");
            box.hidden = !story;
            element("story-choice").value = story?.name ?? "";
            if (!story)
                return;
            const stop = story.stops[this.at], count = story.stops.length;
            element("story-title").textContent = story.title[language];
            element("story-count").textContent = t("story.count", Math.max(1, this.at + 1), count);
            element("story-text").textContent = stop ? stop.text[language] : t("state.starts");
            element("story-stop").textContent = stop ? stop.line : "";
            element("story-changed").textContent = story.forget.length ?
                t("story.forgets", story.forget.join("; ")) : "";
            element("story-before").disabled = this.at < 1;
            element("story-next").disabled = this.at + 1 >= count;
        }
    };
})();
