"""Copies of the tree, to be changed and built: with what was built here, so that only the change is
compiled."""
import os
import shutil

import machine


def copy(folder, without=()):
    """Without these names."""
    shutil.copytree(machine.ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(
        machine.BUILD, "build", ".git", "__pycache__", *without))
    copy_built(folder, "kernel", "user", "fs.files", "fs.img")


def copy_built(folder, *names):
    """These of what was built here, as far as they are there, into the folder's `build`."""
    if machine.BUILD != "build":  # whose name is in what make has written down
        return
    for name in names:
        source, target = machine.build_path(name), os.path.join(folder, "build", name)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True)
        elif os.path.exists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)
