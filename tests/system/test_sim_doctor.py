"""The doctor finds what is wrong with a kernel that is ill in one way (tests/sim/ailing.c), names
the right lines, in English and Chinese, and has nothing to say of a kernel that is well."""
import functools
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import machine
import pytest

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "sim"))
sys.path.insert(0, os.path.join(machine.ROOT, "tests", "host"))
import emulators  # noqa: E402
import ptviewenv  # noqa: E402

import doctor  # noqa: E402
import doctorwords  # noqa: E402
import sim  # noqa: E402

SIM = os.path.join(machine.ROOT, "sim")
SOURCE = os.path.join(machine.ROOT, "tests", "sim", "ailing.c")
# The section whose words come first, the comment on the line that is its place, the comment on a
# line that is named besides; options.
AILMENTS = {
    "fence": ("stale-translation", "ill: poke", "from: fence", ()),
    "twice": ("freed-twice", "ill: twice", "from: twice", ()),
    "remap": ("panic: remap", "ill: remap", "from: remap", ()),
    "freewalk": ("panic: freewalk: leaf", "ill: freewalk", "from: freewalk", ()),
    "d": ("needs-a-d", "ill: poke", "from: d", ()),
    "unmapped": ("page-fault", "ill: look", "from: unmapped", ()),
    "stack": ("stack-overflow", "ill: stack", "ill: stack", ()),
    "satp": ("satp-without-code", "(case_satp)", None, ()),
    "switch": ("satp-without-code", None, "from: switch", ()),
    "uart": ("nothing-there", "ill: uart", None, ()),
    "zero": ("jump-nowhere", "ill: zero", None, ()),
    "endless": ("endless-loop", "ill: endless", None, ("--patience", "1")),
    "held": ("lock-held", "ill: take", "from: keep", ()),
    "self": ("lock-held", "ill: take", "from: keep", ()),
    "disabled": ("waits-disabled", "ill: disabled", None, ()),
    "timer": ("waits-timer", "ill: timer", None, ()),
    "idle": ("idle", "ill: idle", None, ("--patience", "1")),
    "user": ("user-loop", "ill: user", None, ("--patience", "1")),
    "test": ("test-failed", None, None, ()),
}


@pytest.fixture(name="build", scope="module")
def builder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    return functools.lru_cache(lambda case: build_in(folder, case))


@pytest.fixture(scope="module")
def driver():
    driver = ptviewenv.start_browser()
    yield driver
    driver.quit()


def build_in(folder, case):
    path = str(folder / (case + ".elf"))
    emulators.assemble(["-g", "-O1", "-fno-omit-frame-pointer", "-ffreestanding",
                        "-fno-stack-protector", "-mcmodel=medany", "-DCASE=case_" + case, SOURCE],
                       path)
    return path


@pytest.fixture(scope="module")
def examined(build, tmp_path_factory):
    """The patient of a case, with what tools/doctor.py has of it."""
    machine.build(targets=("sim",))
    words = doctorwords.Words("en")

    def examine(case, *options):
        patient = doctor.Patient(build(case), [])
        doctor.examine(sim.command(), patient, options, False, words)
        assert not patient.unusable, patient.unusable
        return patient
    return functools.lru_cache(examine)


def command(*words, language="en", **env):
    words += ("--language", language) if language else ()
    done = subprocess.run([SIM, "--doctor", *words], check=False, capture_output=True,
                          encoding="utf-8", timeout=120, env={**os.environ, **env})
    return done.returncode, done.stdout, done.stderr


def lines_of(comment):
    """The line with the comment. Of a loop without a body, or of the head of a function, also two
    on either side of it."""
    with open(SOURCE, encoding="utf-8") as source:
        [(number, code)] = [(n, line.split("/*")[0].strip()) for n, line in enumerate(source, 1)
                            if f"/* {comment} */" in line]
    around = 2 if code == ";" or code.endswith("{") else 0
    return range(number - around, number + around + 1)


def names(text, comment):
    """Whether the place of the comment is named in the text."""
    return any(int(line) in lines_of(comment)
               for line in re.findall(r"ailing\.c:(\d+) ", text))


def report(patient, language):
    lines = doctorwords.report_lines(doctorwords.Words(language), "KERNEL", patient.diagnoses,
                                     patient.notes)
    return "\n".join(lines)


def first_diagnosis(out):
    """What is said of the first, as one line."""
    m = re.search(r"^(?:1\.|-) (.*(?:\n   .*)*)", out, re.M)
    assert m, out
    return re.sub(r"\n +", " ", m[1])


def title_of(section, language):
    return doctorwords.read_words(language)[section]["title"][0].split("{")[0]


@pytest.mark.parametrize("case", AILMENTS)
def test_ailment(case, examined):
    section, ill, other, options = AILMENTS[case]
    patient = examined(case, *(options or ("--harts", "2")))
    for language in doctorwords.LANGUAGES:
        out = report(patient, language)
        first = first_diagnosis(out)
        assert first.startswith(title_of(section, language)), out
        where = re.search(r"\S+ \(\w+\)", first)
        assert ill is None or (ill in where[0] if ill[0] == "(" else names(where[0], ill)), first
        assert other is None or names(first, other), first
        assert not re.search(r"[{}]|None", first), first


def test_facts_of_a_lock(examined):
    first = first_diagnosis(report(examined("held", "--harts", "2"), "en"))
    assert 'Its name is "virtio_disk".' in first
    assert re.search(r"Hart 1 has it: it was taken at ailing\.c:\d+ \(keep\)", first), first
    first = first_diagnosis(report(examined("self", "--harts", "2"), "en"))
    assert "The same hart has it already" in first, first


def test_why_an_address_is_refused(examined):
    first = first_diagnosis(report(examined("unmapped", "--harts", "2"), "en"))
    assert "load page fault (0xd) for the address 0x140002008: there is no table for it" in first
    first = first_diagnosis(report(examined("satp", "--harts", "2"), "en"))
    assert "a table where no RAM is" in first and "0x8000000000123456" in first


def test_what_qemu_hides_is_left_out(build):
    """The kernel without D is run again, and comes to its prompt then."""
    code, out, _ = command("--kernel", build("d"))
    assert code == 1 and "once more with --svadu" in out, out
    assert command("--kernel", build("d"), "--svadu")[0] == 0


@pytest.mark.parametrize("language, said", [("en", "nothing is wrong"), ("zh", "没有问题")])
def test_a_healthy_kernel(language, said, build):
    code, out, _ = command("--kernel", build("good"), "--harts", "2", language=language)
    assert code == 0 and "case_good boots\n$ " in out and said in out, out


def test_trellis_is_healthy():
    code, out, said = command("--kernel", os.path.join(machine.kernel_folder(), "kernel.elf"),
                             "--disk", machine.default_image(), "-c", "ls; forktest", "--harts",
                             "2")
    assert code == 0 and "forktest: OK" in out and "nothing is wrong" in out, out + said


def test_trellis_with_a_pointer_of_the_user():
    code, out, _ = command("--kernel", os.path.join(machine.kernel_folder(), "kernel.elf"),
                          "--disk", machine.default_image(), "--append",
                          "panic=exit selftest=user-pointer")
    first = first_diagnosis(out)
    assert code == 1 and "(fail_user_pointer)" in first and "U), which the kernel may not" in first


# ---- languages, several kernels, the page -----------------------------------------------------
def test_the_language_of_the_environment(build):
    env = {"LC_ALL": "", "LC_MESSAGES": ""}
    for lang, said in (("zh_CN.UTF-8", "没有问题"), ("de", "nothing is wrong")):
        assert said in command("--kernel", build("good"), language=None, LANG=lang, **env)[1]


def test_languages_say_the_same():
    """The same sections, keys and facts."""
    def shape(language):
        return {(section, key): [sorted(set(re.findall(r"\{\w+\}", text))) for text in texts]
                for section, keys in doctorwords.read_words(language).items()
                for key, texts in keys.items()}
    assert shape("en") == shape("zh")


def test_a_class(build, tmp_path):
    """The table; each kernel's disk is the fs.img beside it."""
    (tmp_path / "fs.img").write_bytes(bytes(1024))
    kernels = []
    for case in ("good", "remap"):
        kernels.append(str(tmp_path / case))
        os.link(build(case), kernels[-1])
    code, out, _ = command("--harts", "2", *kernels)
    table = out.split("All kernels\n")[1]
    assert code == 1 and len(table.splitlines()) == 2, out
    assert re.search(r"good +nothing is wrong\n", table)
    assert re.search(r"remap +panic: remap - .*, at ailing\.c:\d+ \(mappages\)\n", table), table
    code, out, said = command(*kernels, str(tmp_path / "none"))
    assert code == 2 and re.search(r"none +could not be run: .*cannot be read", out), out + said


class Tags(HTMLParser):
    """Counts what is open at the end, and what is closed that was not open."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize("language", doctorwords.LANGUAGES)
@pytest.mark.skipif(ptviewenv.why_not() is not None, reason=str(ptviewenv.why_not()))
def test_the_page(language, build, tmp_path, driver):
    path = tmp_path / "report.html"
    command("--kernel", build("remap"), "--report", str(path), language=language)
    text = path.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert not tags.open and not tags.wrong
    assert text.startswith("<!doctype html>") and f'<html lang="{language}">' in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    driver.get(path.as_uri())
    picture = re.search(r'<div class="tree"><svg.*?</svg>', driver.page_source, re.S)
    assert picture and "0x140000000" in picture[0], driver.page_source[-3000:]
    assert [e for e in driver.get_log("browser") if e["level"] == "SEVERE"] == []


def test_tables_as_ptview_reads_them(build, tmp_path):
    """The dump has the entries that the guest has set."""
    records = tmp_path / "records"
    subprocess.run([SIM, "--kernel", build("remap"), "--diagnose", str(records)], check=False,
                   capture_output=True, timeout=60)
    found = [json.loads(line) for line in records.read_text().splitlines()]
    [dump] = [r["dump"] for r in found if r["record"] == "table"]
    lines = dump.splitlines()
    assert re.fullmatch(r"page table 0x[0-9a-f]{16}", lines[0])
    assert lines[1] == "..0: pte 0x00000000000000cf pa 0x0000000000000000"
    assert lines[2] == "..2: pte 0x00000000200000cf pa 0x0000000080000000"
    assert lines[3].startswith("..5: pte ") and lines[4].startswith(".. ..0: pte ")
    assert re.fullmatch(r"\.\. \.\. \.\.0: pte 0x0{8}[0-9a-f]{6}c7 pa 0x0{8}[0-9a-f]{8}", lines[5])


@pytest.mark.parametrize("words, says", [
    ((), "--kernel is needed"),
    (("--kernel",), "--kernel needs a value"),
    (("--kernel", "/nowhere"), "/nowhere: cannot be read (No such file or directory)"),
    (("--kernel", "x", "--patience", "0"), "--patience is a number of seconds, from 1"),
    (("--kernel", "x", "--frobnicate"), "there is no option --frobnicate"),
    (("--kernel", "x", "--cut", "3"), "--cut and --doctor: only one of them"),
    (("--kernel", "x", "--kernel", "y", "--disk", "z"), "of several kernels each has one --disk"),
    (("--kernel", "x", "--report", "/nowhere/x.html"), "--report /nowhere/x.html: No such file"),
    (("--kernel", SOURCE, "--language", "fr"), "--language fr: en or zh"),
])
def test_mistakes_are_said(words, says):
    code, _, said = command(*words, language=None)
    assert code == 2 and says in said and said.count("\n") == 1, said


def test_help():
    code, out, _ = command("--help")
    assert code == 0 and "--report FILE.html" in out
