// Page tables as ptview draws them: which root, the picture, the entries that were just written,
// and what is known of the one that is pointed at.
"use strict";

(function () {
    const element = id => document.getElementById(id);
    const hex = value => "0x" + value.toString(16);
    const flagsOf = pte => PT.flagText(Number(pte & 0xffn));
    const OWN = "";  // the root that the hart has

    const addressOf = (entry, dump) =>
        (BigInt(entry.parent ? entry.parent.ppn : dump.root) << 12n) + BigInt(8 * entry.index);

    const allBelow = list => list.flatMap(entry => [entry, ...allBelow(entry.kids ?? [])]);

    // "", or whose it is and a colon.
    const ownerText = ({owner}, t) => owner ? t("root.owner", owner.pid, owner.name) : "";

    LIVE.rootName = (root, t) => ownerText(root, t) + t("root.name", hex(root.pa), root.asid);

    // The root that satp is changed to and from most often: the other view of the same process.
    function partnerOf(pa, roots, pairs) {
        const known = roots.filter(root => root.pa !== pa && pairs.get(pairKey(pa, root.pa)));
        return known.sort((a, b) => pairs.get(pairKey(pa, b.pa)) -
            pairs.get(pairKey(pa, a.pa)))[0]?.pa;
    }
    const pairKey = (a, b) => a < b ? `${a} ${b}` : `${b} ${a}`;

    LIVE.TableView = class {
        // ask gets messages for the worker; look: what is to be shown is another.
        constructor(ask, look) {
            Object.assign(this, {ask, look, drawn: "", pairs: new Map(), t: null});
            element("root").onchange = look;
            element("both").onchange = look;
            element("tables").addEventListener("click", event => this.point(event));
        }

        // Addresses of roots for the worker; null: the hart's own.
        wanted(view) {
            const chosen = element("root").value;
            if (!element("both").checked)
                return chosen === OWN ? null : [BigInt(chosen)];
            const pa = chosen === OWN ? view?.own?.pa : BigInt(chosen);
            if (pa === undefined)
                return null;
            const partner = partnerOf(pa, view?.roots ?? [], this.pairs);
            return partner === undefined ? [pa] : [pa, partner];
        }

        point(event) {
            const row = event.target.closest("[data-entry]");
            if (row)
                this.ask({entry: BigInt(row.dataset.entry)});
        }

        // A switch from one root to the other was made.
        paired(a, b) {
            this.pairs.set(pairKey(a, b), (this.pairs.get(pairKey(a, b)) ?? 0) + 1);
        }

        show(view, t) {
            this.t = t;
            this.showRoots(view, t);
            const first = view.tables[0];
            element("tables-about").textContent = !first ? t("tables.none") :
                view.tables.map(root => ownerText(root, t) + t("tables.about", 12 + 9 * root.levels,
                                          root.pa.toString(16), root.asid, root.tables) +
                    (root.left ? t("tables.left", root.left) : "")).join(" · ");
            this.showFresh(view.fresh, t);
            const stale = new Set(view.kept
                .filter(kept => LIVE.isStale(kept) && LIVE.mayBeMet(kept, view.roots))
                .map(kept => String(kept.pa)));
            const fresh = new Set(view.fresh.filter(event => event.just)
                .map(event => String(event.value[0])));
            const drawn = view.tables.map(({text}) => text).join("\n") +
                [...stale, "", ...fresh].join() + LIVE.language;
            if (drawn === this.drawn)
                return;
            this.drawn = drawn;
            element("tables").innerHTML =
                view.tables.map(root => this.picture(root, fresh, stale)).join("");
        }

        picture({text}, fresh, stale) {
            const [dump] = PT.parse(text), all = allBelow(dump.kids);
            const named = new Map(all.map(entry => [entry, String(addressOf(entry, dump))]));
            const of = set => all.filter(entry => set.has(named.get(entry)));
            const findings = [{severity: "error", entries: of(stale)}];
            return PT.pictureSvg(dump, findings, PT.translator(LIVE.language),
                                 {fresh: new Set(of(fresh)), nameOf: entry => named.get(entry)});
        }

        showRoots({roots, hart}, t) {
            const select = element("root"), before = select.value;
            const values = [[OWN, t("root.own", hart)], ...roots.map(root =>
                [String(root.pa), t("root.option", LIVE.rootName(root, t), root.switches)])];
            const unique = [...new Map(values.reverse()).entries()].reverse();
            const text = JSON.stringify(unique);
            if (this.options === text || document.activeElement === select)
                return;
            this.options = text;
            select.replaceChildren(...unique.map(([value, name]) => new Option(name, value)));
            select.value = unique.some(([value]) => value === before) ? before : OWN;
        }

        showFresh(events, t) {
            element("fresh").tBodies[0].replaceChildren(...events.map(event =>
                LIVE.eventRow(event, t, number => this.ask({move: "toEvent", number}))));
        }

        // What the worker answered.
        showEntry({pa, value, written, kept}) {
            const {t} = this, box = element("entry");
            const lines = [t("entry.is", hex(pa), value === null ? "?" : hex(value),
                             value === null ? "" : flagsOf(value))];
            lines.push(written ? t("entry.written", written.place, written.hart,
                                   written.when.toLocaleString("en-US"), hex(written.value[2])) :
                t("entry.unknown"));
            for (const each of kept)
                lines.push(t(LIVE.isStale(each) ? "entry.stale" : "entry.kept", each.hart,
                             hex(each.value)));
            box.replaceChildren(...lines.map(text => {
                const line = document.createElement("p");
                line.textContent = text;
                return line;
            }));
            box.hidden = false;
        }
    };
})();
