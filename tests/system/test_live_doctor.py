"""The doctor in the page of make live: kernels that are ill in one way (tests/sim/ailing.c), and
its words, which are those of tools/doctorwords.py."""
import os
import re

import doctorwords
import pytest
from livepage import driver, inside, needs_live, page
from test_sim_doctor import AILMENTS, build_in, names, title_of

pytestmark = [needs_live, pytest.mark.hand]
PLACES = {"twice": "(case_twice)", "remap": "(mappages)", "disabled": "(case_disabled)"}


@pytest.fixture
def patient(page):
    """A page with a machine of two harts that does nothing yet."""
    page.open({"paused": True, "settings": {"harts": "2"}})
    page.status("Paused · 0 instructions")
    return page


def drop(page, case, folder):
    path = build_in(folder, case)
    with open(path, "rb") as f:
        page.drop((os.path.basename(path), f.read()))


def first(page):
    """What is said of the first diagnosis, as one line."""
    return page.text("#diagnosis > li").replace("\n", " ")


def says(page, case):
    """The first diagnosis and its place, in both languages."""
    section, ill, other, _ = AILMENTS[case]
    page.wait(lambda: page.all("#diagnosis > li"), "a diagnosis")
    for language in doctorwords.LANGUAGES:
        if language != page.js("return LIVE.page.language"):
            page.one("#language").click()
        said = first(page)
        assert said.startswith(title_of(section, language)), said
        where = re.search(r"\S+ \(\w+\)", said)
        assert names(where[0], ill) and (other is None or names(said, other)), said
        assert not re.search(r"[{}]|undefined|null", said), said
    page.one("#language").click()


def test_ailments_that_are_said_by_itself(patient, tmp_path):
    """A finding, with which the kernel goes on; a panic; harts that wait for ever."""
    for case in ("twice", "remap", "disabled"):
        patient.one("#tab-tables").click()
        drop(patient, case, tmp_path)
        patient.wait(lambda c=case: patient.js("return LIVE.page.diagnosis[0]?.where ?? ''")
                     .find(PLACES[c]) >= 0, case)
        if case == "twice":
            patient.one("#tab-diagnosis").click()
        patient.wait(lambda: patient.one("#diagnosis-panel").is_displayed(), "the panel")
        says(patient, case)
        patient.wait(lambda c=case: patient.last["running"] == (c == "twice"), "the end")
        if case == "twice":
            a_finding_comes_and_goes(patient)


def to(page, at):
    page.js("LIVE.page.worker.postMessage({move: 'to', at: arguments[0]})", at)
    page.wait(lambda: page.js("return LIVE.page.seen?.at") == at, at)


def a_finding_comes_and_goes(page):
    """What the doctor knows goes back with the machine."""
    page.pause()
    end, said = page.last["instructions"], first(page)
    to(page, end - 10)
    assert first(page) == said
    to(page, 1000)
    assert not page.all("#diagnosis > li")
    to(page, end)
    assert first(page) == said


def test_an_ailment_that_is_asked_for(patient, tmp_path):
    """A loop without an end, which may take its time; and in the past nobody knows of it."""
    drop(patient, "endless", tmp_path)
    patient.wait(lambda: patient.last.get("instructions", 0) > 40_000_000, "some time")
    ask(patient)
    says(patient, "endless")
    to(patient, 1000)
    assert patient.text("#tab-diagnosis") == "Diagnosis"


def test_a_verdict_is_of_its_moment(patient, tmp_path):
    """Of a kernel that is stuck: before, nothing is wrong; there it is said again. The doctor has
    looked ahead to say it, and the run is as if it had not."""
    drop(patient, "held", tmp_path)
    patient.wait(lambda: patient.one("#diagnosis-panel").is_displayed(), "the diagnosis")
    says(patient, "held")
    end, said = patient.last["instructions"], first(patient)
    events, registers = patient.last["events"], patient.text("#registers")
    assert not patient.last["past"]
    to(patient, 1000)
    assert not patient.all("#diagnosis > li")
    to(patient, end)
    assert first(patient) == said and patient.text("#registers") == registers
    assert patient.last["events"] == events and not patient.last["past"]


def ask(page):
    before = page.js("return LIVE.page.asked")
    page.one("#tab-diagnosis").click()
    page.one("#diagnose").click()
    page.wait(lambda: page.js("return LIVE.page.asked") > before, "the answer")


def test_trellis_is_healthy(page):
    page.open({"settings": {"harts": "2"}})
    page.prompt()
    page.one("#screen").click()
    page.keys("forktest\n")
    page.says("forktest: OK\n$ ")
    ask(page)
    assert not page.all("#diagnosis > li") and page.text("#tab-diagnosis") == "Diagnosis"
    assert page.text("#diagnosis-about").startswith("Nothing is wrong")
    page.one("#screen").click()
    page.keys("cat\n")  # waits for what is typed
    page.says("cat\n")
    page.keys("a line\n")
    page.says("a line\na line\n")
    assert page.last["running"]


# ---- the words ----
def cases(words):
    """A diagnosis for each section, with all the facts that it names, and without each of them."""
    for name, section in words.sections.items():
        if name in ("report", "words"):
            continue
        facts = set(re.findall(r"\{(\w+)\}", " ".join(sum(section.values(), []))))
        panic = name.removeprefix("panic: ") if name.startswith("panic: ") else "of somebody"
        whole = {fact: f"a {fact} $& $1" for fact in facts - {"hart", "where", "cause_number"}}
        whole.update(panic=panic + ", and more", cause="13", why="no-w", same_hart="no",
                     interrupts="odd", holder="1", entry="0x1", entry_at="0x2")
        kind = "panic" if name.startswith("panic: ") else name
        yield diagnosis(kind, whole)
        for fact in whole:
            yield diagnosis(kind, {key: whole[key] for key in whole if key != fact})
    yield diagnosis("nobody-knows-this", {"text": "what the machine says", "silent": "yes"})
    yield {**diagnosis("panic", {"panic": "remap"}), "where": "", "hart": -1, "stack": []}
    yield {**diagnosis("test-failed", {"test": "{x}"}), "hart": -1, "stack": ["a.c:1 (a)"]}


def diagnosis(name, facts):
    return {"name": name, "hart": 1, "where": "vm.c:1 (walk)", "facts": facts,
            "stack": ["vm.c:1 (walk)", "proc.c:2 (fork) x3"]}


def paragraphs(words, of):
    """As tools/doctorwords.py has them in its report."""
    told = words.explain(of)
    texts = [doctorwords.where_text(words, of), *told["what"]]
    texts += [words.say(key, text=text) for key in ("course", "look") for text in told[key]]
    texts.append(doctorwords.stack_text(words, of))
    return [told, [text for text in texts if text]]


def test_the_words_are_those_of_the_command(patient):
    for language in doctorwords.LANGUAGES:
        words = doctorwords.Words(language)
        all_cases = list(cases(words))
        told = patient.js("""
            const inside = JSON.parse(document.getElementById("inside").textContent);
            const words = new LIVE.DoctorWords(inside.doctor[arguments[0]]);
            return arguments[1].map(each => [words.explain(each), words.paragraphs(each)]);
            """, language, all_cases)
        assert len(told) == len(all_cases) > 300
        for case, said in zip(all_cases, told):
            assert said == paragraphs(words, case), case
