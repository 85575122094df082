"""What runs in user mode on another hart stops at once. On the strict machine, where that does not
depend on how busy this one is."""
import os
import subprocess

import guest
import machine


def test_another_hart_is_interrupted():
    machine.build(targets=("sim",))
    done = subprocess.run(
        [os.path.join(machine.ROOT, "sim"), "--kernel",
         os.path.join(machine.kernel_folder(), "kernel.elf"), "--disk", machine.default_image(),
         "--harts", "2", "--append",
         "panic=exit quiet trace=poweroff -- signaltests stops_at_once"],
        capture_output=True, encoding="utf-8", errors="replace", timeout=guest.DEADLINE,
        check=False)
    assert done.returncode == 0 and "ALL TESTS PASSED" in done.stdout, done.stdout + done.stderr
