"""Programs of Linux, statically linked and unchanged, beside xv6's: from an archive in memory.
Those in tests/linux are compiled here with the cross compiler's C library, and BUSYBOX=FILE names
a busybox for RISC-V, whose shell is tried, too."""
import functools
import glob
import os
import shutil
import subprocess

import cpio
import guest
import machine
import pytest

COMPILER = "riscv64-linux-gnu-gcc"
SOURCES = os.path.join(machine.ROOT, "tests", "linux")
PROGRAMS = ("sh", "echo", "cat", "wc", "grep", "true", "usertests")
BUSYBOX = os.environ.get("BUSYBOX", "/usr/lib/riscv64-linux-gnu/busybox")
APPLETS = ("sh", "cat", "echo", "grep", "sort", "wc", "ls", "tr", "sleep", "mkdir", "mv", "rm",
           "seq", "ln")

SCRIPT = r"""
cd /tmp
for i in 1 2 3; do echo line $i; done | sort -r | grep line | wc -l
echo one two > f; cat f >> g; cat f >> g; wc -c < g
x=$(echo inner | tr a-z A-Z); echo "x=$x"
mkdir -p d/e; mv f d/e/f2; ls d/e; rm -r d; ln -s g link; cat link
sleep 0.1 & wait $!; echo waited $?
(exit 7); echo status $?
echo mixed | /bin/cat | cat | /bin/wc
/linux/nosuch 2>/dev/null; echo missing $?
while read a b; do echo "got $a-$b"; done < g
trap 'echo trapped' USR1; kill -USR1 $$; pwd
seq 1 20000 | sort -n | grep -c 7
"""
SAID = """3
16
x=INNER
f2
one two
one two
waited 0
status 7
1 1 6
missing 127
got one-two
got one-two
trapped
/tmp
6878
"""


@functools.cache
def compiled():
    """{name: bytes} of the programs in tests/linux."""
    if not shutil.which(COMPILER):
        pytest.skip(f"there is no {COMPILER}")
    folder = machine.build_path("linux")
    os.makedirs(folder, exist_ok=True)
    found = {}
    for source in sorted(glob.glob(os.path.join(SOURCES, "*.c"))):
        name = os.path.basename(source)[:-2]
        program = os.path.join(folder, name)
        done = subprocess.run([COMPILER, "-static", "-O1", "-Wall", "-o", program, source],
                              check=False, capture_output=True, encoding="utf-8")
        if "cannot find" in done.stderr or "No such file" in done.stderr:
            pytest.skip(f"{COMPILER} has no C library to link with")
        assert done.returncode == 0, done.stderr
        with open(program, "rb") as f:
            found[name] = f.read()
    return found


def archive(path, busybox=None):
    made = cpio.Archive()
    for folder in ("bin", "dev", "linux", "busybox", "proc", "tmp", "xv6"):
        made.add_folder(folder)
    for name in (*PROGRAMS, "init"):
        with open(machine.build_path("user", "bin", name), "rb") as f:
            made.add_file(name if name == "init" else f"bin/{name}", f.read(), 0o755)
    made.add_device("console", 1, 0)
    for name, program in ({} if busybox else compiled()).items():
        made.add_file(f"linux/{name}", program, 0o755)
    if busybox:
        with open(busybox, "rb") as f:
            made.add_file("busybox/busybox", f.read(), 0o755)
        for name in APPLETS:
            made.add_link(f"busybox/{name}", "busybox")
        made.add_file("script", SCRIPT.encode())
    path.write_bytes(made.bytes())
    return path


def session(boot, design, root, command, **options):
    """What the console says of a command from the first program on; the machine's status."""
    machine_ = boot(design=design, disks=None, extra=("-initrd", str(root)),
                    append=f"panic=exit quiet {options.pop('append', '')} -- {command}", **options)
    status = machine_.wait_end()
    return machine_.text, status


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("linux") / "root.cpio")


def test_own_programs(boot, design, programs):
    """Start, memory, files, processes, signals, time, and exec in both directions."""
    said, status = session(boot, design, programs,
                           "NAME=value /linux/start one ''; /linux/files; /linux/disk; "
                           "/linux/processes; /linux/devices; /linux/waiting; "
                           "/linux/calls; /linux/procfs")
    assert status == 0 and all(f"{name}: OK\n" in said for name in compiled()), said


def test_under_the_debug_kernel(boot, programs):
    said, status = session(boot, machine.default_design(), programs,
                           "/linux/files && /linux/processes && /linux/devices && "
                           "/linux/waiting && /linux/calls && /linux/procfs", debug=True)
    assert status == 0, said
    assert "processes: OK\n" in said and said.endswith("procfs: OK\n"), said


def test_status_and_pipe(boot, programs):
    said, status = session(boot, machine.default_design(), programs,
                           "/linux/files | cat | grep OK; NAME=value /linux/start one ''")
    assert status == 42 and "files: OK\nstart: OK\n" in said, said


def test_calls_are_printed(boot, programs):
    said, _ = session(boot, machine.default_design(), programs, "/linux/start",
                      append="trace=linux")
    assert "start: call 444(" in said and "= error 38\n" in said
    assert "start: exit_group(0x1," in said


def test_busybox(boot, design, tmp_path):
    if not os.path.exists(BUSYBOX):
        pytest.skip("BUSYBOX=FILE names no busybox for RISC-V")
    root = archive(tmp_path / "root.cpio", BUSYBOX)
    said, status = session(boot, design, root, "PATH=/busybox /busybox/sh /script")
    assert status == 0 and said.endswith(SAID), said
