"""Machines besides the usual one: what docs/machines.md says of each, and what the kernel
says where a machine lacks something that it needs."""
import os
import re
import struct

import guest
import machine
import pexpect
import pytest

UBOOT = os.environ.get("UBOOT", "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf")
DESIGN = machine.default_design()
SECONDS = 90  # for one boot with a few commands
BOARDS = ["sifive_u", "microchip-icicle-kit"]


@pytest.mark.parametrize("board, its_design, harts, names", [
    pytest.param("sifive_u", "walk", 2, "fork exec mmap views", marks=pytest.mark.wide),
    pytest.param("sifive_u", "walk", 2, "", marks=[pytest.mark.wide, pytest.mark.hand]),
    pytest.param("microchip-icicle-kit", "unify", 1, "",
                 marks=[pytest.mark.long, pytest.mark.hand])])
def test_usertests(board, its_design, harts, names):
    """Harts without stimecmp, one of them without an MMU; UARTs of two kinds; the disk in
    memory; the time counter by the firmware's help."""
    done = guest.run("--machine", board, "--design", its_design, "--harts", harts,
                     "--timeout", guest.LONG_DEADLINE, "-c", f"usertests -q {names}",
                     timeout=guest.LONG_DEADLINE + guest.DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ALL TESTS PASSED\n")


@pytest.mark.parametrize("board", BOARDS + ["spike"])
def test_commands_and_status(board):
    done = guest.run("--machine", board, "--timeout", SECONDS, "-c",
                     "echo one > f; cat f; echo -n end; exit 7")
    assert (done.stdout, done.returncode) == ("one\nend", 7), done.stdout + done.stderr
    done = guest.run("--machine", board, "--timeout", SECONDS, "--append", "selftest=null",
                     "-c", ":")
    assert done.returncode == machine.PANIC_STATUS, done.stdout + done.stderr
    assert "\npanic: " in done.stdout


@pytest.mark.parametrize("board", BOARDS + ["spike"])
def test_keyboard(boot, board):
    """By interrupt, and where there is none (spike) by a look now and then; its emulator
    holds one character only, so each is typed when the last has been echoed."""
    trellis = boot(board=board)
    trellis.expect("the disk is in memory, .*: what is written to it is not kept")
    trellis.prompt()
    for letter in "echo typed\n":
        trellis.type(letter)
        trellis.expect(re.escape(letter).replace("\\\n", "\r*\n"))
    trellis.expect("typed\r*\n")


def last_words(boot, status=1, **options):
    trellis = boot(**options)
    assert trellis.wait_end(SECONDS) == status, trellis.text
    return trellis.text.replace("\r", "")  # the firmware has put some before line ends


def test_no_mmu(boot):
    text = last_words(boot, extra=("-cpu", "rv64,mmu=off"), status=0)
    assert text.endswith("Trellis: this hart cannot translate addresses (Sv39), which Trellis "
                         "needs\n")


def test_no_floating_point(boot):
    """Programs run, and one that computes with such numbers is killed, with the reason."""
    text = last_words(boot, 0, extra=("-cpu", "rv64,f=off,d=off"), append="panic=exit quiet -- "
                      "usertests -q ping_pong float_sums; echo status $?; poweroff")
    assert "killed by illegal instruction" in text and "not every hart has F and D\n" in text


@pytest.fixture(scope="module")
def small_firmware():
    """tests/system/firmware.S, as options for QEMU."""
    machine.build(targets=[os.path.join(machine.BUILD, "firmware.bin")])
    return ["-bios", machine.build_path("firmware.bin")]


def test_no_time_counter(boot, small_firmware):
    """Said through the console that new firmware has."""
    text = last_words(boot, 0, harts=1, extra=small_firmware)
    assert text.startswith("\npanic: the harts have no time counter (rdtime, Zicntr), and the "
                           "firmware has none for them\nhart 0, no process\n"), text
    assert text.endswith(f"\n[trellis] ended with status {machine.PANIC_STATUS}; the machine can "
                         "be switched off\n")


def test_interrupts_by_aplic(boot):
    text = last_words(boot, extra=("-machine", "aia=aplic"))
    assert "needs a PLIC (QEMU: -machine virt,aia=none)\n" in text
    assert text.endswith("Trellis: the disk cannot be used: there is no disk\n")


def test_sockets(boot):
    """Each has memory and a PLIC of its own; the disk is at the second one's."""
    numa = ["-smp", "4,sockets=2"]
    for node in range(2):
        numa += ["-object", f"memory-backend-ram,id=m{node},size=64M", "-numa",
                 f"node,nodeid={node},cpus={2 * node}-{2 * node + 1},memdev=m{node}"]
    text = last_words(boot, 3, harts=4, extra=numa, append="panic=exit -- ls | wc; exit 3")
    assert f"Trellis {DESIGN}: 4 harts, 128 MiB of RAM" in text


@pytest.mark.parametrize("harts, said", [(9, "1 hart is"), (10, "2 harts are")])
def test_more_harts_than_are_used(boot, harts, said):
    text = last_words(boot, 4, harts=harts, append="panic=exit quiet -- exit 4")
    assert text.count("left out") == 1
    assert f"\n{said} left out: Trellis uses at most 8\n" in text
    assert ": 8 harts, " in text


@pytest.mark.parametrize("option, says", [
    ("commit=bogus", "there are strict and lazy"), ("sync=bogus", "there are delayed and always"),
    ("paging=bogus", "there are sv39, sv48 and sv57")])
def test_option_with_a_value_that_there_is_not(option, says):
    """Whoever asked for it would take what is usual for it."""
    done = guest.run("--append", option, "-c", "echo ran")
    assert done.returncode == machine.PANIC_STATUS, done.stdout + done.stderr
    assert f"panic: {option}: {says}\n" in done.stderr.replace("\r", "")
    assert done.stdout == ""


def test_disk_in_memory(boot):
    text = last_words(boot, 0, disks=[["-initrd", machine.default_image()]],
                      append="panic=exit -- usertests -q disk_full_many; exit $?")
    assert "the disk is in memory, " in text and "ALL TESTS PASSED" in text


# ---- the image that boot loaders take ----
def kernel_bin():
    with open(os.path.join(machine.kernel_folder(), "kernel.bin"), "rb") as f:
        return f.read()


def test_image_header():
    """Linux's "Boot image header in RISC-V", and what the ELF file says."""
    image = kernel_bin()
    with open(os.path.join(machine.kernel_folder(), "kernel.sym"), encoding="utf-8") as f:
        symbols = {name: int(address, 16) for address, _, name in map(str.split, f)}
    code, offset, size, flags, version, _, _, magic, magic2, _ = struct.unpack_from(
        "<QQQQIIQ8s4sI", image)
    assert code & 0xfff == 0x06f, "jal x0: both words are code"
    assert (offset, flags, version) == (2 << 20, 0, 2)
    assert size == symbols["kernel_end"] - symbols["kernel_start"] >= len(image)
    assert (magic, magic2) == (b"RISCV\0\0\0", b"RSC\x05")


def wrapped(image, address):
    """An ELF file that does nothing but name an address for the image: QEMU loads what has
    none at 0x80200000 only."""
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1" + bytes(9), 2, 243, 1, address,
                         64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 4096, address, address, len(image), len(image), 4096)
    return (header + segment).ljust(4096, b"\0") + image


@pytest.mark.parametrize("address", [None, 0x84000000, 0x87000000])
def test_image_runs_anywhere(boot, address, tmp_path):
    image = tmp_path / "kernel"
    image.write_bytes(wrapped(kernel_bin(), address) if address else kernel_bin())
    text = last_words(boot, 5, extra=("-kernel", str(image)),
                      append="panic=exit -- usertests -q ping_pong exec_runs; exit 5")
    assert "ALL TESTS PASSED" in text


def test_panic_elsewhere_names_its_lines(boot, tmp_path):
    image = tmp_path / "kernel"
    image.write_bytes(wrapped(kernel_bin(), 0x84000000))
    text = last_words(boot, machine.PANIC_STATUS, extra=("-kernel", str(image)),
                      append="panic=exit selftest=fault")
    assert re.search(r"^  0xffffffc084\w+  fail_fault\+0x\w+  selftest\.c:\d+$", text, re.M), text


@pytest.mark.skipif(not os.path.exists(UBOOT), reason="there is no U-Boot for QEMU here")
def test_booti():
    """U-Boot takes the plain image by its header, moves it to where it wants to be, and hands over
    its device tree, with the boot options in it."""
    image = os.path.join(machine.kernel_folder(), "kernel.bin")
    board = ["-machine", "virt", "-m", "128M", "-smp", "2", "-display", "none", "-monitor", "none",
             "-serial", "stdio", "-kernel", UBOOT,
             "-device", f"loader,file={image},addr=0x84000000,force-raw=on",
             "-global", "virtio-mmio.force-legacy=false", "-device",
             "virtio-blk-device,drive=d", "-drive",
             f"file={machine.default_image()},if=none,format=raw,id=d,snapshot=on"]
    with pexpect.spawn("qemu-system-riscv64", board, encoding="utf-8", timeout=SECONDS) as loader:
        loader.expect("autoboot")
        for line in ("", "setenv bootargs design=mirror", "booti 0x84000000 - ${fdtcontroladdr}"):
            loader.sendline(line)
            loader.expect("=> " if "booti" not in line else "Starting kernel")
        loader.expect(r"Trellis mirror: 2 harts, 128 MiB of RAM")
        loader.expect(r"\$ ")
        loader.sendline("echo one; poweroff")
        loader.expect(r"one\r\n")
        loader.expect(pexpect.EOF)
