#!/usr/bin/env python3
"""How fast the page of make live is in headless Chromium, beside ./sim.

    tools/bench_live.py

Prints the seconds until the prompt, from when the page is opened, and those that `usertests lazy`
takes after it, in the page and with ./sim. Best of three. The seconds of a processor are those of
the machine's own thread, and of ./sim: they say the same when others use the processors as well.
Needs Selenium, as the tests of the page, and Linux.
"""
import os
import resource
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests", "host")]
import machine  # noqa: E402
import ptviewenv  # noqa: E402

COMMAND, DONE = "usertests lazy", "ALL TESTS PASSED"
RUNS = 3


def processes_of(parent):
    """It, and those that it and its own have begun."""
    found = [parent]
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == parent:
                    found += processes_of(int(name))
        except OSError:
            pass  # it has ended
    return found


def worker_seconds(driver):
    """Seconds of a processor that the page's worker has used: the thread of this kind with most."""
    most = 0
    for pid in processes_of(driver.service.process.pid):
        for thread in os.listdir(f"/proc/{pid}/task"):
            folder = f"/proc/{pid}/task/{thread}"
            with open(folder + "/comm", encoding="utf-8") as f:
                is_worker = f.read().startswith("DedicatedWorker")
            with open(folder + "/schedstat", encoding="utf-8") as f:
                most = max(most, int(f.read().split()[0]) / 1e9 if is_worker else 0)
    return most


def in_page(driver):
    """Seconds until the prompt, and from there to the end; and the latter of a processor."""
    def until(condition):
        while not driver.execute_script("return " + condition):
            time.sleep(.005)
        return time.monotonic()
    begun = time.monotonic()
    driver.get("file://" + machine.build_path("live", "trellis.html"))
    text = "(typeof LIVE === 'undefined' ? '' : LIVE.page?.terminal?.text ?? '')"
    there = until(f"{text}.endsWith('\\n$ ')")
    used = worker_seconds(driver)
    driver.execute_script("LIVE.page.worker.postMessage({type: [...new TextEncoder().encode("
                          "arguments[0] + '\\n')]})", COMMAND)
    return (there - begun, until(f"{text}.includes({DONE!r})") - there,
            worker_seconds(driver) - used)


def used_by_others():
    """Seconds of a processor, of programs that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def natively():
    def seconds(*words):
        begun, used = time.monotonic(), used_by_others()
        done = subprocess.run([machine.build_path("machine", "sim"), "--kernel",
                               os.path.join(machine.kernel_folder(), "kernel.elf"), "--disk",
                               machine.default_image(), *words], check=True, capture_output=True)
        return time.monotonic() - begun, used_by_others() - used, done.stdout.decode()
    boot, boot_used, _ = seconds("-c", "")
    whole, whole_used, text = seconds("-c", COMMAND)
    assert DONE in text, text
    return boot, whole - boot, whole_used - boot_used


def best(pairs):
    return [min(column) for column in zip(*pairs)]


def main():
    machine.build(targets=("live", "sim"))
    driver = ptviewenv.start_browser()
    try:
        page = best([in_page(driver) for _ in range(RUNS)])
    finally:
        driver.quit()
    native = best([natively() for _ in range(RUNS)])
    print(f"prompt: {page[0]:.2f} s in the page, {native[0]:.2f} s with ./sim")
    print(f"{COMMAND}: {page[1]:.2f} s in the page, {native[1]:.2f} s with ./sim: "
          f"{page[1] / native[1]:.1f} times as long")
    print(f"    of a processor: {page[2]:.2f} s and {native[2]:.2f} s: {page[2] / native[2]:.1f} "
          "times as long")


if __name__ == "__main__":
    main()
