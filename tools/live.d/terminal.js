// A small terminal: what a machine prints, as lines of text, and keys as bytes. It knows CR, LF,
// BS and tabs; escape sequences are left out, but for the one that empties the screen.
"use strict";

// What keys send that stand for no text: as ANSI terminals do.
LIVE.KEYS = {Enter: "\r", Backspace: "\x7f", Escape: "\x1b", Delete: "\x1b[3~",
             ArrowUp: "\x1b[A", ArrowDown: "\x1b[B", ArrowRight: "\x1b[C", ArrowLeft: "\x1b[D",
             Home: "\x1b[H", End: "\x1b[F"};

LIVE.Terminal = class {
    // screen: an element for lines; keys: a textarea that has the focus while one types, so that
    // input methods and the keyboards of telephones work. send gets bytes.
    constructor(screen, keys, send) {
        Object.assign(this, {screen, keys, send});
        this.done = screen.appendChild(document.createElement("div"));  // lines that are complete
        this.last = screen.appendChild(document.createElement("span"));
        this.clear();
        keys.addEventListener("keydown", event => this.keydown(event));
        keys.addEventListener("input", event => this.typed(event));
        keys.addEventListener("compositionend", () => this.takeText());
        screen.addEventListener("mouseup", () => {
            if (getSelection().isCollapsed)
                keys.focus({preventScroll: true});
        });
    }

    clear() {
        this.done.textContent = "";
        this.line = [];
        this.column = 0;
        this.escape = "";
        this.decoder = new TextDecoder();
        this.fresh = [];
        this.kept = 0;
        this.draw();
    }

    get text() {
        return this.done.textContent + this.fresh.join("") + this.line.join("");
    }

    // ---- what is printed ----
    write(bytes) {
        for (const c of this.decoder.decode(bytes, {stream: true}))
            this.put(c);
        if (!this.asked)
            this.asked = requestAnimationFrame(() => this.draw());
    }

    put(c) {
        if (this.escape || c === "\x1b")
            this.escaped(c);
        else if (c === "\n")
            this.newLine();
        else if (c === "\r")
            this.column = 0;
        else if (c === "\b")
            this.column = Math.max(0, this.column - 1);
        else if (c === "\t")
            do this.show(" "); while (this.column % 8);
        else if (c >= " " && c !== "\x7f")
            this.show(c);
    }

    show(c) {
        while (this.line.length < this.column)
            this.line.push(" ");
        this.line[this.column++] = c;
    }

    newLine() {
        this.fresh.push(this.line.join("") + "\n");
        this.line = [];
        this.column = 0;
    }

    escaped(c) {
        const CSI = "\x1b[", csi = this.escape.startsWith(CSI);
        this.escape += c;
        if (csi ? !/[@-~]/.test(c) : c === "\x1b" || this.escape === CSI)
            return;
        if (this.escape === "\x1b[2J")
            this.clear();
        this.escape = "";
    }

    draw() {
        this.asked = 0;
        const {screen, done} = this, LINES = 5000;
        const below = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 30;
        for (const line of this.fresh.slice(-LINES))
            done.append(line);
        this.fresh = [];
        while (done.childNodes.length > LINES)
            done.firstChild.remove();
        const at = this.column, cursor = document.createElement("b");
        cursor.textContent = this.line[at] ?? " ";
        this.last.replaceChildren(this.line.slice(0, at).join(""), cursor,
                                  this.line.slice(at + 1).join(""));
        if (below)
            screen.scrollTop = screen.scrollHeight;
    }

    // ---- what is typed ----
    sendText(text) {
        this.send(new TextEncoder().encode(text.replace(/\r?\n/g, "\r")));
        this.screen.scrollTop = this.screen.scrollHeight;
    }

    keydown(event) {
        const {ctrlKey, altKey, metaKey, shiftKey, key} = event, other = altKey || metaKey;
        let text = ctrlKey || other ? undefined : LIVE.KEYS[key];
        // Ctrl-Shift-C and Ctrl-V are the browser's: copy and paste.
        if (ctrlKey && !other && !shiftKey && /^[a-z\\]$/.test(key) && key !== "v")
            text = String.fromCharCode(key.charCodeAt(0) & 31);
        if (text === undefined || event.isComposing)
            return;
        event.preventDefault();
        this.sendText(text);
    }

    typed(event) {
        if (!event.isComposing)
            this.takeText();
    }

    takeText() {
        const text = this.keys.value;
        this.keys.value = "";
        if (text)
            this.sendText(text);
    }
};
