"""Sources of Debian's or Ubuntu's packages, for the test suites that are in them: downloaded by apt
as packages.py does, and unpacked into a folder of the build folder.
"""
import glob
import os
import subprocess

import packages
from machine import Unusable


def folder(*parts):
    return packages.folder("sources", *parts)


def write_configuration():
    """Of its own: the lists of sources are large, and ./run --linux needs none."""
    packages.write_configuration()
    for part in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(folder(part), exist_ok=True)
    with open(packages.folder("sources.list"), encoding="utf-8") as f:
        line = f.read().replace("deb ", "deb-src ", 1)
    files = {"status": "", "sources.list": line,
             "apt.conf": packages.CONFIGURATION.format(architecture=packages.ARCHITECTURE,
                                                       folder=folder())}
    for file, text in files.items():
        with open(folder(file), "w", encoding="utf-8") as f:
            f.write(text)


def apt(*words, cwd=None):
    return subprocess.run(["apt-get", "-c", folder("apt.conf"), "-qq", *words], check=False,
                          capture_output=True, encoding="utf-8", errors="replace",
                          stdin=subprocess.DEVNULL, env=packages.environment(), cwd=cwd)


def get(name, with_debian=False):
    """The folder with what the package's source archives have in them: the program's own, and, if
    asked for, Debian's folder `debian`. Unusable: why there is none."""
    packages.require_apt()
    target = folder(name)
    if os.path.isdir(target):
        return target
    write_configuration()
    downloads = folder("downloads", name)
    os.makedirs(downloads, exist_ok=True)
    words = ["--download-only", *([] if with_debian else ["--tar-only"]), "source", name]
    done = apt(*words, cwd=downloads)
    if done.returncode:
        done = apt("update")
        if not done.returncode:
            done = apt(*words, cwd=downloads)
    if done.returncode:
        raise Unusable(f"the source of {name} cannot be downloaded: {packages.why(done)}")
    tars = sorted(glob.glob(os.path.join(downloads, "*.orig.tar.*")) +
                  (glob.glob(os.path.join(downloads, "*.debian.tar.*")) if with_debian else []))
    packages.unpack([tar for tar in tars if not tar.endswith(".asc")], target,
                    lambda tar, to: ["tar", "-C", to, "-xf", tar])
    return target
