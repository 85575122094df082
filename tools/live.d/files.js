// The files inside of the page, and those that a person chooses or drops.
"use strict";

(function () {
    const element = id => document.getElementById(id);

    // base64 of gzip
    LIVE.unpack = async function (text) {
        const packed = Uint8Array.from(atob(text), c => c.charCodeAt(0));
        const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
        return new Uint8Array(await new Response(stream).arrayBuffer());
    };

    const isElf = bytes => [0x7f, 0x45, 0x4c, 0x46].every((byte, i) => bytes[i] === byte);

    async function read(files) {
        return Promise.all([...files].map(async file =>
            ({name: file.name, bytes: new Uint8Array(await file.arrayBuffer())})));
    }

    // take gets {kernel} or {disk} or both.
    LIVE.listenForFiles = function (take) {
        for (const what of ["kernel", "disk"]) {
            const input = element(`${what}-file`);
            element(`open-${what}`).onclick = () => input.click();
            input.onchange = async () => {
                const [file] = await read(input.files);
                input.value = "";
                if (file)
                    take({[what]: file});
            };
        }
        const over = on => event => {
            if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files"))
                return;
            event.preventDefault();
            element("drop-here").hidden = !on;
        };
        document.addEventListener("dragenter", over(true));
        document.addEventListener("dragover", over(true));
        document.addEventListener("dragleave", event => {
            if (!event.relatedTarget)
                over(false)(event);
        });
        document.addEventListener("drop", async event => {
            over(false)(event);
            const taken = {};
            for (const file of await read(event.dataTransfer.files))
                taken[isElf(file.bytes) ? "kernel" : "disk"] = file;
            if (taken.kernel || taken.disk)
                take(taken);
        });
    };
})();
