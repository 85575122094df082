// The tree with fold and unfold. Some entries alike that follow each other are one item, which
// unfolds to its pages; what is folded is not in the document, so that a table of all of RAM is
// as quick as a small one.
"use strict";

(function () {
    const $ = id => document.getElementById(id), h = (...args) => PT.h(...args);
    const RUN = 4;         // so many neighbours alike become one item
    const UNFOLDED = 200;  // tables are unfolded at first while there are no more items than that

    // ---- what is shown: nodes {entry or run, kids} ----
    const alike = (a, b) => PT.isLeaf(a) && PT.isLeaf(b) && a.index + 1 === b.index &&
        a.flags === b.flags && a.high === b.high;

    function nodesOf(list) {
        const runs = [];
        for (const entry of list) {
            const run = runs.at(-1);
            if (run && alike(run.at(-1), entry))
                run.push(entry);
            else
                runs.push([entry]);
        }
        return runs.flatMap(run => run.length >= RUN ? [{run}] : run.map(entry => ({entry})));
    }

    const kidsOf = node => node.run ? node.run.map(entry => ({entry})) :
        node.entry.kids ? nodesOf(node.entry.kids) : [];
    const first = node => node.run ? node.run[0] : node.entry;

    // ---- drawing ----
    function swatch(entry) {
        if (PT.isKept(entry))
            return h("span", {class: "swatch table"}, PT.page.t("tree.kept"));
        if (PT.isTable(entry))
            return h("span", {class: "swatch table"}, PT.page.t("tree.table"));
        const hatched = entry.flags & PT.U ? "" : " hatched";
        return h("span", {class: `swatch ${PT.colourOf(entry.flags)}${hatched}`},
                 PT.permissionText(entry.flags));
    }

    function label(node, page) {
        const entry = first(node), {t} = page;
        const index = node.run ? `${entry.index}\u2013${node.run.at(-1).index}` : `${entry.index}`;
        const pages = node.run ? node.run.length * PT.pagesOf(entry) : PT.pagesOf(entry);
        const where = PT.isTable(entry) ? PT.vaShort(entry.vpn, page.dump.levels) :
            pages === 1 ? PT.vaShort(entry.vpn, page.dump.levels) :
                PT.rangeText(entry.vpn, pages, page.dump.levels);
        const what = node.run ? t("tree.run", node.run.length) : `pa ${PT.paShort(entry.ppn)}`;
        return [h("b", {class: "mono"}, index), swatch(entry), h("span", {class: "mono"}, where),
                h("span", {class: "dim mono"}, what), ...badges(node, page)];
    }

    function badges(node, page) {
        const entries = node.run || [node.entry];
        const kinds = new Set(entries.map(e => page.changedLeaves.get(e)));
        const out = PT.KINDS.filter(kind => kinds.has(kind)).map(kind =>
            h("span", {class: "badge " + kind}, page.t("compare." + kind)));
        if (entries.some(e => page.flagged.has(e)))
            out.push(h("span", {class: "flag", title: page.t("tree.flag")}, "\u26a0"));
        return out;
    }

    function item(node, page, depth) {
        const foldable = kidsOf(node).length > 0;
        const fold = h("span", {class: "fold"}, foldable ? "\u25b8" : "");
        const li = h("li", {role: "treeitem", tabindex: -1, "aria-level": depth,
                            "aria-expanded": foldable ? "false" : null, "aria-selected": "false"},
                     h("div", {class: "row"}, fold, ...label(node, page)));
        li.node = node;
        li.depth = depth;
        li.querySelector(".row").addEventListener("click", event => {
            if (event.target === fold)
                return setFolded(li, li.getAttribute("aria-expanded") === "true");
            choose(li);
        });
        return li;
    }

    function setFolded(li, folded) {
        if (!li.hasAttribute("aria-expanded"))
            return;
        li.setAttribute("aria-expanded", String(!folded));
        li.querySelector(".fold").textContent = folded ? "\u25b8" : "\u25be";
        li.querySelector(":scope > ul")?.remove();
        if (!folded)
            li.append(h("ul", {role: "group"},
                        ...kidsOf(li.node).map(node => item(node, PT.page, li.depth + 1))));
    }

    function unfoldTables(items, budget) {
        for (const li of items) {
            const count = li.node.entry?.kids ? kidsOf(li.node).length : 0;
            if (!count || count > budget)
                continue;
            setFolded(li, false);
            budget = unfoldTables([...li.querySelectorAll(":scope > ul > li")], budget - count);
        }
        return budget;
    }

    PT.panels.tree = function (page) {
        page.flagged = new Set(page.findings.filter(f => f.severity !== "note")
            .flatMap(f => f.entries));
        page.changedLeaves = new Map(page.changes.flatMap(range => range.changes)
            .filter(c => c.is).map(c => [c.is, c.kind]));
        const items = nodesOf(page.dump.kids).map(node => item(node, page, 1));
        $("tree").replaceChildren(...items);
        unfoldTables(items, UNFOLDED);
        if (items.length)
            items[0].tabIndex = 0;
        PT.panels.mark(page);
    };

    // ---- selecting ----
    function choose(li) {
        focus(li, false);
        PT.page.select(first(li.node).vpn, first(li.node));
    }

    const allItems = () => [...$("tree").querySelectorAll("[role=treeitem]")];

    function focus(li, really = true) {
        for (const other of $("tree").querySelectorAll("[tabindex='0']"))
            other.tabIndex = -1;
        li.tabIndex = 0;
        if (really)
            li.focus();
    }

    // The items from the root to the entry of a page, unfolded on the way.
    function itemsTo(page, entry) {
        const path = [];
        for (let e = entry; e; e = e.parent)
            path.unshift(e);
        let list = $("tree"), found = null;
        for (const step of path) {
            for (;;) {
                const li = [...list.children].find(x =>
                    x.node.entry === step || x.node.run && x.node.run.includes(step));
                if (!li)
                    return found;
                found = li;
                if (li.node.entry === step && step === entry)
                    return li;
                if (li.getAttribute("aria-expanded") !== "true")
                    setFolded(li, false);
                list = li.querySelector(":scope > ul");
                if (!li.node.run)
                    break;
            }
        }
        return found;
    }

    // Marks the selected entry where it is in the document.
    PT.panels.mark = function (page) {
        for (const li of $("tree").querySelectorAll("[aria-selected=true]"))
            li.setAttribute("aria-selected", "false");
        const entry = page.selected && page.selected.entry;
        const li = entry && allItems().find(x => x.node.entry === entry ||
            x.node.run && x.node.run.includes(entry) && x.getAttribute("aria-expanded") !== "true");
        if (li)
            li.setAttribute("aria-selected", "true");
    };

    // Unfolds the tree down to the selection and scrolls it into sight.
    PT.revealInTree = function (page) {
        if (!page.selected || !page.selected.entry)
            return;
        const li = itemsTo(page, page.selected.entry);
        PT.panels.mark(page);
        if (li) {
            focus(li, false);
            li.querySelector(".row").scrollIntoView({block: "nearest"});
        }
    };

    // ---- keyboard, as trees have it ----
    function toParent(li) {
        const parent = li.parentElement.closest("[role=treeitem]");
        if (parent)
            focus(parent);
    }

    const MOVES = {
        ArrowDown: (li, items) => focus(items[items.indexOf(li) + 1] || li),
        ArrowUp: (li, items) => focus(items[items.indexOf(li) - 1] || li),
        Home: (li, items) => focus(items[0]),
        End: (li, items) => focus(items.at(-1)),
        ArrowRight: (li, items) => {
            if (li.getAttribute("aria-expanded") === "false")
                setFolded(li, false);
            else if (li.getAttribute("aria-expanded") === "true")
                focus(items[items.indexOf(li) + 1]);
        },
        ArrowLeft: li => {
            if (li.getAttribute("aria-expanded") === "true")
                setFolded(li, true);
            else
                toParent(li);
        },
        Enter: li => choose(li),
        " ": li => choose(li),
    };

    document.addEventListener("keydown", event => {
        const li = event.target.closest?.("#tree [role=treeitem]");
        const move = li && MOVES[event.key];
        if (!move || event.ctrlKey || event.metaKey || event.altKey)
            return;
        event.preventDefault();
        move(li, allItems());
    });
})();
