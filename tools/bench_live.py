#!/usr/bin/env python3
"""How fast the page of make live is in headless Chromium, beside ./sim.

    tools/bench_live.py

Prints the seconds until the prompt, from when the page is opened, and those that `usertests lazy`
takes after it, in the page and with ./sim. Best of three. Needs Selenium, as the tests of the page.
"""
import os
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


def in_page(driver):
    """Seconds until the prompt, and from there to the end."""
    def until(condition):
        while not driver.execute_script("return " + condition):
            time.sleep(.005)
        return time.monotonic()
    begun = time.monotonic()
    driver.get("file://" + machine.build_path("live", "trellis.html"))
    text = "(typeof LIVE === 'undefined' ? '' : LIVE.page?.terminal?.text ?? '')"
    there = until(f"{text}.endsWith('\\n$ ')")
    driver.execute_script("LIVE.page.worker.postMessage({type: [...new TextEncoder().encode("
                          "arguments[0] + '\\n')]})", COMMAND)
    return there - begun, until(f"{text}.includes({DONE!r})") - there


def natively():
    def seconds(*words):
        begun = time.monotonic()
        done = subprocess.run([machine.build_path("machine", "sim"), "--kernel",
                               os.path.join(machine.kernel_folder(), "kernel.elf"), "--disk",
                               machine.default_image(), *words], check=True, capture_output=True)
        return time.monotonic() - begun, done.stdout.decode()
    boot, _ = seconds("-c", "")
    whole, text = seconds("-c", COMMAND)
    assert DONE in text, text
    return boot, whole - boot


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


if __name__ == "__main__":
    main()
