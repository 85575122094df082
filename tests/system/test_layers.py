"""The layers hold in what the compiler made, and a cheat that the text hides is found."""
import os
import shlex
import subprocess

import layers
import machine
import pytest


def test_the_layers_hold():
    assert layers.check([machine.kernel_folder()]) == []


def compiled(tmp_path, layer, text):
    """What the checks say of a file of this layer, with the kernel's own compiler and flags."""
    flags = machine.kernel_folder()
    with open(os.path.join(flags, "flags"), encoding="utf-8") as f:
        command = shlex.split(f.read())
    source, out = tmp_path / "cheat.c", tmp_path / "cheat.o"
    source.write_text(text)
    subprocess.run([*command, "-c", source, "-o", out, "-MF", tmp_path / "cheat.d"], check=True,
                   cwd=machine.ROOT)
    name = f"kernel/{layer}/cheat.c"
    home = "0000000000000000 T names_unlink\n"
    listings = {(layer, name): layers.names_in(out),
                ("fs", "kernel/fs/entries.c"): home}
    return [*layers.check_headers(layer, name, (tmp_path / "cheat.d").read_text()),
            *layers.check_symbols(listings, set()),
            *layers.check_instructions(layer, name, layers.disassembly(out))]


@pytest.mark.parametrize("layer, text, says", [
    ("lib", "#include <fs/entries.h>\n", "lib includes kernel/fs/entries.h"),
    ("mm", "extern int names_unlink(const char *);\nint cheat(void);\n"
     "int cheat(void) { return names_unlink(\"x\"); }\n", "mm uses names_unlink, which fs"),
    ("mm", "#define A(x) __as##x\nvoid cheat(void);\n"
     "void cheat(void) { A(m__) volatile(\"csrs 0x100, %0\" ::\"r\"(1UL << 18)); }\n",
     "sstatus in mm"),
    ("fs", "#define A(x) __as##x\nvoid cheat(void);\n"
     "void cheat(void) { A(m__) volatile(\"sfence.vma\"); }\n", "sfence.vma in fs")],
                         ids=["include", "extern", "sstatus", "fence"])
def test_cheats_are_found(tmp_path, layer, text, says):
    found = compiled(tmp_path, layer, text)
    assert any(says in problem for problem in found), found


def test_an_operation_that_nothing_uses():
    assert any("kernel_satp" in p for p in layers.check([]))
