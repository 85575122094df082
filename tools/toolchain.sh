# Finds the compiler for RISC-V. Prints `gnu PREFIX`, `elf PREFIX` or `llvm`; when there is
# none, `error:` and a sentence that says why, and ends with status 1.
#
#     sh tools/toolchain.sh [TOOLCHAIN [CROSS]]
#
# TOOLCHAIN  gnu, elf or llvm: no other is looked for
# CROSS      the prefix of a gcc's commands, such as riscv64-elf-: no other is looked for
#
# The Makefile asks it, and tools/need.sh, so that both know the same compilers.
set -u

# The names that systems give to the same compiler: for programs of Linux, and for bare machines.
GNU="riscv64-linux-gnu- riscv64-unknown-linux-gnu- riscv64-linux-musl- riscv64-suse-linux-"
ELF="riscv64-unknown-elf- riscv64-elf- riscv64-none-elf- riscv-none-elf-"
# Older ones do not know our options, or have not been tried.
GCC_MIN=8
CLANG_MIN=13

have() { command -v "$1" >/dev/null 2>&1; }

fail() {
    echo "error: $*"
    exit 1
}

# Whether compiler $1's version is $2 or more; what does not tell its version will do.
is_new() {
    major=$("$1" -dumpversion 2>/dev/null)
    major=${major%%.*}
    case $major in
    '' | *[!0-9]*) return 0 ;;
    *) [ "$major" -ge "$2" ] ;;
    esac
}

# Prints that the gcc of kind $1 with the prefix $2 is it.
take_gcc() {
    is_new "$2gcc" $GCC_MIN || fail "$2gcc: too old; gcc $GCC_MIN or newer is needed"
    echo "$1 $2"
    exit 0
}

# Takes the first gcc that is there of kind $1, whose prefixes follow.
look_for_gcc() {
    kind=$1
    shift
    for prefix in "$@"; do
        have "${prefix}gcc" && take_gcc "$kind" "$prefix"
    done
}

# Takes clang with lld and LLVM's tools; says what keeps it from that when clang is there.
look_for_llvm() {
    have clang || return 0
    have ld.lld || fail "clang is there without its linker: install lld"
    is_new clang $CLANG_MIN || fail "clang: too old; clang $CLANG_MIN or newer is needed"
    clang --target=riscv64-unknown-elf -x c -c /dev/null -o /dev/null 2>/dev/null ||
        fail "this clang knows no RISC-V (Apple's does not)"
    for tool in llvm-nm llvm-objdump llvm-dwarfdump; do
        path=$(clang -print-prog-name=$tool)
        have "${path:-$tool}" ||
            fail "clang is there without $tool: install llvm"
    done
    echo llvm
    exit 0
}

toolchain=${1-}
cross=${2-}
case $toolchain in
'' | gnu | elf | llvm) ;;
*) fail "TOOLCHAIN=$toolchain: no such toolchain; there are: gnu elf llvm" ;;
esac
if [ -n "$cross" ] && [ "$toolchain" != llvm ]; then
    have "${cross}gcc" ||
        fail "CROSS=$cross: there is no ${cross}gcc; a prefix is such as riscv64-elf-"
    case $cross in
    *linux*) kind=gnu ;;
    *) kind=elf ;;
    esac
    take_gcc "${toolchain:-$kind}" "$cross"
fi
# shellcheck disable=SC2086 # one word a prefix
case $toolchain in
gnu) look_for_gcc gnu $GNU ;;
elf) look_for_gcc elf $ELF ;;
llvm) look_for_llvm ;;
'')
    look_for_gcc gnu $GNU
    look_for_gcc elf $ELF
    look_for_llvm ;;
esac
case $toolchain in
gnu) fail "TOOLCHAIN=gnu: there is no gcc by any of these prefixes: $GNU" ;;
elf) fail "TOOLCHAIN=elf: there is no gcc by any of these prefixes: $ELF" ;;
llvm) fail "TOOLCHAIN=llvm: there is no clang" ;;
*) fail "no RISC-V compiler: install gcc-riscv64-linux-gnu, gcc-riscv64-unknown-elf, or" \
    "clang, lld and llvm (./run does); CROSS=PREFIX names another gcc" ;;
esac
