"""One program with threads, linked with two C libraries, in two ways each."""
import os

import cpio
import machine
import musl
import pytest
import test_linux

SOURCE = os.path.join(test_linux.SOURCES, "crew.c")


def read(path):
    with open(path, "rb") as f:
        return f.read()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """An archive with all four."""
    try:
        return archive(tmp_path_factory)
    except machine.Unusable as e:
        pytest.skip(f"no musl for RISC-V: {e}")


def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("musl")
    test_linux.require_library(folder)
    made = cpio.Archive()
    for name in ("bin", "dev", "lib", "linux", "proc", "tmp"):
        made.add_folder(name)
    for name in ("sh", "init"):
        made.add_file(f"bin/{name}" if name == "sh" else name,
                      read(machine.build_path("user", "bin", name)), 0o755)
    made.add_device("console", 1, 0)
    for static in (True, False):
        program = os.path.join(folder, "crew")
        kind = "static" if static else "dynamic"
        made.add_file(f"linux/glibc-{kind}", test_linux.compile_one(
            SOURCE, program, test_linux.STATIC if static else ""), 0o755)
        made.add_file(f"linux/musl-{kind}", musl.compile_with(SOURCE, program, static), 0o755)
    for name, library in {**test_linux.libraries(), musl.LOADER: musl.loader()}.items():
        made.add_file(f"lib/{name}", library, 0o755)
    path = folder / "root.cpio"
    path.write_bytes(made.bytes())
    return path


@pytest.mark.designs("mirror", "share")
@pytest.mark.parametrize("harts", (1, 3))
def test_crew(boot, design, root, harts):
    """Each thread's stack is of 8 MiB with glibc, and four processes have four of them each: more
    than the machine has, if they were promised."""
    said, status = test_linux.session(
        boot, design, root, " && ".join(f"/linux/{name}-{kind}" for name in ("glibc", "musl")
                                        for kind in ("static", "dynamic")), harts=harts)
    assert status == 0 and said.count("crew: OK\n") == 4, said
