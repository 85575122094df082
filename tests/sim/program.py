"""What the makers of programs share: the options, and what is done with the text they make."""
import argparse
import os
import tempfile

import emulators


def build(text, path):
    """An ELF of the assembly in `text`."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "program.s")
        write(text, source)
        emulators.assemble([source], path)


def write(text, path):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def parser(description):
    made = argparse.ArgumentParser(description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("seed")
    made.add_argument("-o", dest="out", required=True)
    made.add_argument("--count", type=int, default=300)
    made.add_argument("--only", type=int)
    made.add_argument("--steps", type=int)
    made.add_argument("--dump", action="store_true")
    made.add_argument("--source", action="store_true", help="write the assembly instead")
    made.add_argument("--run", action="store_true", help="on QEMU, too")
    return made


def numbers(opts):
    """Of the parts that are wanted."""
    return range(opts.count) if opts.only is None else [opts.only]


def make(text, opts):
    """As the options say; the status."""
    if opts.source:
        write(text, opts.out)
        return 0
    try:
        build(text, opts.out)
        if opts.run:
            print("\n".join(emulators.run_qemu(opts.out)))
    except emulators.Failed as failed:
        return emulators.report(failed)
    return 0
