// Draws each dump of the report as ptview does (tools/ptview.d/picture.js).
"use strict";

(function () {
    const t = PT.translator(LANGUAGE);
    for (const figure of document.querySelectorAll("figure")) {
        const dumps = PT.parse(figure.querySelector(".dump").textContent);
        if (dumps.length)
            figure.querySelector(".tree").innerHTML =
                PT.pictureSvg(dumps[0], PT.check(dumps, dumps[0], null), t);
    }
})();
