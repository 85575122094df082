"""The simulated machine's device tree and the one that QEMU makes for the board `virt`: what is in
both is the same."""
import shutil
import struct
import subprocess

import machine
import pytest
import simimage

OURS_ALONE = {"bootargs"}
# What the seed, the harts' extensions and QEMU's version (ndev: 96 before 8.0) make different.
OTHER_VALUES = {"rng-seed", "riscv,isa", "mmu-type", "riscv,ndev"}
HANDLES = {"phandle", "interrupt-parent", "regmap", "cpu"}  # cells that name a node
# Parts of QEMU's board that this machine does not have.
LEFT_OUT = ("/pmu", "/fw-cfg@", "/flash@", "/platform-bus@", "/soc/pci@")


def strings_at(data, at):
    return data[at:data.index(b"\0", at)].decode()


def properties(blob):
    """{path of a node: {property: bytes}}"""
    _, total, at, names = struct.unpack_from(">4I", blob)
    assert total <= len(blob)
    path, nodes = [], {}
    while True:
        token, = struct.unpack_from(">I", blob, at)
        at += 4
        if token == 1:
            name = strings_at(blob, at)
            at += (len(name) + 4) & ~3
            path.append(name)
            here = nodes["/".join(path) or "/"] = {}
        elif token == 2:
            path.pop()
        elif token == 3:
            size, name = struct.unpack_from(">II", blob, at)
            here[strings_at(blob, names + name)] = blob[at + 8:at + 8 + size]
            at += 8 + ((size + 3) & ~3)
        elif token == 9:
            assert not path
            return nodes


def cells(value):
    return struct.unpack(f">{len(value) // 4}I", value)


def with_paths(nodes):
    """The same with a node's path for every handle."""
    owner = {cells(here["phandle"])[0]: path for path, here in nodes.items() if "phandle" in here}
    for here in nodes.values():
        for name in HANDLES & set(here):
            here[name] = owner[cells(here[name])[0]]
        if "interrupts-extended" in here:
            pairs = cells(here["interrupts-extended"])
            here["interrupts-extended"] = [
                (owner[handle], irq) for handle, irq in zip(pairs[::2], pairs[1::2])]
    return nodes


@pytest.fixture(scope="module", name="program")
def build_program(tmp_path_factory):
    return simimage.build(tmp_path_factory.mktemp("simimage"))


@pytest.mark.parametrize("harts, mib", [(1, 128), (3, 2048), (8, 5120)])
def test_qemu_has_the_same(tmp_path, program, harts, mib):
    if not shutil.which(machine.QEMU):
        pytest.skip("there is no QEMU")
    dump = tmp_path / "qemu.dtb"
    subprocess.run([machine.QEMU, "-display", "none", "-M", f"virt,dumpdtb={dump}", "-smp",
                    str(harts), "-m", str(mib)], check=True, capture_output=True)
    theirs = with_paths(properties(dump.read_bytes()))
    ours = with_paths(properties(subprocess.run([program, "fdt", str(harts), str(mib)],
                                                check=True, capture_output=True).stdout))
    assert not set(ours) - set(theirs)
    assert not [path for path in set(theirs) - set(ours) if not path.startswith(LEFT_OUT)]
    for path, here in ours.items():
        there = theirs[path]
        assert not set(here) - set(there) - OURS_ALONE, path
        # Newer versions describe the harts in more ways.
        assert not {name for name in set(there) - set(here) if not name.startswith("riscv,")}, path
        same = set(here) & set(there) - OTHER_VALUES
        assert {name: here[name] for name in same} == {name: there[name] for name in same}, path
