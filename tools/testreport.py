"""What ./test says of its tests, while they run and at the end."""
import os
import re
import threading
from collections import namedtuple

SHOWN_LINES = 120

# outcome: ok, FAILED, skipped; cpu: None when it is that of the whole unit.
Result = namedtuple("Result", "name outcome seconds text cpu", defaults=[None])


class Report:
    """Collects results and prints each as it comes."""

    def __init__(self, total, left_out):
        self.results = []
        self.left_out = left_out
        self.times = {}
        self.lock = threading.Lock()
        self.total = total
        self.done = 0

    def __call__(self, unit, results, ended):
        with self.lock:
            self.done += 1
            for name, seconds, cpu in [(unit.name, ended.seconds, ended.cpu)] + \
                    [(r.name, r.seconds, r.cpu) for r in results if r.cpu is not None]:
                self.times[name] = [round(seconds, 1), round(cpu, 1)]
            bad = [r for r in results if r.outcome == "FAILED"]
            skipped = [r for r in results if r.outcome == "skipped"]
            counted = f" ({len(results)})" if len(results) > 1 else ""
            word = "FAILED" if bad else "skip" if len(skipped) == len(results) else "ok"
            print(f"[{self.done:3}/{self.total}] {word:6} {ended.seconds:6.1f} s  "
                  f"{unit.name}{counted}", flush=True)
            for r in skipped:
                print(f"          skipped: {r.text.strip()}", flush=True)
            for r in bad:
                self.show(r)
            self.results += results

    def show(self, result):
        lines = result.text.rstrip().splitlines()
        print(f"---- {result.name}")
        if len(lines) > SHOWN_LINES:
            print(f"     (the last {SHOWN_LINES} of {len(lines)} lines)")
        print("\n".join("     " + line for line in lines[-SHOWN_LINES:]))
        print("----", flush=True)

    def summary(self, seconds):
        count = {word: sum(r.outcome == word for r in self.results)
                 for word in ("ok", "FAILED", "skipped")}
        used = os.times()
        cpu = used.user + used.system + used.children_user + used.children_system
        print(f"{seconds:.0f} seconds, {cpu:.0f} of processors" +
              (f", {count['skipped']} skipped" if count["skipped"] else "") +
              (f"; {self.left_out} for hand runs left out (./test all)" if self.left_out else ""))
        for r in self.results:
            if r.outcome == "FAILED":
                alone = re.sub(r"^(host/test_\w+):\w+$", r"\1", r.name)
                alone = re.sub(r"^(host/test_\w+\.py)::.*$", r"\1", alone)
                how = f"./test {quoted(alone)}" if not r.name.startswith("build/") else \
                    "see above"
                print(f"FAILED: {r.name}    alone: {how}")
        print(f"{count['ok']} passed, {count['FAILED']} failed", flush=True)
        return 1 if count["FAILED"] or not count["ok"] else 0


def quoted(name):
    return f"'{name}'" if re.search(r"[\[\] *?]", name) else name
