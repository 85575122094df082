"""Programs of Linux, unchanged, beside xv6's: from an archive in memory.
Those in tests/linux are compiled here with the cross compiler's C library: statically, unless a
comment in them has other flags, and some of them in other ways, too. The busybox is the one
that ./run --linux takes: BUSYBOX=FILE, or the package that apt downloads."""
import functools
import glob
import os
import re
import shutil
import subprocess

import cpio
import guest
import linuxroot
import machine
import pytest

COMPILER = "riscv64-linux-gnu-gcc"
SOURCES = os.path.join(machine.ROOT, "tests", "linux")
PROGRAMS = ("sh", "echo", "cat", "wc", "grep", "true", "usertests")
FLAGS = re.compile(r"^/\* flags: (.*) \*/$", re.MULTILINE)
STATIC = "-static"
# {name: {of a file: flags}} of those that are also linked otherwise
VARIANTS = {"start": {"start-dynamic": "", "start-dynamic-fixed": "-no-pie",
                      "start-note": "-static -Wl,-z,stack-size=1048576"},
            "processes": {"processes-dynamic": ""}, "vdso": {"vdso-dynamic": ""},
            "programs": {"programs-dynamic": ""}}
UNDER_DEBUG = ("files", "processes-dynamic", "programs", "threads", "futexes", "threadsignals",
               "vfork", "devices", "waiting", "epoll", "eventfds", "calls", "procfs", "remap",
               "vdso", "sockets", "inet", "messages", "fifos", "locks", "limits", "usage", "pty",
               "ranges", "answers", "pidfds", "memfds", "inotify", "news", "jobs", "sockedges",
               "interfaces", "procnet", "splices", "signalfds", "segments", "semaphores",
               "rooms", "hwprobe", "timers", "descriptors", "queues", "roots", "mounts", "volumes",
               "owners")
LIBRARIES = ("ld-linux-riscv64-lp64d.so.1", "libc.so.6", "libgcc_s.so.1")
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


def read(path):
    with open(path, "rb") as f:
        return f.read()


def compile_one(source, program, flags):
    done = subprocess.run([COMPILER, *flags.split(), "-O1", "-Wall", "-o", program, source],
                          check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return read(program)


def require_library(folder):
    """A compiler may be there without the C library, or without the static one."""
    probe = os.path.join(folder, "probe")
    done = subprocess.run([COMPILER, STATIC, "-x", "c", "-o", probe, "-"], check=False,
                          input="#include <stdio.h>\nint main(void) { return puts(\"\"); }\n",
                          capture_output=True, encoding="utf-8")
    if done.returncode:
        pytest.skip(f"{COMPILER} has no C library to link with")


@functools.cache
def libraries():
    """{name: bytes} of what programs that are not static need in /lib."""
    found = {}
    for name in LIBRARIES:
        path = subprocess.run([COMPILER, f"-print-file-name={name}"], check=True,
                              capture_output=True, encoding="utf-8").stdout.strip()
        if not os.path.exists(path):
            pytest.skip(f"{COMPILER} has no {name}")
        found[name] = read(path)
    return found


@functools.cache
def compiled():
    """{name: bytes} of the programs in tests/linux, linked in all their ways."""
    if not shutil.which(COMPILER):
        pytest.skip(f"there is no {COMPILER}")
    folder = machine.build_path("linux")
    os.makedirs(folder, exist_ok=True)
    require_library(folder)
    found = {}
    for source in sorted(glob.glob(os.path.join(SOURCES, "*.c"))):
        name = os.path.basename(source)[:-2]
        own = FLAGS.search(read(source).decode())
        ways = {name: own.group(1) if own else STATIC, **VARIANTS.get(name, {})}
        for way, flags in ways.items():
            found[way] = compile_one(source, os.path.join(folder, way), flags)
    return found


def archive(path, busybox=None):
    made = cpio.Archive()
    for folder in ("bin", "dev", "linux", "busybox", "lib", "proc", "tmp", "xv6"):
        made.add_folder(folder)
    for name in (*PROGRAMS, "init"):
        made.add_file(name if name == "init" else f"bin/{name}",
                      read(machine.build_path("user", "bin", name)), 0o755)
    made.add_device("console", 1, 0)
    for name, program in ({} if busybox else compiled()).items():
        made.add_file(f"linux/{name}", program, 0o755)
    for name, library in ({} if busybox else libraries()).items():
        made.add_file(f"lib/{name}", library, 0o755)
    if busybox:
        made.add_file("busybox/busybox", read(busybox), 0o755)
        for name in APPLETS:
            made.add_link(f"busybox/{name}", "busybox")
        made.add_file("script", SCRIPT.encode())
    path.write_bytes(made.bytes())
    return path


def session(boot, design, root, command, **options):
    """What the console says of a command from the first program on; the machine's status."""
    machine_ = boot(design=design, disks=options.pop("disks", None), extra=("-initrd", str(root)),
                    append=f"panic=exit quiet {options.pop('append', '')} -- {command}", **options)
    status = machine_.wait_end()
    return machine_.text, status


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("linux") / "root.cpio")


@pytest.mark.designs("share")
def test_own_programs(boot, design, programs):
    """Start, memory, files, processes, signals, time, exec in both directions; and what is linked
    in several ways in each of them."""
    starts = "".join(f"NAME=value /linux/{name} one ''; " for name in compiled()
                     if name.startswith("start"))
    others = "; ".join(f"/linux/{name}" for name in compiled() if not name.startswith("start"))
    said, status = session(boot, design, programs, starts + others)
    for name in compiled():
        source = name.split("-", maxsplit=1)[0]
        ways = sum(way.split("-", maxsplit=1)[0] == source for way in compiled())
        assert said.count(f"{source}: OK\n") == ways, said
    assert status == 0


@pytest.mark.parametrize("option, where", (("", "/xv6 /dev/vda xv6"),
                                           ("mount=/busybox", "/busybox /dev/vdb ext3")))
def test_two_disks(boot, programs, tmp_path, option, where):
    """Both are devices; the file system of one is mounted, and the other disk is as it was."""
    mke2fs = shutil.which("mke2fs", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    if not mke2fs:
        pytest.skip("there is no mke2fs: tools/need.sh more installs e2fsprogs")
    second, first = tmp_path / "ext3.img", tmp_path / "xv6.img"
    subprocess.run([mke2fs, "-q", "-F", "-t", "ext3", str(second), "8m"], check=True)
    shutil.copy(machine.default_image(), first)
    before = {path: read(path) for path in (first, second)}
    disks = [machine.drive(str(first), keep=True),
             machine.drive(str(second), keep=True, name="disk1", slot=1)]
    said, status = session(boot, machine.default_design(), programs, f"/linux/volumes {where}",
                           disks=disks, append=option)
    assert status == 0 and said.endswith("volumes: OK\n"), said
    changed, same = (second, first) if option else (first, second)
    assert read(same) == before[same] and read(changed) != before[changed]


@pytest.mark.parametrize("disks, why", ((1, "there is no second one"),
                                        (2, "there is no such folder")))
def test_second_disk_cannot_be_mounted(boot, programs, tmp_path, disks, why):
    image = tmp_path / "empty.img"
    image.write_bytes(bytes(1 << 20))
    drives = [machine.drive(str(image), keep=False, name=f"disk{i}", slot=i) for i in range(disks)]
    said, status = session(boot, machine.default_design(), programs, "true", disks=drives,
                           append="mount=/none")
    assert status == 1 and f"the disk cannot be used: mount=: {why}" in said, said


def test_pseudo_terminals(boot, programs):
    """Sessions and jobs at them, and what is left when an end closes."""
    said, status = session(boot, machine.default_design(), programs, "/linux/pty")
    assert status == 0 and said.endswith("pty: OK\n"), said


def test_program_ends_the_machine(boot, programs):
    """-no-reboot: QEMU ends when the machine would boot again."""
    for how, extra in (("off", ()), ("again", ("-no-reboot",))):
        machine_ = boot(disks=None, extra=("-initrd", str(programs), *extra),
                        append=f"panic=exit quiet -- /linux/reboot {how}; echo behind")
        assert machine_.wait_end() == 0 and "goes on" not in machine_.text, machine_.text
        assert "behind" not in machine_.text, machine_.text


def test_places_are_repeatable(boot, programs):
    """random=SEED chooses the same places each time; another one, and none, others."""
    def places(option):
        said, _ = session(boot, machine.default_design(), programs, "/linux/start-dynamic",
                          append=f"trace=linux {option}")
        return re.findall(r"brk\(0x0, .* = (0x\w+)|mmap\(.* = (0x\w+)", said)

    first = places("random=1")
    assert first and first == places("random=1")
    assert first not in (places("random=2"), places(""))


def test_under_the_debug_kernel(boot, programs):
    """Under mirror: test_own_programs is under the default design here."""
    said, status = session(boot, "mirror", programs,
                           " && ".join(f"/linux/{name}" for name in UNDER_DEBUG), debug=True)
    assert status == 0 and said.count(": OK\n") == len(UNDER_DEBUG), said


def test_names_are_whole(programs):
    """On ./sim, where a hart is stopped anywhere while another one looks; and races are found."""
    machine.build(targets=("sim",))
    kernel = os.path.join(machine.kernel_folder(), "kernel.elf")
    done = subprocess.run(
        [os.path.join(machine.ROOT, "sim"), "--kernel", kernel, "--initrd", str(programs),
         "--harts", "3", "--races", "--mem", "256M", "--seed", "5", "--append",
         "panic=exit quiet -- /linux/procnet"],
        capture_output=True, encoding="utf-8", errors="replace", timeout=600, check=False)
    assert done.returncode == 0 and "procnet: OK\n" in done.stdout, done.stdout + done.stderr


def test_status_and_pipe(boot, programs):
    said, status = session(boot, machine.default_design(), programs,
                           "/linux/files | cat | grep OK; NAME=value /linux/start one ''")
    assert status == 42 and "files: OK\nstart: OK\n" in said, said


def test_calls_are_printed(boot, programs):
    said, _ = session(boot, machine.default_design(), programs, "/linux/start",
                      append="trace=linux")
    assert "start: call 444(" in said and "= error 38\n" in said
    assert "start: exit_group(0x1," in said


def test_time_without_calls(boot, programs):
    """glibc finds the vDSO, static or not, and asks it for the time."""
    for name in ("vdso", "vdso-dynamic"):
        said, status = session(boot, machine.default_design(), programs, f"/linux/{name} time",
                               append="trace=linux")
        assert status == 0 and f"{name}: exit_group(" in said, said
        assert "clock_gettime" not in said and "gettimeofday" not in said, said


def test_keys(boot, programs):
    """At a terminal without lines, and with lines as a program wants them."""
    machine_ = boot(disks=None, extra=("-initrd", str(programs)),
                    append="panic=exit quiet -- /linux/terminal keys </console")
    for wait, keys in (("each", "a\r\n\x03\x04\x10\x1a\x1c\x7f\x1b[A\x1bOBq"), ("four", "abcd"),
                       ("soon", "x"), ("line", "helx#lo%"), ("word", "secret\n"),
                       ("interrupt", "\x03")):
        machine_.expect(f"keys: {wait}\r*\n")
        machine_.type(keys)
    assert machine_.wait_end() == 0, machine_.text
    said = machine_.text
    assert "<61><0d><0a><03><04><10><1a><1c><7f><1b><5b><41><1b><4f><42><71>" in said, said
    assert "\nhel" in said and "abcd" not in said and "secret" not in said, said
    assert said.endswith("^C\nterminal: OK\n"), said


def test_shell_has_its_terminal_back(boot, programs):
    """A program has left it without lines and echo."""
    machine_ = boot(disks=None, extra=("-initrd", str(programs)))
    machine_.prompt()
    assert machine_.run("/linux/terminal raw") == "terminal: OK\n"
    machine_.type("echo back\r")
    machine_.expect(r"echo back\r?\nback\r?\n\$ $")


@functools.cache
def busybox():
    """Its path."""
    try:
        return linuxroot.busybox()
    except machine.Unusable as e:
        pytest.skip(f"no busybox for RISC-V: {e}")


@pytest.mark.designs("mirror")
def test_busybox(boot, design, tmp_path):
    root = archive(tmp_path / "root.cpio", busybox())
    said, status = session(boot, design, root, "PATH=/busybox /busybox/sh /script")
    assert status == 0 and said.endswith(SAID), said


def test_run_linux():
    """All of busybox's commands, ours, the disk, and the status."""
    busybox()
    done = guest.run("--linux", "-c", "ls -1d /etc/passwd /xv6/bin/sh /trellis/bin/echo; "
                     "ls /usr/bin/awk; seq 5 | awk '{ n += $1 } END { print n }' | "
                     "sed 's/^/sum /'; "
                     "test $(ls /bin /sbin | wc -l) -gt 200 && echo many; exit 5")
    expected = ["/etc/passwd", "/trellis/bin/echo", "/xv6/bin/sh", "/usr/bin/awk", "sum 15",
                "many"]
    assert (done.returncode, done.stdout.splitlines()) == (5, expected), done.stderr


MOUNTS = r"""
mkdir /tmp/m && mount -t tmpfs -o mode=700 here /tmp/m && echo x > /tmp/m/f && ls -ld /tmp/m
mount | grep /tmp/m; df | grep /tmp/m | wc -l
mount -o remount,ro /tmp/m; touch /tmp/m/g; cd /tmp/m; umount /tmp/m; cd /; umount /tmp/m
ls /tmp/m | wc -l; mount -t proc none /tmp/m; ls -d /tmp/m/self; umount -l /tmp/m
mount | grep -c /tmp/m; mount --bind /tmp /tmp/m; chroot /xv6 /none; exit 7
"""


def test_run_linux_mounts():
    """busybox's mount, df, umount and chroot do what they say, or say why not."""
    busybox()
    done = guest.run("--linux", "-c", MOUNTS)
    said = re.sub(r"(drwx------) .* (/tmp/m\n)", r"\1 \2", done.stdout).splitlines()
    assert said == [
        "drwx------ /tmp/m", "here on /tmp/m type tmpfs (rw)", "1",
        "touch: /tmp/m/g: Read-only file system",
        "umount: can't unmount /tmp/m: Device or resource busy", "0", "/tmp/m/self", "0",
        "mount: mounting /tmp on /tmp/m failed: Invalid argument",
        "chroot: can't execute '/none': No such file or directory"]
    assert done.returncode == 7
