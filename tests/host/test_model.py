"""The TLB protocol (docs/tlb.md) as a model: spin finds no stale translation in any
order of events, and finds one as soon as any one step is left out."""
import os
import shutil
import subprocess

import machine
import pytest

FOLDER = os.path.join(machine.ROOT, "tests", "model")
SPACES, THREADS = (os.path.join(FOLDER, name) for name in ("tlb.pml", "threads.pml"))
WITH, WITHOUT, FEW = "ASIDS", "NOASID", "FEW"

# Each step, and on which harts it is needed: those with ASIDs, without,
# and with too few.
STEPS = {
    "NO_FENCE_NEW": (WITH, WITHOUT),
    "NO_TABLE_FLUSH": (WITH, WITHOUT),
    "NO_TABLE_GENERATION": (WITH,),
    "NO_SPURIOUS_FENCE": (WITH,),
    "NO_REPLACE_FLUSH": (WITH, WITHOUT),
    "NO_REPLACE_GENERATION": (WITH,),
    "NO_UNMAP_FLUSH": (WITH, WITHOUT),
    "NO_UNMAP_GENERATION": (WITH,),
    "LEAVES_ONLY": (WITH, WITHOUT),
    "FREE_BEFORE_FLUSH": (WITH, WITHOUT),
    "NO_REUSE_GENERATION": (WITH,),
    "NO_ACTIVATE_FLUSH": (WITH,),
    "NO_USER_FLUSH": (WITH,),
    "NO_KERNEL_FLUSH": (WITH,),
    "NO_ENTER_FLUSH": (WITHOUT, FEW),
    "NO_LEAVE_FLUSH": (WITHOUT, FEW),
    "NO_TRAMPOLINE_FLUSH": (WITHOUT, FEW),
    "FLUSH_WHAT_IS_ENTERED": (FEW,),
    "NO_TAKE_GENERATION": (WITH,),
    "NO_TAKE_FENCE": (WITH, WITHOUT),
    "LOOK_BEFORE_ACTIVE": (WITH,),
}

# The same for several threads of one space: in which case each step is needed.
PAGES, COPIES = "PAGES", "COPIES"
THREAD_STEPS = {
    "NO_CATCH_UP": PAGES,
    "NO_MISSED_FENCE": PAGES,
    "SEEN_WITHOUT_CATCHING_UP": PAGES,
    "ACTIVE_BEFORE_GENERATION": PAGES,
    "NO_GENERATION": PAGES,
    "NO_REQUEST": PAGES,
    "LEAVES_ONLY": PAGES,
    "NO_TABLE_GENERATION": PAGES,
    "NO_CODE_REQUEST": PAGES,
    "NO_STACK_GENERATION": PAGES,
    "LOOK_BEFORE_ACTIVE": PAGES,
    "NO_ACTIVATE_FLUSH": PAGES,
    "NO_FENCE_WIDER": COPIES,
    "NO_CLOSE": COPIES,
    "NO_SECOND_LOOK": COPIES,
    "NO_LOOK_FOR_CLOSED": COPIES,
    "NO_REFERENCE": COPIES,
    "NO_WAIT_FOR_COPIES": COPIES,
    "MARK_AFTER_WALK": COPIES,
}

# What ./test leaves out of the model; the rest is for hand runs, after a change of a model.
SAMPLE = ("NO_TABLE_GENERATION", "NO_ENTER_FLUSH", "NO_REQUEST", "NO_SECOND_LOOK")


def each(steps):
    return [step if step in SAMPLE else pytest.param(step, marks=pytest.mark.hand)
            for step in steps]


pytestmark = pytest.mark.skipif(not shutil.which("spin"), reason="spin is not installed")


def violations(folder, model, *defines):
    """How many spin finds; 0 only after all states have been seen."""
    def run(*command):
        return subprocess.run(command, cwd=folder, check=True, capture_output=True,
                              encoding="utf-8", timeout=120).stdout
    run("spin", *(f"-D{d}" for d in defines), "-a", model)
    run(*machine.host_compiler(), "-O0", "-w", "-DSAFETY", "-o", "pan", "pan.c")
    report = run("./pan", "-m2000000")
    assert "max search depth too small" not in report
    found = int(report.split("errors:")[1].split()[0])
    assert found or "Search not completed" not in report
    return found


@pytest.mark.parametrize("harts", [WITH, WITHOUT, FEW])
def test_no_hart_uses_a_stale_translation(tmp_path, harts):
    assert violations(tmp_path, SPACES, harts) == 0


@pytest.mark.parametrize("case", [PAGES, COPIES])
def test_no_thread_uses_a_stale_translation(tmp_path, case):
    assert violations(tmp_path, THREADS, case) == 0


@pytest.mark.parametrize("step", each(STEPS))
def test_each_step_is_needed(tmp_path, step):
    for harts in STEPS[step]:
        assert violations(tmp_path, SPACES, harts, step) > 0, f"{step} is not needed with {harts}"


@pytest.mark.parametrize("step", each(THREAD_STEPS))
def test_each_step_of_threads_is_needed(tmp_path, step):
    assert violations(tmp_path, THREADS, THREAD_STEPS[step], step) > 0


@pytest.mark.parametrize("model, steps, cases", [
    (SPACES, STEPS, {FEW}), (THREADS, THREAD_STEPS, {PAGES, COPIES, "THREE"})])
def test_every_step_of_the_model_is_left_out_once(model, steps, cases):
    with open(model, encoding="utf-8") as f:
        in_model = {line.split()[1] for line in f if line.startswith(("#ifdef", "#ifndef"))}
    assert in_model == set(steps) | cases
