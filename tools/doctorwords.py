"""The doctor's words: tools/doctor.d/LANGUAGE.txt, and what they make of a diagnosis.

A diagnosis is a record of machine/doctor/doctor.h: a name, a place, who called it, and facts.
"""
import os
import re

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "doctor.d")
LANGUAGES = ("en", "zh")
CLOSING = "，。；：、）”？！"  # never at a line's beginning
KEYS = ("title", "what", "course", "look")


def read_words(language):
    """{section: {key: [text, ...]}}; a section or key that is not as described is an error."""
    sections, section, texts = {}, None, None
    path = os.path.join(FOLDER, language + ".txt")
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            head = re.fullmatch(r"\[(.+)\]", line)
            entry = re.fullmatch(r"([\w.-]+): (.*)", line)
            if line.startswith("#") or not line.strip():
                continue
            if head and head[1] not in sections:
                section = sections.setdefault(head[1], {})
            elif line.startswith("    ") and texts:
                texts[-1] = joined(texts[-1], line.strip())
            elif entry and section is not None:
                texts = section.setdefault(entry[1], [])
                texts.append(entry[2])
            else:
                raise ValueError(f"{path}:{number}: what is this? {line}")
    return sections


def is_wide(character):
    return character >= "\u2e80"


def joined(a, b):
    """Two lines of a text. Between Chinese characters, and behind their commas and the like, there
    is no blank."""
    if a and b and (is_wide(a[-1]) and is_wide(b[0]) or a[-1] in CLOSING):
        return a + b
    return f"{a} {b}"


class Words:
    def __init__(self, language):
        self.language = language
        self.sections = read_words(language)

    def say(self, key, **facts):
        """A text of the report itself."""
        return filled(self.sections["report"][key][0], facts)

    def word(self, key, facts):
        texts = self.sections["words"].get(key)
        return filled(texts[0], facts) if texts else None

    def panic_section(self, text):
        """What is known of these words of a panic: the section with the most of them in common."""
        known = [name[len("panic: "):] for name in self.sections if name.startswith("panic: ")]
        fitting = [words for words in known if words in text]
        return self.sections["panic: " + max(fitting, key=len)] if fitting else {}

    def facts_of(self, diagnosis):
        """What the texts may name. {why} and the like are texts themselves."""
        facts = {**diagnosis["facts"], "hart": diagnosis["hart"]}
        if diagnosis["where"]:
            facts["where"] = diagnosis["where"]
        if "cause" in facts:
            facts["cause_number"] = facts["cause"]
        for name in ("cause", "why", "same_hart", "interrupts"):
            if name in facts:
                facts[name] = self.word(f"{name}.{facts[name]}", facts) or facts[name]
        return facts

    def explain(self, diagnosis):
        """{key: [text, ...]} of title, what, course and look."""
        facts = self.facts_of(diagnosis)
        section = self.sections.get(diagnosis["name"], self.sections["finding"])
        panic = self.panic_section(facts.get("panic", ""))
        named = diagnosis["name"] == "panic"
        told = {}
        for key in KEYS:
            own, of_panic = section.get(key, []), panic.get(key, [])
            if named:
                texts = of_panic or own
            else:
                texts = own + (of_panic if key == "course" else [])
            told[key] = [text for text in (filled(t, facts) for t in texts) if text]
        if diagnosis["facts"].get("silent"):
            told["what"].append(self.say("silent"))
        return told


def filled(text, facts):
    """The text with its {facts}; None: it has one that there is not."""
    names = re.findall(r"\{(\w+)\}", text)
    if any(name not in facts for name in names):
        return None
    return re.sub(r"\{(\w+)\}", lambda m: str(facts[m[1]]), text)


# ---- lines of text ----
def width_of(text):
    return sum(2 if is_wide(c) else 1 for c in text)


def pieces(text):
    """What may stand on lines of its own: words, and each Chinese character."""
    return re.findall(r"[^\s\u2e80-\uffff]+|[\u2e80-\uffff]|\s+", text)


def wrap(text, indent, width=96):
    """Lines of at most so many columns, all of them indented."""
    lines, line = [], ""
    for piece in pieces(text):
        if line and piece not in CLOSING and width_of(line + piece.rstrip()) > width - len(indent):
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [indent + text for text in [*lines, line.rstrip()] if text]


def report_lines(words, name, diagnoses, notes):
    """The report of one kernel. notes: [(option, diagnosis)] that were forgiven."""
    if not diagnoses and not notes:
        return [words.say("healthy", kernel=name)]
    lines = []
    if diagnoses:
        lines.append(words.say("heading", kernel=name, count=len(diagnoses)))
    else:
        lines.append(words.say("healthy-but", kernel=name))
    for number, diagnosis in enumerate(diagnoses, 1):
        lines += ["", *diagnosis_lines(words, f"{number}. ", diagnosis)]
    for option, diagnosis in notes:
        lines += ["", words.say("forgiven", option=option),
                  *diagnosis_lines(words, "- ", diagnosis)]
    return lines


def where_text(words, diagnosis):
    if not diagnosis["where"]:
        return None
    key = "where" if diagnosis["hart"] >= 0 else "where-alone"
    return words.say(key, where=diagnosis["where"], hart=diagnosis["hart"])


def stack_text(words, diagnosis):
    stack = diagnosis["stack"]
    return words.say("stack", stack=" <- ".join(stack)) if len(stack) > 1 else None


def diagnosis_lines(words, mark, diagnosis):
    told, indent = words.explain(diagnosis), "   "
    lines = wrap(mark + told["title"][0], "")
    for text in (where_text(words, diagnosis), *told["what"]):
        lines += wrap(text, indent) if text else []
    for key in ("course", "look"):
        for text in told[key]:
            lines += wrap(words.say(key, text=text), indent)
    stack = stack_text(words, diagnosis)
    return lines + (wrap(stack, indent) if stack else [])


def table_line(words, name, width, diagnoses, notes, unusable):
    """One kernel in the table of several."""
    found = diagnoses + [diagnosis for _, diagnosis in notes]
    if unusable:
        said = words.say("class-unusable", why=unusable)
    elif not found:
        said = words.say("class-healthy")
    else:
        first = found[0]
        key = "class-more" if len(found) > 1 and first["where"] else \
            "class-one" if first["where"] else "class-one-nowhere"
        said = words.say(key, title=words.explain(first)["title"][0], where=first["where"],
                         more=len(found) - 1)
    return f"{name:{width}}  {said}"
