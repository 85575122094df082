"""Copies of the tree, to be changed and built: with what was built here, so that only the change is
compiled."""
import os
import shutil

import machine


def copy(folder, without=(), built=("kernel", "user", "fs.files", "fs.img")):
    """Without these names; and with these of what was built, which stands in `build` there."""
    shutil.copytree(machine.ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(
        machine.BUILD, "build", ".git", "__pycache__", *without))
    if machine.BUILD != "build":  # whose name is in what make has written down
        return
    for name in built:
        source, target = machine.build_path(name), os.path.join(folder, "build", name)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True)
        elif os.path.exists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)
