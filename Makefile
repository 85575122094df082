# Builds the kernel, its programs and the disk image. make help prints this:
#
#   make                 kernel and image
#   make kernel, make user, make image    parts of that
#   make DEBUG=1         with the checks that cost time
#   make V=1             shows the commands
#   make host-tests      builds the host's unit tests (./test runs them)
#   make fuzz            builds the fuzzers (so does ./test)
#   make sim             the machine of ./sim, for this host
#   make live            the machine as a web page with Trellis in it: build/live/trellis.html
#   make bench           measures all designs (tools/bench.py)
#   make bench-harts     the same for operations of 1 to 8 harts (tools/bench_harts.py)
#   make bench-linux     single operations by Linux's interface (tools/bench_linux.py)
#   make bench-programs  whole programs of Linux (tools/bench_programs.py; downloads them)
#   make bench-sim       compares the machine of ./sim with QEMU
#   make lint            cppcheck and clang-tidy over the kernel; some minutes
#   make printouts       records anew what the documentation shows, with make pictures
#   make build/user/bin/cat.asm    a program's code (.sym: its symbols)
#   make clean
#
#   What is built runs with ./run (--design NAME, --paging sv48, --help for the rest), and is
#   tested by ./test; docs/architecture.md is where to begin to read, docs/designs.md how to add
#   a design, and docs/mmap.md about mapped memory
#
#   make BUILD=FOLDER    builds there, not in build; so do ./run and ./test, when it is in
#                        their environment. A relative FOLDER is seen from here
#
# Compilers: riscv64-linux-gnu-gcc, riscv64-unknown-elf-gcc or clang with lld, the first
# that is there, under any of the names that systems give them (tools/toolchain.sh);
# TOOLCHAIN=gnu|elf|llvm chooses, and CROSS=PREFIX names a gcc (CROSS=riscv64-elf-).

DEBUG ?= 0
# None of make's own rules is of use here, and it tries them all for each file.
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

BUILD ?= build
V ?= 0
# Other programs have a DEBUG of their own in the environment.
ifeq ($(filter 0 1,$(DEBUG)),)
ifeq ($(origin DEBUG),environment)
DEBUG := 0
else
$(error DEBUG=$(DEBUG): is 0 or 1)
endif
endif
ifeq ($(strip $(BUILD)),)
override BUILD := build
endif
ODD := : ; & | < > ( ) { } [ ] * ? ! ~ = % ' " ` $$ \ \#
ifneq ($(wordlist 2,2,$(BUILD))$(strip $(foreach c,$(ODD),$(findstring $(c),$(BUILD)))),)
$(error BUILD=$(BUILD): make cannot build in a folder with a blank or one of $(ODD) in its path)
endif
# For the shell: one word, whatever is in it.
quote = '$(subst ','\'',$(1))'

ifeq ($(filter clean help,$(MAKECMDGOALS)),)
ifeq ($(shell mkdir -p $(BUILD) 2>/dev/null && test -w $(BUILD) && echo yes),)
$(error $(BUILD): cannot be made or written; make BUILD=FOLDER builds in another folder)
endif

# ---- toolchain -----------------------------------------------------------
# The machine is compiled for this host.
ifneq ($(MAKECMDGOALS),sim)
FOUND := $(shell sh tools/toolchain.sh $(call quote,$(TOOLCHAIN)) $(call quote,$(CROSS)))
ifeq ($(firstword $(FOUND)),error:)
$(error $(wordlist 2,$(words $(FOUND)),$(FOUND)))
endif
endif
endif

# Warnings are errors with the compilers that we know, not with newer ones.
KNOWN := gcc-12 gcc-13 gcc-14 clang-13 clang-14 clang-15 clang-16 clang-19 clang-22
compiler = $(shell case "$$($(1) --version 2>/dev/null | sed -n 1p)" in \
	(*Apple*) echo apple ;; (*clang*) echo clang ;; (*) echo gcc ;; \
	esac)-$(firstword $(subst ., ,$(shell $(1) -dumpversion 2>/dev/null)))
werror = $(if $(filter $(KNOWN),$(call compiler,$(1))),-Werror)

ifeq ($(firstword $(FOUND)),llvm)
CC_RV := clang --target=riscv64-unknown-elf
LD_RV := ld.lld
llvm_tool = $(shell clang -print-prog-name=$(1))
OBJDUMP_RV := $(call llvm_tool,llvm-objdump)
NM_RV := $(call llvm_tool,llvm-nm)
LINES_RV := $(call llvm_tool,llvm-dwarfdump) --debug-line
READELF_RV := $(call llvm_tool,llvm-readelf)
OBJCOPY_RV := $(call llvm_tool,llvm-objcopy)
else
PREFIX := $(word 2,$(FOUND))
CC_RV := $(PREFIX)gcc
# Of a linker for both sizes of RISC-V the default may be the other one.
LD_RV := $(PREFIX)ld -m elf64lriscv
OBJDUMP_RV := $(PREFIX)objdump
NM_RV := $(PREFIX)nm
LINES_RV := $(PREFIX)readelf --debug-dump=decodedline
READELF_RV := $(PREFIX)readelf
OBJCOPY_RV := $(PREFIX)objcopy
endif

WERROR := $(call werror,$(CC_RV))
accepts = $(shell $(CC_RV) -Werror $(1) $(2) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))
ISA_KERNEL := $(firstword $(call accepts,-march=rv64imac_zicsr_zifencei,-mabi=lp64) -march=rv64imac)
ISA_USER := $(firstword $(call accepts,-march=rv64gc_zicsr_zifencei,-mabi=lp64d) -march=rv64gc)
# clang below 16 makes no misaligned accesses anyway, and does not know the option.
STRICT_ALIGN := $(call accepts,-mstrict-align,$(ISA_KERNEL) -mabi=lp64)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	-Wvla -Wno-unused-parameter $(WERROR)
COMMON := -std=gnu17 -g -O2 -MMD -MP -ffreestanding -fno-pie -fno-stack-protector -fno-common \
	-mcmodel=medany -mno-relax -fno-strict-aliasing $(WARNINGS)
# Not one of the flags that all is built again for: the code is the same everywhere.
NOT_WHERE := $(call quote,-ffile-prefix-map=$(CURDIR)/=)

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

# ---- kernel --------------------------------------------------------------
# Some compilers for bare machines bring no stdint.h; a C library that we do not need would.
K := $(BUILD)/kernel$(if $(filter 1,$(DEBUG)),-debug)
K_SRC := $(wildcard kernel/*/*.c) $(wildcard kernel/*/*.S)
K_OBJ := $(patsubst kernel/%,$(K)/%.o,$(K_SRC))
# For GDB. GNU ld 2.40 loses what DWARF 5 says of the macros in headers.
MACRO_INFO := -g3 -gdwarf-4 -gstrict-dwarf $(if $(filter llvm,$(firstword $(FOUND))),-fdebug-macro)
K_CFLAGS := $(COMMON) $(ISA_KERNEL) -mabi=lp64 $(STRICT_ALIGN) -fno-omit-frame-pointer \
	-Wframe-larger-than=1024 -Wconversion -Wno-sign-conversion -Ikernel -idirafter user/include \
	-DDEBUG=$(DEBUG) $(if $(filter 1,$(DEBUG)),$(MACRO_INFO))

.PHONY: all help kernel user image host-tests sim live fuzz bench bench-harts bench-linux bench-programs bench-sim lint printouts pictures clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:
all: kernel image
help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile
kernel: $(K)/kernel.elf $(K)/kernel.bin $(K)/kernel.asm $(K)/kernel.sym

$(K)/%.c.o: kernel/%.c $(K)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(K_CFLAGS) $(NOT_WHERE) -c $< -o $@

$(K)/%.S.o: kernel/%.S $(K)/flags
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(K_CFLAGS) $(NOT_WHERE) -c $< -o $@

# Linked twice: the second time with the tables of function names and source lines that
# panics print, made from the first. They lie behind all code, so no function moves.
LINK_K = $(LD_RV) -nostdlib -z max-page-size=4096 -z noexecstack -T $(K)/kernel.ld
$(K)/kernel.ld: kernel/arch/kernel.ld kernel/arch/asm.h $(K)/flags
	$(Q)$(CC_RV) $(ISA_KERNEL) -mabi=lp64 -Ikernel -E -P -x assembler-with-cpp $< -o $@

$(K)/kernel-nosyms.elf: $(K_OBJ) $(K)/objects $(K)/kernel.ld
	$(Q)$(LINK_K) --emit-relocs $(K_OBJ) -o $@

$(K)/symbols.S: $(K)/kernel-nosyms.elf tools/symbols.awk tools/lines.awk tools/linetable.awk \
	tools/relocations.awk
	$(Q)$(NM_RV) -n $< | awk -f tools/symbols.awk > $@
	$(Q)$(LINES_RV) $< 2>/dev/null | awk -f tools/lines.awk | LC_ALL=C sort | \
		awk -f tools/linetable.awk >> $@
	$(Q){ $(NM_RV) -n $<; $(READELF_RV) -rW $<; } | awk -f tools/relocations.awk >> $@

$(K)/symbols.o: $(K)/symbols.S
	$(Q)$(CC_RV) $(K_CFLAGS) $(NOT_WHERE) -c $< -o $@

$(K)/kernel.elf: $(K)/symbols.o $(K_OBJ) $(K)/kernel.ld
	$(call say,LD,$@)
	$(Q)$(LINK_K) $(K_OBJ) $< -o $@

# The image as boot loaders take it: entry.S begins with its header.
$(K)/kernel.bin: $(K)/kernel.elf
	$(call say,BIN,$@)
	$(Q)$(OBJCOPY_RV) -O binary $< $@

$(K)/kernel.asm: $(K)/kernel.elf
	$(Q)$(OBJDUMP_RV) -S $< > $@

$(K)/kernel.sym: $(K)/kernel.elf
	$(Q)$(NM_RV) -n $< > $@

# A file that changes when its text does, and only then.
write_text = @mkdir -p $(@D); echo $(call quote,$(1)) | cmp -s - $@ || echo $(call quote,$(1)) > $@

# Rebuild when the flags change, and only then.
$(K)/flags: FORCE
	$(call write_text,$(CC_RV) $(K_CFLAGS))

# Lists of files, so that one that is deleted is missed.
$(K)/objects: FORCE
	$(call write_text,$(K_OBJ))

# A firmware that only tests use: tests/system/firmware.S.
$(BUILD)/firmware.bin: tests/system/firmware.S
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(ISA_KERNEL) -mabi=lp64 -mno-relax -c $< -o $(BUILD)/firmware.o
	$(Q)$(LD_RV) -nostdlib -Ttext 0x80000000 $(BUILD)/firmware.o -o $(BUILD)/firmware.elf
	$(Q)$(OBJCOPY_RV) -O binary $(BUILD)/firmware.elf $@

# ---- programs ------------------------------------------------------------
# user/bin/NAME.c is a program; user/tests/*.c are one program, usertests; user/threadtests/*.c and
# user/signaltests/*.c two others, with the runner of usertests; user/fuzz/* are two that know
# nothing of our library: fuzzcalls, and fuzzlinux, which has Linux's interface.
U := $(BUILD)/user
# Programs are hosted, so that main may end without return, by our library and
# no other: of the system's headers they see only the compiler's own. Thread-local variables stand
# at fixed distances from tp: nothing is loaded later.
U_CFLAGS := $(COMMON) $(ISA_USER) -mabi=lp64d -ftls-model=local-exec \
	-ffunction-sections -fdata-sections -fhosted -fno-builtin \
	-nostdinc -Iuser/include -Ikernel -isystem $(shell $(CC_RV) -print-file-name=include 2>/dev/null)
U_LIB := $(patsubst user/%,$(U)/%.o,$(wildcard user/lib/*.c user/lib/*.S))
U_PROGS := $(patsubst user/bin/%.c,$(U)/bin/%,$(wildcard user/bin/*.c)) \
	$(if $(wildcard user/tests/*.c),$(U)/bin/usertests $(U)/bin/threadtests \
	$(U)/bin/signaltests) $(if $(wildcard user/fuzz/*.c),$(U)/bin/fuzzcalls $(U)/bin/fuzzlinux)
# The stack grows to 8 MiB, and has its room below the program; usertests and
# signaltests have what xv6's programs have: a start at 0, and a stack without a size, which is one
# page (docs/memory-map.md).
STACK := -z stack-size=8388608 --defsym=PROGRAM_START=0x810000
STACK_XV6 := --defsym=PROGRAM_START=0
# Where Linux's linkers begin, and no size of a stack (docs/linux.md).
STACK_LINUX := --defsym=PROGRAM_START=0x10000
# lld would take what thread-local variables begin as for something to be protected after the start,
# and put it into a segment of its own.
LINK_U = $(LD_RV) -nostdlib --gc-sections -z max-page-size=4096 -z noexecstack -z norelro \
	-T user/user.ld
user: $(U_PROGS)

$(U)/%.c.o: user/%.c $(U)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(U_CFLAGS) $(U_SIZE) $(NOT_WHERE) -c $< -o $@

$(U)/%.S.o: user/%.S $(U)/flags
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(U_CFLAGS) $(U_SIZE) $(NOT_WHERE) -c $< -o $@

# One program, which a file of xv6's has to hold: 268 KiB.
U_SMALL := $(or $(call accepts,-Oz),-Os)
$(U)/tests/% $(U)/threadtests/% $(U)/signaltests/%: U_SIZE := $(U_SMALL)
U_TESTS := $(patsubst user/%,$(U)/%.o,$(wildcard user/tests/*.c))
U_THREADTESTS := $(patsubst user/%,$(U)/%.o,$(wildcard user/threadtests/*.c)) \
	$(U)/tests/main.c.o $(U)/tests/util.c.o
U_SIGNALTESTS := $(patsubst user/%,$(U)/%.o,$(wildcard user/signaltests/*.c)) \
	$(U)/tests/main.c.o $(U)/tests/util.c.o $(U)/tests/threads.c.o
$(U)/objects: FORCE
	$(call write_text,$(U_LIB) $(U_TESTS) $(U_THREADTESTS) $(U_SIGNALTESTS))

$(U)/bin/%: $(U)/bin/%.c.o $(U_LIB) $(U)/objects $(U)/flags user/user.ld
	$(call say,LD,$@)
	$(Q)$(LINK_U) $(STACK) $(U_LIB) $< -o $@

# By hand: make build/user/bin/cat.asm
$(U)/bin/%.asm: $(U)/bin/%
	$(Q)$(OBJDUMP_RV) -S $< > $@

$(U)/bin/%.sym: $(U)/bin/%
	$(Q)$(NM_RV) -n $< > $@

$(U)/bin/usertests: $(U_TESTS) $(U_LIB) $(U)/objects $(U)/flags user/user.ld
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK_U) $(STACK_XV6) $(U_LIB) $(U_TESTS) -o $@

$(U)/bin/threadtests: $(U_THREADTESTS) $(U_LIB) $(U)/objects $(U)/flags user/user.ld
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK_U) $(STACK) $(U_LIB) $(U_THREADTESTS) -o $@

$(U)/bin/signaltests: $(U_SIGNALTESTS) $(U_LIB) $(U)/objects $(U)/flags user/user.ld
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK_U) $(STACK_XV6) $(U_LIB) $(U_SIGNALTESTS) -o $@

# Of our library memcpy and its like alone, which compilers call.
U_FUZZ = $(patsubst user/fuzz/%,$(U)/$(1)/%.o,$(wildcard user/fuzz/*.c user/fuzz/*.S)) $(U)/lib/string.c.o
$(U)/fuzzlinux/%: U_CFLAGS += -DFUZZ_LINUX
define FUZZ_OBJECT
$(U)/$(1)/%.o: user/fuzz/% $(U)/flags
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$(Q)$(CC_RV) $$(U_CFLAGS) -c $$< -o $$@
endef
$(foreach f,fuzzcalls fuzzlinux,$(eval $(call FUZZ_OBJECT,$(f))))

$(U)/bin/fuzzcalls: $(call U_FUZZ,fuzzcalls) user/user.ld
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK_U) $(STACK) $(call U_FUZZ,fuzzcalls) -o $@

$(U)/bin/fuzzlinux: $(call U_FUZZ,fuzzlinux) user/user.ld
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK_U) $(STACK_LINUX) $(call U_FUZZ,fuzzlinux) -o $@

$(U)/flags: FORCE
	$(call write_text,$(CC_RV) $(U_CFLAGS) $(U_SMALL) $(LINK_U) $(STACK) $(STACK_XV6) $(STACK_LINUX))

# ---- disk image ----------------------------------------------------------
image: $(BUILD)/fs.img
# Where each stands in the image, and what xv6's own programs look for in /: docs/xv6.md.
I_TESTS := bench benchharts benchpages crash forktest fuzzcalls fuzzlinux grind hog libtest signaltests stacktest stressfs \
	threadstress threadtests usertests
I_PLACE = $(if $(filter init,$(notdir $(1))),init,$(if $(filter $(I_TESTS),$(notdir $(1))),tests,$\
	$(if $(filter user/etc/%,$(1)),etc,bin))/$(notdir $(1)))
I_LINKS := bin/cat:cat bin/echo:echo bin/sh:sh
I_FILES := $(U_PROGS) $(wildcard user/etc/*)
$(BUILD)/fs.files: FORCE
	$(call write_text,$(I_FILES))

$(BUILD)/fs.img: $(I_FILES) $(BUILD)/fs.files Makefile tools/mkfs $(wildcard tools/*.py)
	$(call say,MKFS,$@)
	$(Q)tools/mkfs --strip $(addprefix --link=,$(I_LINKS)) $@ \
		$(foreach f,$(I_FILES),$(f):$(call I_PLACE,$(f)))

# ---- host tests ----------------------------------------------------------
# tests/host/test_NAME.c says in a comment which kernel sources it tests:
#     /* sources: kernel/mm/pt.c kernel/lib/string.c tests/host/memdisk.c */
# A name that ends with / is all sources of that folder; machine is the machine as a library.
# "rename: memcpy strlen" there compiles the sources with these names prefixed
# by k_, for sources that would clash with the host's C library.
H := $(BUILD)/host
S_LIBRARY := $(filter-out machine/cli/% machine/wasm/%,$(wildcard machine/*.c machine/*/*.c))
# make's default is cc, which a host with clang alone may not have.
ifeq ($(origin CC),default)
have = $(shell command -v $(1) 2>/dev/null)
CC := $(firstword $(foreach c,cc gcc clang,$(if $(call have,$(c)),$(c))) cc)
endif
H_WERROR := $(call werror,$(CC))
# Lines and functions are all that a report names; all of -g takes as long again to compile.
H_DEBUG ?= -g1
H_CFLAGS := -std=gnu17 $(H_DEBUG) -O1 -MMD -MP -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Wall -Wextra -Wno-unused-parameter $(H_WERROR) -Ikernel -Itests/host -I. \
	-DDEBUG=1
H_TESTS := $(patsubst tests/host/%.c,$(H)/%,$(wildcard tests/host/test_*.c))
host-tests: $(H_TESTS)
field = $(foreach w,$(shell sed -n 's|^/\* *$(2): *\(.*\)\*/.*|\1|p' tests/host/$(1).c),$\
	$(if $(filter machine,$(w)),$(S_LIBRARY),$(if $(filter %/,$(w)),$(wildcard $(w)*.c),$(w))))

# A source is compiled once for all tests that rename alike: obj/KEY/SOURCE.o.
host_key = $(firstword $(shell echo $(call quote,$(1)) | cksum))
host_object = $(H)/obj/$(2)/$(subst /,_,$(1)).o
define HOST_OBJECT
$(call host_object,$(1),$(2)): $(1)
	@mkdir -p $$(@D)
	$(Q)$$(CC) $$(H_CFLAGS) $(foreach n,$(3),-D$(n)=k_$(n)) -fno-builtin -c $$< -o $$@
endef
define HOST_TEST
$(H)/$(1): $(foreach s,$(2),$(call host_object,$(s),$(3)))
	$$(call say,HOST,$(1))
	$(Q)$$(CC) $$(H_CFLAGS) $$(filter %.o,$$^) -o $$@ -lcmocka -lm
$(foreach s,$(2),$(if $(filter $(s):$(3),$(H_SEEN)),,$(eval H_SEEN += $(s):$(3))$\
	$(eval $(call HOST_OBJECT,$(s),$(3),$(4)))))
endef
host_test = $(eval $(call HOST_TEST,$(1),tests/host/$(1).c $(call field,$(1),sources),$(call host_key,$(2)),$(2)))
# Their rules take a second or two to make: not for what ./run and ./sim ask for.
ifneq ($(filter-out all kernel user image sim,$(or $(MAKECMDGOALS),all)),)
$(foreach t,$(notdir $(H_TESTS)),$(call host_test,$(t),$(call field,$(t),rename)))
endif

# ---- the machine -----------------------------------------------------------
# ./sim --help; it is compiled for this host.
S := $(BUILD)/machine
S_SRC := $(S_LIBRARY) $(wildcard machine/cli/*.c)
S_OBJ := $(patsubst machine/%.c,$(S)/%.o,$(S_SRC))
S_CFLAGS := -std=gnu17 $(H_DEBUG) -O2 -fPIE -MMD -MP -Wall -Wextra -Wno-unused-parameter $(H_WERROR) -I.
sim: $(S)/sim
$(S)/%.o: machine/%.c
	$(call say,SIM,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(S_CFLAGS) -c $< -o $@
$(S)/sim: $(S_OBJ)
	$(Q)$(CC) $(S_OBJ) -o $@

# The same machine for a browser, and the page that it stands in: one file, with Trellis and its
# disk inside. clang's own linker for WebAssembly is all that it needs besides clang.
L := $(BUILD)/live
L_SRC := $(S_LIBRARY) $(wildcard machine/wasm/*.c)
L_OBJ := $(patsubst machine/%.c,$(L)/%.o,$(L_SRC))
L_TARGET := --target=wasm32 -mbulk-memory
L_CFLAGS := $(L_TARGET) -std=gnu17 -O2 -MMD -MP -ffreestanding -nostdlibinc -Wall -Wextra \
	-Wno-unused-parameter -I. -Imachine/wasm/include
L_STACK := 262144
live: $(L)/trellis.html
$(L)/%.o: machine/%.c $(L)/flags
	$(call say,WASM,$<)
	@mkdir -p $(@D)
	$(Q)clang $(L_CFLAGS) $(call werror,clang) -c $< -o $@
$(L)/flags: FORCE
	@command -v clang >/dev/null && command -v wasm-ld >/dev/null || \
		{ echo "make live needs clang and its linker for WebAssembly, wasm-ld (lld)" >&2; exit 2; }
	$(call write_text,$(L_CFLAGS) $(L_OBJ))
$(L)/machine.wasm: $(L_OBJ) $(L)/flags
	$(call say,LD,$@)
	$(Q)wasm-ld --no-entry -z stack-size=$(L_STACK) --stack-first --strip-all $(L_OBJ) -o $@
# The same for this host: tools/stories.py plays the stories with it.
L_SHELL := machine/wasm/shell.c machine/wasm/look.c machine/wasm/doctor.c
$(L)/machine.so: $(patsubst machine/%.c,$(S)/%.o,$(S_LIBRARY) $(L_SHELL))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -Wl,-Bsymbolic $^ -o $@
$(L)/trellis.html: $(L)/machine.wasm $(L)/machine.so $(K)/kernel.elf $(BUILD)/fs.img \
	tools/live.py tools/stories.py tools/elfpatch.py tools/doctorwords.py \
	$(wildcard tools/live.d/* tools/live.d/stories/* tools/ptview.d/* tools/doctor.d/*.txt)
	$(call say,PAGE,$@)
	$(Q)python3 tools/live.py $(L)/machine.wasm $(L)/machine.so $(K)/kernel.elf $(BUILD)/fs.img $@

# ---- fuzzers ---------------------------------------------------------------
# tests/fuzz/fuzz_NAME.c, with comments as above; clang's libFuzzer. ./test runs them
# for a minute together; by hand for an hour, with what it finds kept:
#     build/fuzz/fuzz_pt -max_total_time=3600 NEW_FOLDER tests/fuzz/corpus/pt
F := $(BUILD)/fuzz
F_CFLAGS := $(filter-out -MMD -MP -Werror -fsanitize=%,$(H_CFLAGS)) -fsanitize=fuzzer,address,undefined -fno-builtin
F_TESTS := $(patsubst tests/fuzz/%.c,$(F)/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: $(F_TESTS)
fuzz_field = $(shell sed -n 's|^/\* *$(2): *\(.*\)\*/.*|\1|p' tests/fuzz/$(1).c)

define FUZZ_TEST
$(F)/$(1): tests/fuzz/$(1).c $(call fuzz_field,$(1),sources) $(wildcard kernel/*/*.h tests/host/*.h kernel/mm/*.c)
	$$(call say,FUZZ,$(1))
	@mkdir -p $(F)
	$(Q)clang $(F_CFLAGS) $$(call werror,clang) $(foreach n,$(call fuzz_field,$(1),rename),-D$(n)=k_$(n)) \
	  $(foreach n,$(call fuzz_field,$(1),include),-include $(n)) \
	  tests/fuzz/$(1).c $(call fuzz_field,$(1),sources) -o $$@
endef
ifneq ($(filter-out all kernel user image sim,$(or $(MAKECMDGOALS),all)),)
$(foreach t,$(notdir $(F_TESTS)),$(eval $(call FUZZ_TEST,$(t))))
endif

# ---- the rest ------------------------------------------------------------
bench:
	$(Q)BUILD=$(BUILD) python3 tools/bench.py

bench-harts:
	$(Q)BUILD=$(BUILD) python3 tools/bench_harts.py

bench-linux:
	$(Q)BUILD=$(BUILD) python3 tools/bench_linux.py

bench-programs:
	$(Q)BUILD=$(BUILD) python3 tools/bench_programs.py

bench-sim:
	$(Q)BUILD=$(BUILD) python3 tools/bench_sim.py

# ---- lint ------------------------------------------------------------------
# cppcheck and clang-tidy over the kernel; .clang-tidy says what is looked for. LINT=quick leaves
# out clang's analyzer, which takes minutes. The extents that the linker script names are no one
# object, vsnprintf writes its spare byte before it reads it, and cppcheck 2.10 does not understand
# MIN inside some expressions.
CPPCHECK_FLAGS := --enable=warning,performance,portability --std=c11 --platform=unix64 --quiet \
	--error-exitcode=1 --suppress=missingIncludeSystem \
	--suppress=comparePointers --suppress=internalAstError --suppress=uninitvar:kernel/lib/printf.c
TIDY_FLAGS := --target=riscv64-unknown-elf -march=rv64imac -mabi=lp64 -mcmodel=medany -std=gnu17 \
	-ffreestanding
LINT_FLAGS := -D__riscv=1 -D__riscv_xlen=64 -DDEBUG=0 -Ikernel
lint:
	$(Q)cppcheck $(CPPCHECK_FLAGS) $(LINT_FLAGS) -Iuser/include kernel
	$(Q)clang-tidy --quiet $(if $(filter quick,$(LINT)),--checks=-clang-analyzer-*) \
	  $(wildcard kernel/*/*.c) -- $(TIDY_FLAGS) -DDEBUG=0 -Ikernel -idirafter user/include

# What the documentation shows of sessions and commands, with the pictures of them, and of locks.
printouts: pictures
	$(Q)python3 tools/ranks.py
	$(Q)BUILD=$(BUILD) python3 tools/printouts.py docs/failures.md docs/mmap.md \
		docs/page-tables.md docs/page-tables.zh-CN.md docs/doctor.md docs/doctor.zh-CN.md

# The pictures in README.md, of the boot that it shows, in docs/ptview.md and docs/tour.md, with the
# texts that they belong to; needs pexpect, Chromium, and for the one of the page what its tests
# need (sh tools/need.sh browser).
TOUR_DUMPS := 1 2 3 5
pictures:
	$(Q)$(MAKE) all
	$(Q)BUILD=$(BUILD) python3 tools/printouts.py README.md README.zh-CN.md docs/tour.md
	$(Q)tools/ptview README.md -o docs/init.svg
	$(Q)tools/ptview tests/ptview/share.log --dump 4 -o docs/ptview.svg
	$(Q)for n in $(TOUR_DUMPS); do \
	  tools/ptview $(BUILD)/fork.log --dump $$n -o docs/tour-$$n.svg || exit 1; done
	$(Q)PTVIEW_PAGE=$(call quote,$(CURDIR)/docs/ptview-page.png) ./test test_ptview_looks
	$(Q)LIVE_PAGE=$(call quote,$(CURDIR)/docs/live.png) ./test test_live_stories

# All that can be made again: not the disks of ./run --keep.
clean:
	rm -rf $(filter-out $(BUILD)/kept,$(wildcard $(BUILD)/* $(BUILD)/.lock))
	@rmdir $(BUILD) 2>/dev/null || test ! -d $(BUILD)/kept || echo "$(BUILD)/kept stays"

FORCE:

# (Packages that were downloaded are no part of the build.)
-include $(shell find $(BUILD) -path $(BUILD)/packages -prune -o -name '*.d' -print 2>/dev/null)
