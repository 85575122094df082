"""The doctor's report as one HTML file, which needs no network. The page tables are drawn by
ptview's own code (tools/ptview.d), which stands in the page."""
import html
import json
import os

import doctorwords

TOOLS = os.path.dirname(os.path.realpath(__file__))
# In the order in which they build on each other.
SCRIPTS = ("sv39", "parse", "checks", "compare", "strings", "strings-checks", "look", "picture")


def read(*parts):
    with open(os.path.join(TOOLS, *parts), encoding="utf-8") as f:
        return f.read()


def tag(name, text, cls=""):
    attribute = f' class="{cls}"' if cls else ""
    return f"<{name}{attribute}>{html.escape(str(text))}</{name}>"


def diagnosis_html(words, diagnosis):
    told = words.explain(diagnosis)
    parts = [tag("h3", told["title"][0])]
    where = doctorwords.where_text(words, diagnosis)
    parts += [tag("p", where, "where")] if where else []
    parts += [tag("p", text) for text in told["what"]]
    for key in ("course", "look"):
        parts += [tag("p", words.say(key, text=text), key) for text in told[key]]
    stack = doctorwords.stack_text(words, diagnosis)
    parts += [tag("p", stack, "stack")] if stack else []
    return f'<li id="{html.escape(diagnosis["name"])}">' + "\n".join(parts) + "</li>"


def table_html(words, record):
    key = "table-user" if record["whose"] == "user" else "table-kernel"
    title = words.say(key, hart=record["hart"], satp=record["satp"])
    return (f'<figure>{tag("figcaption", title)}<div class="tree">'
            f'{tag("noscript", words.say("table-no-script"))}</div>'
            f'<details>{tag("summary", words.say("table-raw"))}'
            f'{tag("pre", record["dump"], "dump")}</details></figure>')


def harts_html(words, patient):
    lines = [words.say("hart-line", hart=r["hart"], state=words.say("state." + r["state"]),
                       mode=r["mode"], where=r["where"]) for r in patient.of("hart")]
    return tag("h3", words.say("harts")) + tag("pre", "\n".join(lines))


def patient_html(words, patient):
    parts = [tag("h2", patient.kernel)]
    if patient.unusable:
        return parts[0] + tag("p", words.say("class-unusable", why=patient.unusable))
    if not patient.diagnoses and not patient.notes:
        return parts[0] + tag("p", words.say("healthy", kernel=patient.kernel), "healthy")
    parts += ["<ol>", *(diagnosis_html(words, d) for d in patient.diagnoses), "</ol>"]
    for option, diagnosis in patient.notes:
        parts += [tag("p", words.say("forgiven", option=option)), "<ul>",
                  diagnosis_html(words, diagnosis), "</ul>"]
    parts += [table_html(words, r) for r in patient.tables]
    parts.append(harts_html(words, patient))
    for record in patient.of("console"):
        parts += [tag("h3", words.say("console")), tag("pre", "\n".join(record["lines"]))]
    return "\n".join(parts)


def class_html(words, patients):
    rows = [doctorwords.table_line(words, p.kernel, 0, p.diagnoses, p.notes, p.unusable)
            for p in patients]
    return tag("h2", words.say("class-heading")) + \
        "<ul>" + "".join(tag("li", row) for row in rows) + "</ul>"


def page(words, patients):
    title = words.say("page-title")
    body = [tag("h1", title)]
    if len(patients) > 1:
        body.append(class_html(words, patients))
    body += [f"<section>{patient_html(words, p)}</section>" for p in patients]
    scripts = [read("ptview.d", name + ".js") for name in SCRIPTS] + [read("doctor.d", "report.js")]
    return f"""<!doctype html>
<html lang="{words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)}</title>
<style>
{read("doctor.d", "report.css")}</style>
</head>
<body>
{chr(10).join(body)}
<script>
const LANGUAGE = {json.dumps(words.language)};
{chr(10).join(scripts)}</script>
</body>
</html>
"""
