"""The program tests/host/simimage.c, built for a Python test."""
import glob
import os
import subprocess

import machine


def build(folder):
    """Its path."""
    program = os.path.join(folder, "simimage")
    library = os.path.join(machine.ROOT, "machine", "image", "*.c")
    sources = ["tests/host/simimage.c", *glob.glob(library)]
    subprocess.run([*machine.host_compiler(), "-std=gnu17", "-O1", "-g", "-I.", "-o", program,
                    *sources], check=True, cwd=machine.ROOT)
    return program
