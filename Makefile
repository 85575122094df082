# Builds the kernel, its programs and the disk image.
#
#   make                 kernel and image for the default design
#   make DESIGN=walk     another design: walk, mirror, share or unify
#   make DEBUG=1         with the checks that cost time
#   make V=1             shows the commands
#   make host-tests      builds the host's unit tests (./test runs them)
#   make fuzz            builds the fuzzers (so does ./test)
#   make bench           measures all designs (tools/bench.py)
#   make printouts       records anew what the documentation shows, pictures too
#   make clean
#
# Compilers: riscv64-linux-gnu-gcc, riscv64-unknown-elf-gcc or clang with lld,
# the first that is there; TOOLCHAIN=gnu|elf|llvm chooses.

DESIGN ?= share
DEBUG ?= 0
BUILD ?= build
V ?= 0
DESIGNS := $(patsubst kernel/mm/design_%.c,%,$(wildcard kernel/mm/design_*.c))

ifeq ($(filter $(DESIGN),$(DESIGNS)),)
$(error DESIGN=$(DESIGN): no such design; there are: $(DESIGNS))
endif

# ---- toolchain -----------------------------------------------------------
have = $(shell command -v $(1) 2>/dev/null)
ifeq ($(TOOLCHAIN),)
ifneq ($(call have,riscv64-linux-gnu-gcc),)
TOOLCHAIN := gnu
else ifneq ($(call have,riscv64-unknown-elf-gcc),)
TOOLCHAIN := elf
else ifneq ($(and $(call have,clang),$(call have,ld.lld)),)
TOOLCHAIN := llvm
else ifneq ($(MAKECMDGOALS),clean)
$(error no RISC-V compiler: install gcc-riscv64-linux-gnu, gcc-riscv64-unknown-elf, or clang and lld (./run does))
endif
endif

ifneq ($(TOOLCHAIN),)
ifeq ($(filter $(TOOLCHAIN),gnu elf llvm),)
$(error TOOLCHAIN=$(TOOLCHAIN): no such toolchain; there are: gnu elf llvm)
endif
endif

ifeq ($(TOOLCHAIN),llvm)
CC_RV := clang --target=riscv64-unknown-elf
LD_RV := ld.lld
OBJDUMP_RV := $(firstword $(call have,llvm-objdump) $(lastword $(sort $(wildcard /usr/bin/llvm-objdump-*))))
NM_RV := $(firstword $(call have,llvm-nm) $(lastword $(sort $(wildcard /usr/bin/llvm-nm-*))))
LINES_RV := $(firstword $(call have,llvm-dwarfdump) $(lastword $(sort $(wildcard /usr/bin/llvm-dwarfdump-*)))) \
	--debug-line
CC_KNOWN := $(shell clang -dumpversion 2>/dev/null | grep -E '^(14|15|16|19)\.')
else
CROSS_gnu := riscv64-linux-gnu-
CROSS_elf := riscv64-unknown-elf-
CROSS := $(CROSS_$(TOOLCHAIN))
CC_RV := $(CROSS)gcc
LD_RV := $(CROSS)ld
OBJDUMP_RV := $(CROSS)objdump
NM_RV := $(CROSS)nm
LINES_RV := $(CROSS)readelf --debug-dump=decodedline
CC_KNOWN := $(shell $(CC_RV) -dumpversion 2>/dev/null | grep -E '^(12|13|14)(\.|$$)')
endif

# Warnings are errors with the compilers that we know, not with newer ones.
WERROR := $(if $(CC_KNOWN),-Werror)
accepts = $(shell $(CC_RV) -Werror $(1) $(2) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))
ISA_KERNEL := $(firstword $(call accepts,-march=rv64imac_zicsr_zifencei,-mabi=lp64) -march=rv64imac)
ISA_USER := $(firstword $(call accepts,-march=rv64gc_zicsr_zifencei,-mabi=lp64d) -march=rv64gc)
# clang below 16 makes no misaligned accesses anyway, and does not know the option.
STRICT_ALIGN := $(call accepts,-mstrict-align,$(ISA_KERNEL) -mabi=lp64)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	-Wvla -Wno-unused-parameter $(WERROR)
COMMON := -std=gnu17 -g -O2 -MMD -MP -ffreestanding -fno-pie -fno-stack-protector -fno-common \
	-mcmodel=medany -mno-relax -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)/= $(WARNINGS)

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

# ---- kernel --------------------------------------------------------------
K := $(BUILD)/$(DESIGN)$(if $(filter 1,$(DEBUG)),-debug)
K_SRC := $(filter-out kernel/mm/design_%.c,$(wildcard kernel/*/*.c)) kernel/mm/design_$(DESIGN).c \
	$(wildcard kernel/*/*.S)
K_OBJ := $(patsubst kernel/%,$(K)/%.o,$(K_SRC))
# For GDB. GNU ld 2.40 loses what DWARF 5 says of the macros in headers.
MACRO_INFO := -g3 -gdwarf-4 -gstrict-dwarf $(if $(filter llvm,$(TOOLCHAIN)),-fdebug-macro)
K_CFLAGS := $(COMMON) $(ISA_KERNEL) -mabi=lp64 $(STRICT_ALIGN) -fno-omit-frame-pointer \
	-Wframe-larger-than=1024 -Ikernel -DDEBUG=$(DEBUG) $(if $(filter 1,$(DEBUG)),$(MACRO_INFO))

.PHONY: all kernel user image host-tests fuzz bench printouts pictures clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:
all: kernel image
kernel: $(K)/kernel.elf $(K)/kernel.asm $(K)/kernel.sym

$(K)/%.c.o: kernel/%.c $(K)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(K_CFLAGS) -c $< -o $@

$(K)/%.S.o: kernel/%.S $(K)/flags
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(K_CFLAGS) -c $< -o $@

# Linked twice: the second time with the tables of function names and source lines that
# panics print, made from the first. They lie behind all code, so no function moves.
LINK_K = $(LD_RV) -nostdlib -z max-page-size=4096 -z noexecstack -T kernel/arch/kernel.ld
$(K)/kernel-nosyms.elf: $(K_OBJ) $(K)/objects kernel/arch/kernel.ld
	$(Q)$(LINK_K) $(K_OBJ) -o $@

$(K)/symbols.S: $(K)/kernel-nosyms.elf tools/symbols.awk tools/lines.awk tools/linetable.awk
	$(Q)$(NM_RV) -n $< | awk -f tools/symbols.awk > $@
	$(Q)$(LINES_RV) $< 2>/dev/null | awk -f tools/lines.awk | LC_ALL=C sort | \
		awk -f tools/linetable.awk >> $@

$(K)/symbols.o: $(K)/symbols.S
	$(Q)$(CC_RV) $(K_CFLAGS) -c $< -o $@

$(K)/kernel.elf: $(K)/symbols.o $(K_OBJ) kernel/arch/kernel.ld
	$(call say,LD,$@)
	$(Q)$(LINK_K) $(K_OBJ) $< -o $@

$(K)/kernel.asm: $(K)/kernel.elf
	$(Q)$(OBJDUMP_RV) -S $< > $@

$(K)/kernel.sym: $(K)/kernel.elf
	$(Q)$(NM_RV) -n $< > $@

# Rebuild when the flags change, and only then.
$(K)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC_RV) $(subst ','\'',$(K_CFLAGS))' | cmp -s - $@ || \
		echo '$(CC_RV) $(subst ','\'',$(K_CFLAGS))' > $@

# Records a list of objects, so that deleting a source relinks.
write_list = @mkdir -p $(@D); echo '$(1)' | cmp -s - $@ || echo '$(1)' > $@
$(K)/objects: FORCE
	$(call write_list,$(K_OBJ))

# ---- programs ------------------------------------------------------------
# user/bin/NAME.c is a program; user/tests/*.c are one program, usertests.
U := $(BUILD)/user
# Programs are hosted, so that main may end without return, by our library and
# no other: of the system's headers they see only the compiler's own.
U_CFLAGS := $(COMMON) $(ISA_USER) -mabi=lp64d -ffunction-sections -fdata-sections -fhosted -fno-builtin \
	-nostdinc -Iuser/include -Ikernel -isystem $(shell $(CC_RV) -print-file-name=include 2>/dev/null)
U_LIB := $(patsubst user/%,$(U)/%.o,$(wildcard user/lib/*.c user/lib/*.S))
U_PROGS := $(patsubst user/bin/%.c,$(U)/bin/%,$(wildcard user/bin/*.c)) \
	$(if $(wildcard user/tests/*.c),$(U)/bin/usertests)
LINK_U = $(LD_RV) -nostdlib --gc-sections -z max-page-size=4096 -z noexecstack -T user/user.ld
user: $(U_PROGS)

$(U)/%.c.o: user/%.c $(U)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(U_CFLAGS) -c $< -o $@

$(U)/%.S.o: user/%.S $(U)/flags
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_RV) $(U_CFLAGS) -c $< -o $@

U_TESTS := $(patsubst user/%,$(U)/%.o,$(wildcard user/tests/*.c))
$(U)/objects: FORCE
	$(call write_list,$(U_LIB) $(U_TESTS))

$(U)/bin/%: $(U)/bin/%.c.o $(U_LIB) $(U)/objects user/user.ld
	$(call say,LD,$@)
	$(Q)$(LINK_U) $(U_LIB) $< -o $@

# By hand: make build/user/bin/cat.asm
$(U)/bin/%.asm: $(U)/bin/%
	$(Q)$(OBJDUMP_RV) -S $< > $@

$(U)/bin/%.sym: $(U)/bin/%
	$(Q)$(NM_RV) -n $< > $@

$(U)/bin/usertests: $(U_TESTS) $(U_LIB) $(U)/objects user/user.ld
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK_U) $(U_LIB) $(U_TESTS) -o $@

$(U)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC_RV) $(U_CFLAGS)' | cmp -s - $@ || echo '$(CC_RV) $(U_CFLAGS)' > $@

# ---- disk image ----------------------------------------------------------
image: $(BUILD)/fs.img
I_FILES := $(U_PROGS) $(wildcard user/etc/*)
$(BUILD)/fs.files: FORCE
	$(call write_list,$(I_FILES))

$(BUILD)/fs.img: $(I_FILES) $(BUILD)/fs.files tools/mkfs $(wildcard tools/*.py)
	$(call say,MKFS,$@)
	$(Q)tools/mkfs --strip $@ $(I_FILES)

# ---- host tests ----------------------------------------------------------
# tests/host/test_NAME.c says in a comment which kernel sources it tests:
#     /* sources: kernel/mm/pt.c kernel/lib/string.c tests/host/memdisk.c */
# "rename: memcpy strlen" there compiles the sources with these names prefixed
# by k_, for sources that would clash with the host's C library.
H := $(BUILD)/host
H_CFLAGS := -std=gnu17 -g -O1 -MMD -MP -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Wall -Wextra -Wno-unused-parameter -Werror -Ikernel -Itests/host -DDEBUG=1
H_TESTS := $(patsubst tests/host/%.c,$(H)/%,$(wildcard tests/host/test_*.c))
host-tests: $(H_TESTS)
field = $(shell sed -n 's|^/\* *$(2): *\(.*\)\*/.*|\1|p' tests/host/$(1).c)

define HOST_TEST
$(H)/$(1): tests/host/$(1).c $(call field,$(1),sources)
	$$(call say,HOST,$(1))
	@mkdir -p $(H)/obj/$(1)
	$(Q)rm -f $(H)/obj/$(1)/*.o && cd $(H)/obj/$(1) && \
	for src in tests/host/$(1).c $(call field,$(1),sources); do \
	  $(CC) $(subst -I,-I$(CURDIR)/,$(H_CFLAGS)) $(foreach n,$(call field,$(1),rename),-D$(n)=k_$(n)) \
	    -MT $(H)/$(1) -fno-builtin -c $(CURDIR)/$$$$src -o $$$$(echo $$$$src | tr / _).o || exit 1; \
	done
	$(Q)$(CC) $(H_CFLAGS) $(H)/obj/$(1)/*.o -o $$@ -lcmocka
endef
$(foreach t,$(notdir $(H_TESTS)),$(eval $(call HOST_TEST,$(t))))

# ---- fuzzers ---------------------------------------------------------------
# tests/fuzz/fuzz_NAME.c, with comments as above; clang's libFuzzer. ./test runs them
# for a minute together; by hand for an hour, with what it finds kept:
#     build/fuzz/fuzz_pt -max_total_time=3600 NEW_FOLDER tests/fuzz/corpus/pt
F := $(BUILD)/fuzz
F_CFLAGS := $(filter-out -MMD -MP -fsanitize=%,$(H_CFLAGS)) -fsanitize=fuzzer,address,undefined -fno-builtin
F_TESTS := $(patsubst tests/fuzz/%.c,$(F)/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: $(F_TESTS)
fuzz_field = $(shell sed -n 's|^/\* *$(2): *\(.*\)\*/.*|\1|p' tests/fuzz/$(1).c)

define FUZZ_TEST
$(F)/$(1): tests/fuzz/$(1).c $(call fuzz_field,$(1),sources) $(wildcard kernel/*/*.h tests/host/*.h kernel/mm/*.c)
	$$(call say,FUZZ,$(1))
	@mkdir -p $(F)
	$(Q)clang $(F_CFLAGS) $(foreach n,$(call fuzz_field,$(1),rename),-D$(n)=k_$(n)) tests/fuzz/$(1).c \
	  $(call fuzz_field,$(1),sources) -o $$@
endef
$(foreach t,$(notdir $(F_TESTS)),$(eval $(call FUZZ_TEST,$(t))))

# ---- the rest ------------------------------------------------------------
bench:
	$(Q)BUILD=$(BUILD) python3 tools/bench.py

# What the documentation shows of sessions and commands, with the pictures of them.
printouts: pictures
	$(Q)BUILD=$(BUILD) python3 tools/printouts.py docs/failures.md

# The pictures in README.md, of the boot that it shows, in docs/ptview.md and docs/tour.md, with the
# texts that they belong to; needs pexpect, Chromium, and for the one of the page what its tests
# need (sh tools/need.sh browser).
TOUR_DUMPS := 1 2 3 5
pictures:
	$(Q)for d in $(DESIGNS); do $(MAKE) DESIGN=$$d all || exit 1; done
	$(Q)BUILD=$(BUILD) python3 tools/printouts.py README.md README.zh-CN.md docs/tour.md
	$(Q)tools/ptview README.md -o docs/init.svg
	$(Q)tools/ptview tests/ptview/share.log --dump 4 -o docs/ptview.svg
	$(Q)for n in $(TOUR_DUMPS); do \
	  tools/ptview $(BUILD)/fork.log --dump $$n -o docs/tour-$$n.svg || exit 1; done
	$(Q)PTVIEW_PAGE=$(CURDIR)/docs/ptview-page.png ./test test_ptview_looks

clean:
	rm -rf $(BUILD)

FORCE:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
