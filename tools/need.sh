# Installs what is missing. Sourced by ./run and ./test, run by tools/run.py.
#
#   sh tools/need.sh [python] [build] [boot] [host] [test] [more] [browser]
#
# python  Python 3, which the tools are written in
# build   a RISC-V compiler (any that tools/toolchain.sh knows) and make
# boot    QEMU with OpenSBI
# host    a host compiler and make, which are all that ./sim needs
# test    a host compiler, cmocka, pytest, pexpect, gdb
# more    what some tests need, which are skipped without: clang with libFuzzer, lld and LLVM's
#         tools, spin, clang-format, clang-tidy, cppcheck, e2fsprogs, both RISC-V gccs, and U-Boot
#         where the system has a package of it
# browser Chromium, its driver, Selenium and librsvg, for ptview's tests, which are skipped
#         without; a group of its own, since some systems have no such package
#
# When all is there, no package manager is asked, so it is quick. On Debian and
# Ubuntu the missing packages are installed without a question, as root or
# through sudo; elsewhere it says what to install and ends with status 2.
set -u

have() { command -v "$1" >/dev/null 2>&1; }

here=$(dirname "$0")

# Whether there is a compiler: what TOOLCHAIN and CROSS ask for, which the Makefile reads, too,
# is not ours to install.
have_compiler() {
    why_not=$(sh "$here/toolchain.sh" "${TOOLCHAIN-}" "${CROSS-}") && return 0
    [ -z "${TOOLCHAIN-}${CROSS-}" ] && return 1
    echo "${why_not#error: }" >&2
    exit 2
}

have_toolchain() { sh "$here/toolchain.sh" "$1" >/dev/null; }

# The host's compiler, as the Makefile chooses it.
host_cc() {
    for cc in ${CC:+"$CC"} cc gcc clang; do
        have "${cc%% *}" && break
    done
    echo "$cc"
}

have_plain_cc() {
    echo 'int main(void) { return 0; }' | $(host_cc) -x c -o /dev/null - >/dev/null 2>&1
}

# The unit tests are built with the sanitizers, whose libraries may be in other packages.
have_host_cc() {
    echo 'int main(void) { return 0; }' |
        $(host_cc) -fsanitize=address,undefined -x c -o /dev/null - >/dev/null 2>&1
}

have_firmware() {
    for dir in $(qemu-system-riscv64 -L help 2>/dev/null); do
        [ -e "$dir/opensbi-riscv64-generic-fw_dynamic.bin" ] && return 0
    done
    return 1
}

# The first Python that has the tests' modules.
test_python() {
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import pytest, pexpect' >/dev/null 2>&1; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

# The list is that of tests/system/test_gdb.py. A plain gdb may be for the host alone.
have_gdb() {
    for gdb in gdb-multiarch riscv64-unknown-elf-gdb riscv64-linux-gnu-gdb riscv64-elf-gdb \
        riscv-none-elf-gdb; do
        have "$gdb" && return 0
    done
    have gdb && gdb -batch -nx -ex 'set architecture riscv:rv64' 2>&1 |
        { ! grep -q Undefined; }
}

have_cmocka() {
    printf '%s\n' '#include <stdarg.h>' '#include <stddef.h>' '#include <stdint.h>' \
        '#include <setjmp.h>' '#include <cmocka.h>' | $(host_cc) -E - >/dev/null 2>&1
}

have_fuzzer() {
    have clang && echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -fsanitize=fuzzer -x c -o /dev/null - >/dev/null 2>&1
}

# The list is that of tests/system/test_machines.py.
have_uboot() { [ -e "${UBOOT:-/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf}" ]; }

gnu_gcc_has_a_package() { have apt-get || have dnf || have pacman; }

# Which may stand where only root looks for programs.
have_e2fsprogs() {
    have mke2fs || [ -e "${MKE2FS:-/sbin/mke2fs}" ]
}

# In the Python that the tests run in.
have_selenium() {
    python=$(test_python) && "$python" -c 'import selenium' >/dev/null 2>&1
}

# Adds to $missing the names of what the group needs and is not there.
look_for() {
    case $1 in
    python)
        have python3 || missing="$missing python" ;;
    build)
        have_compiler || missing="$missing compiler"
        have make || missing="$missing make" ;;
    boot)
        have qemu-system-riscv64 || missing="$missing qemu"
        have_firmware || missing="$missing firmware" ;;
    host)
        have_plain_cc || missing="$missing hostcc"
        have make || missing="$missing make" ;;
    test)
        have_host_cc || missing="$missing hostcc"
        have_cmocka || missing="$missing cmocka"
        test_python >/dev/null || missing="$missing pytest pexpect"
        have_gdb || missing="$missing gdb" ;;
    more)
        have_fuzzer || missing="$missing fuzzer"
        have_toolchain llvm || missing="$missing lld"
        have spin || missing="$missing spin"
        have clang-format || missing="$missing clang-format"
        have clang-tidy || missing="$missing clang-tidy"
        have cppcheck || missing="$missing cppcheck"
        have_e2fsprogs || missing="$missing e2fsprogs"
        have riscv64-linux-gnu-gcc || ! gnu_gcc_has_a_package ||
            missing="$missing riscv64-linux-gnu-gcc"
        have_toolchain elf || missing="$missing elfgcc"
        have_uboot || ! have apt-get || missing="$missing uboot" ;;
    browser)
        have chromium || missing="$missing chromium"
        have chromedriver || missing="$missing chromedriver"
        have_selenium || missing="$missing selenium"
        have rsvg-convert || missing="$missing rsvg-convert" ;;
    *)
        echo "need.sh: no group $1" >&2
        return 2 ;;
    esac
}

why() {
    case $1 in
    python) echo "Python 3, for the tools" ;;
    compiler) echo "a RISC-V compiler" ;;
    make) echo "make" ;;
    qemu) echo "the emulator QEMU" ;;
    firmware) echo "the firmware OpenSBI" ;;
    hostcc) echo "a C compiler for the unit tests" ;;
    cmocka) echo "the unit test library cmocka" ;;
    pytest) echo "the test runner pytest" ;;
    pexpect) echo "pexpect, which talks to the guest's console" ;;
    gdb) echo "a GDB that knows RISC-V" ;;
    fuzzer) echo "clang with libFuzzer" ;;
    lld) echo "LLVM's linker and tools, for the second toolchain" ;;
    spin) echo "the model checker spin" ;;
    clang-format) echo "clang-format, which all C is held against" ;;
    clang-tidy) echo "clang-tidy, which looks for mistakes in the kernel" ;;
    e2fsprogs) echo "e2fsprogs, which make and check disks of ext2" ;;
    cppcheck) echo "cppcheck, which does so too" ;;
    riscv64-linux-gnu-gcc) echo "the first toolchain, which the recorded benchmarks are of" ;;
    elfgcc) echo "the third toolchain" ;;
    uboot) echo "the boot loader U-Boot for QEMU, which the image is booted with" ;;
    chromium) echo "the browser Chromium" ;;
    chromedriver) echo "what drives the browser in tests" ;;
    selenium) echo "Selenium, which the browser's tests are written with" ;;
    rsvg-convert) echo "librsvg, which draws pictures as other programs than browsers do" ;;
    esac
}

# The package of a thing, under the names of system $1.
package() {
    case $1:$2 in
    apt:python) echo python3 ;;
    apt:compiler | apt:riscv64-linux-gnu-gcc) echo gcc-riscv64-linux-gnu ;;
    apt:qemu)
        # Newer releases have RISC-V in a package of its own.
        if apt-cache show qemu-system-riscv 2>/dev/null | grep -q '^Package: qemu-system-riscv$'
        then echo qemu-system-riscv; else echo qemu-system-misc; fi ;;
    apt:firmware) echo opensbi ;;
    apt:hostcc) echo gcc libc6-dev ;;
    apt:cmocka) echo libcmocka-dev ;;
    apt:pytest) echo python3-pytest ;;
    apt:pexpect) echo python3-pexpect ;;
    apt:fuzzer) echo clang libclang-rt-dev ;;
    apt:elfgcc) echo gcc-riscv64-unknown-elf ;;
    apt:uboot) echo u-boot-qemu ;;
    apt:chromedriver) echo chromium-driver ;;
    *:lld) echo lld llvm ;;
    *:selenium) echo python3-selenium ;;
    apt:rsvg-convert) echo librsvg2-bin ;;
    dnf:rsvg-convert) echo librsvg2-tools ;;
    pacman:rsvg-convert | brew:rsvg-convert) echo librsvg ;;
    apt:gdb) echo gdb-multiarch ;;
    dnf:python) echo python3 ;;
    dnf:compiler | dnf:riscv64-linux-gnu-gcc) echo gcc-riscv64-linux-gnu ;;
    dnf:qemu) echo qemu-system-riscv-core ;;
    dnf:firmware) echo qemu-common ;;
    dnf:hostcc) echo gcc glibc-devel libasan libubsan ;;
    dnf:cmocka) echo libcmocka-devel ;;
    dnf:pytest) echo python3-pytest ;;
    dnf:pexpect) echo python3-pexpect ;;
    dnf:fuzzer) echo clang compiler-rt ;;
    dnf:clang-format) echo clang-tools-extra ;;
    dnf:clang-tidy) echo clang-tools-extra ;;
    dnf:elfgcc) echo riscv64-unknown-elf-gcc ;;
    dnf:gdb) echo gdb ;;
    pacman:python) echo python ;;
    pacman:compiler) echo riscv64-linux-gnu-gcc ;;
    pacman:qemu) echo qemu-system-riscv ;;
    pacman:firmware) echo qemu-system-riscv-firmware ;;
    pacman:hostcc) echo gcc ;;
    pacman:pytest) echo python-pytest ;;
    pacman:pexpect) echo python-pexpect ;;
    pacman:fuzzer) echo clang compiler-rt ;;
    pacman:clang-format) echo clang ;;
    pacman:clang-tidy) echo clang ;;
    pacman:elfgcc) echo riscv64-elf-gcc ;;
    pacman:gdb) echo riscv64-linux-gnu-gdb ;;
    apk:python) echo python3 ;;
    apk:compiler) echo clang lld llvm ;;
    apk:qemu) echo qemu-system-riscv64 ;;
    apk:firmware) echo opensbi ;;
    apk:hostcc) echo gcc musl-dev ;;
    apk:cmocka) echo cmocka-dev ;;
    apk:pytest) echo py3-pytest ;;
    apk:pexpect) echo py3-pexpect ;;
    apk:fuzzer) echo clang compiler-rt ;;
    apk:elfgcc) echo gcc-riscv-none-elf ;;
    apk:gdb) echo gdb-multiarch ;;
    zypper:python) echo python3 ;;
    zypper:compiler) echo clang lld llvm ;;
    zypper:qemu) echo qemu-extra ;;
    zypper:firmware) echo qemu-extra ;;
    zypper:hostcc) echo gcc glibc-devel ;;
    zypper:cmocka) echo libcmocka-devel ;;
    zypper:pytest) echo python3-pytest ;;
    zypper:pexpect) echo python3-pexpect ;;
    zypper:fuzzer) echo clang ;;
    zypper:elfgcc) echo cross-riscv64-elf-gcc12 ;;
    zypper:gdb) echo gdb ;;
    brew:compiler) echo llvm lld ;;
    brew:firmware) echo qemu ;;
    brew:hostcc) echo llvm ;;
    brew:pytest) echo pytest ;;
    brew:pexpect) echo pexpect ;;
    brew:fuzzer) echo llvm ;;
    brew:elfgcc) echo riscv64-elf-gcc ;;
    brew:gdb) echo riscv64-elf-gdb ;;
    *) echo "$2" ;;
    esac
}

# The packages of all that is missing, each once.
packages() {
    list=
    for thing in $missing; do
        for name in $(package "$1" "$thing"); do
            case " $list " in *" $name "*) ;; *) list="$list $name" ;; esac
        done
    done
    echo "${list# }"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "$@" </dev/null >/dev/null
}

# Whether apt knows each of the packages: a fresh container has no lists.
apt_knows() {
    for name in "$@"; do
        apt-cache show "$name" >/dev/null 2>&1 || return 1
    done
}

install_apt() {
    if [ "$(id -u)" != 0 ] && ! have sudo; then
        echo "Missing:$missing. As root: apt-get install --no-install-recommends" \
            "$(packages apt)" >&2
        exit 2
    fi
    # shellcheck disable=SC2046 # one word a package
    if ! apt_knows $(packages apt); then
        echo "Reading the package lists (apt-get update)" >&2
        as_root apt-get -qq update </dev/null >/dev/null || true
    fi
    for thing in $missing; do
        echo "Installing $(package apt "$thing"): $(why "$thing")" >&2
    done
    # shellcheck disable=SC2046
    apt_install $(packages apt) && return 0
    as_root apt-get -qq update </dev/null >/dev/null
    # shellcheck disable=SC2046
    apt_install $(packages apt) && return 0
    echo "The installation failed: apt-get install $(packages apt)" >&2
    exit 2
}

say_how() {
    echo "Missing:" >&2
    for thing in $missing; do
        echo "    $(why "$thing")" >&2
    done
    if have dnf; then
        echo "Install with: sudo dnf install $(packages dnf)" >&2
    elif have pacman; then
        echo "Install with: sudo pacman -S $(packages pacman)" >&2
    elif have apk; then
        echo "Install with: sudo apk add $(packages apk)" >&2
    elif have zypper; then
        echo "Install with: sudo zypper install $(packages zypper)" >&2
    elif have brew; then
        echo "Install with: brew install $(packages brew)" >&2
    else
        echo "Their names on Debian: $(packages apt)" >&2
    fi
    exit 2
}

need() {
    missing=
    for group in "$@"; do
        look_for "$group" || exit 2
    done
    [ -z "$missing" ] && return 0
    if have apt-get; then install_apt; else say_how; fi
    wanted=$missing
    missing=
    for group in "$@"; do
        look_for "$group"
    done
    if [ -n "$missing" ]; then
        echo "Installed, and still not found:$missing (wanted:$wanted)" >&2
        exit 2
    fi
}

need "$@"
