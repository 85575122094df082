"""Packages of Debian's or Ubuntu's for RISC-V, for the guest: found and downloaded by the host's
apt, with its mirror, proxy and keys. All that is written is in one folder of the build folder:
nothing is installed here, and apt's own lists are as they were.
"""
import functools
import os
import re
import shutil
import subprocess
import sys

import machine
from machine import Unusable

ARCHITECTURE = "riscv64"
OLDEST_DEBIAN = 13  # has these packages
OLDEST_NAME = "trixie"
# What the host does after downloads is about its own folders; who is not there is not waited for.
CONFIGURATION = """\
APT::Architecture "{architecture}";
#clear APT::Architectures;
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Keep-Downloaded-Packages "true";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "-";
Dir::Etc::Preferences "-";
Dir::Etc::PreferencesParts "-";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
"""
INSTEAD = "BUSYBOX=FILE in the environment names a busybox that you have"


def folder(*parts):
    return machine.build_path("packages", *parts)


def os_release():
    """What /etc/os-release says of this host, or OS_RELEASE=FILE."""
    try:
        with open(os.environ.get("OS_RELEASE", "/etc/os-release"), encoding="utf-8") as f:
            return dict(re.findall(r"""^(\w+)=["']?([^"'\n]*)["']?$""", f.read(), re.M))
    except OSError:
        return {}


def system():
    """(name, release) of the packages that fit this host."""
    told = os_release()
    for name in [told.get("ID", ""), *told.get("ID_LIKE", "").split()]:
        if name == "ubuntu":
            return name, told.get("UBUNTU_CODENAME") or told.get("VERSION_CODENAME") or "noble"
        if name == "debian":
            version = told.get("VERSION_ID", "")
            newer = name == told.get("ID") and version.isdigit() and int(version) >= OLDEST_DEBIAN
            return name, told.get("VERSION_CODENAME", OLDEST_NAME) if newer else OLDEST_NAME
    return None, None


def require_apt():
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb") or not system()[0]:
        raise Unusable("--linux: packages for RISC-V are downloaded on Debian and Ubuntu, by apt; "
                       f"elsewhere, {INSTEAD}")


def mirror():
    """MIRROR=URL, or where this host has its own packages from. Unusable: it names no place."""
    return os.environ.get("MIRROR", "").rstrip("/") or mirror_of_host()


@functools.cache
def mirror_of_host():
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(SUITE)",
                           "Created-By: Packages"], check=False, capture_output=True,
                          encoding="utf-8", env=environment())
    places = [line.split() for line in done.stdout.splitlines() if len(line.split()) == 2]
    own = os_release().get("VERSION_CODENAME")
    for uri, _ in sorted(places, key=lambda place: place[1] != own):
        return uri.rstrip("/")
    raise Unusable(f"apt has no list of packages; MIRROR=URL in the environment names a mirror, or "
                   f"{INSTEAD}")


def write_configuration():
    name, release = system()
    for part in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(folder(part), exist_ok=True)
    ring = f"/usr/share/keyrings/{name}-archive-keyring.gpg"
    signed = f" [signed-by={ring}]" if os.path.exists(ring) else ""
    components = "main universe" if name == "ubuntu" else "main"
    files = {"apt.conf": CONFIGURATION.format(architecture=ARCHITECTURE, folder=folder()),
             "status": "",
             "sources.list": f"deb{signed} {mirror()} {release} {components}\n"}
    for file, text in files.items():
        with open(folder(file), "w", encoding="utf-8") as f:
            f.write(text)


def environment():
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def apt(*words, cwd=None):
    return subprocess.run(["apt-get", "-c", folder("apt.conf"), "-qq", *words], check=False,
                          capture_output=True, encoding="utf-8", errors="replace",
                          stdin=subprocess.DEVNULL, env=environment(), cwd=cwd)


def why(done):
    """The first error that apt tells, else its status."""
    errors = [line[2:].strip() for line in (done.stderr + done.stdout).splitlines()
              if line.startswith(("E:", "Err:"))]
    return errors[0] if errors else f"apt-get ended with status {done.returncode}"


def update():
    print(f"Reading the lists of {' '.join(system())} for {ARCHITECTURE} (apt-get update, into "
          f"{os.path.relpath(folder())})", file=sys.stderr, flush=True)
    # A list that cannot be had is only a warning to apt, which then takes an older one.
    done = apt("-o", "APT::Update::Error-Mode=any", "update")
    if done.returncode:
        raise Unusable(f"the lists of packages for {ARCHITECTURE} cannot be read: {why(done)}. "
                       "MIRROR=URL in the environment names a mirror that has them (Ubuntu's is "
                       f"one of its ports); without them, {INSTEAD}")


def have_lists():
    return any(name.endswith("_Packages") or "_Packages." in name
               for name in os.listdir(folder("state/lists")))


def closure(names):
    """The files of these packages and of all that they depend on, as the lists say; None: they
    do not know one; and apt's reason."""
    done = apt("--simulate", "install", *names)
    if done.returncode:
        return None, why(done)
    found = re.findall(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", done.stdout, re.M)
    return [f"{name}_{version.replace(':', '%3a')}_{arch}.deb"
            for name, version, arch in found], ""


def find(names):
    """The files of the packages with these names, and of all that they depend on. Unusable: says
    why there are none."""
    require_apt()
    machine.make_build_folder()
    write_configuration()
    fresh = not have_lists()
    if fresh:
        update()
    files, reason = closure(names)
    if files is None and not fresh:
        update()
        files, reason = closure(names)
    if files is None:
        raise Unusable(f"{' '.join(system())} for {ARCHITECTURE}: {reason}")
    return files


def say_download(files):
    print(f"Downloading {' '.join(name.split('_')[0] for name in files)} for {ARCHITECTURE}; "
          "nothing is installed here", file=sys.stderr, flush=True)


def get(names):
    """The paths of the packages with these names, and of all that they depend on; downloads what is
    not there. Unusable: says why not."""
    files = find(names)
    paths = [folder("cache", "archives", file) for file in files]
    if not all(map(os.path.exists, paths)):
        missing = [file for file, path in zip(files, paths) if not os.path.exists(path)]
        say_download(missing)
        done = apt("--download-only", "--yes", "install", *names)
        if done.returncode:
            raise Unusable(f"{' '.join(names)}: the download failed: {why(done)}")
    return paths


def get_alone(names):
    """The same without what they depend on; one for each name, in their order."""
    found = {file.split("_")[0]: file for file in find(names)}
    for name in names:
        if not os.path.exists(folder("cache", "archives", found[name])):
            say_download([found[name]])
            done = apt("download", name, cwd=folder("cache", "archives"))
            if done.returncode:
                raise Unusable(f"{name}: the download failed: {why(done)}")
    return [folder("cache", "archives", found[name]) for name in names]


def unpack(archives, target, command):
    """Makes the folder `target` of the archives, each unpacked by command(archive, folder): whole,
    or not at all."""
    made = f"{target}.{os.getpid()}"
    shutil.rmtree(made, ignore_errors=True)
    os.makedirs(made)
    for archive in archives:
        done = subprocess.run(command(archive, made), check=False, capture_output=True,
                              encoding="utf-8", errors="replace")
        if done.returncode:
            shutil.rmtree(made, ignore_errors=True)
            raise Unusable(f"{os.path.basename(archive)}: {done.stderr.strip()}")
    try:
        os.rename(made, target)
    except OSError:  # another one was quicker
        shutil.rmtree(made, ignore_errors=True)


def unpacked(path):
    """The folder with what is in a package's file."""
    target = folder("unpacked", os.path.basename(path)[:-len(".deb")])
    if not os.path.isdir(target):
        unpack([path], target, lambda package, to: ["dpkg-deb", "-x", package, to])
    return target
