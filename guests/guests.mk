# SPDX-License-Identifier: GPL-3.0-or-later
# The guests: freestanding programs that run inside the machine. Each has a folder; what they share is
# in lib/. They become $(BUILD)/guests/NAME.elf with symbols, and NAME.bin where a raw image is wanted.

GUEST_CC      ?= gcc
GUEST_LD      ?= ld
GUEST_OBJCOPY ?= objcopy
G             := $(BUILD)/guests

# Frame pointers and separate DWARF tables, so that both ways of unwinding work; no SSE and no red
# zone, because interrupt handlers save neither.
GUEST_CFLAGS := -std=gnu17 -ffreestanding -nostdinc -isystem $(shell $(GUEST_CC) -print-file-name=include 2>/dev/null) \
	-Iguests/lib $(WARN) -O1 -g -fno-omit-frame-pointer -mgeneral-regs-only -mno-red-zone -fno-pic -fno-pie \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -MMD -MP
GUEST_LDFLAGS := -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack

GUESTS64 := long64 smp user faults io paces hot moved
GUESTS32 := prot32 mboot mboot2 disk
GUEST_IMAGES := $(patsubst %,$(G)/%.elf,$(GUESTS64) $(GUESTS32) real16 high packed checks teach lesson) $(G)/real16.bin $(G)/checks.flat

GUEST_LIB32 := serial print text arguments
GUEST_LIB64 := start64 isr64 exceptions descriptors paging timer $(GUEST_LIB32)
GUEST_LIB32_OBJ := $(GUEST_LIB32:%=$(G)/32/lib/%.o)
GUEST_LIB64_OBJ := $(GUEST_LIB64:%=$(G)/64/lib/%.o)
# The objects of guest $(2), for $(1) bits.
guest_objects = $(patsubst guests/%,$(G)/$(1)/%.o,$(basename $(wildcard guests/$(2)/*.c guests/$(2)/*.S)))

guests: $(GUEST_IMAGES)

# A debugger's guest is debugged: its locals are in memory, where a debugger can change them.
$(G)/64/long64/%.o $(G)/64/paces/%.o $(G)/64/hot/%.o $(G)/64/lesson/%.o: GUEST_OPT := -O0
$(G)/64/high/kernel.o: GUEST_OPT := -mcmodel=kernel
$(G)/64/moved/main.o: GUEST_OPT := -fpie -O0

define guest_rules
$(G)/$(1)/%.o: guests/%.c guests/guests.mk
	@mkdir -p $$(@D)
	$$(E) GUEST $$<
	$$(Q)$$(GUEST_CC) $$(GUEST_CFLAGS) $$(GUEST_OPT) -m$(1) -c -o $$@ $$<

$(G)/$(1)/%.o: guests/%.S guests/guests.mk
	@mkdir -p $$(@D)
	$$(E) GUEST $$<
	$$(Q)$$(GUEST_CC) $$(GUEST_CFLAGS) $$(GUEST_OPT) -m$(1) -c -o $$@ $$<
endef
$(eval $(call guest_rules,32))
$(eval $(call guest_rules,64))

# $(1): name, $(2): bits, $(3): linker's emulation, $(4): linker script.
define guest_link
$(G)/$(1).elf: $(call guest_objects,$(2),$(1)) $(GUEST_LIB$(2)_OBJ) guests/$(4)
	$$(E) LINK $$@
	$$(Q)$$(GUEST_LD) -m $(3) $$(GUEST_LDFLAGS) -T guests/$(4) -o $$@ $$(filter %.o,$$^)
endef
$(foreach guest,$(GUESTS64),$(eval $(call guest_link,$(guest),64,elf_x86_64,lib/long.ld)))
$(foreach guest,$(GUESTS32),$(eval $(call guest_link,$(guest),32,elf_i386,lib/prot.ld)))

# A kernel whose processes have addresses of their own.
$(G)/32/teach/%.o: GUEST_OPT := -O0
$(eval $(call guest_link,teach,32,elf_i386,teach/teach.ld))

# A kernel that is linked high; and its boot program with that kernel as data, every four bytes turned round.
$(eval $(call guest_link,high,64,elf_x86_64,high/high.ld))

$(G)/kernel.packed: $(G)/high.elf
	$(E) OBJCOPY $@
	$(Q)$(GUEST_OBJCOPY) -O binary -j .kernel --reverse-bytes=4 $< $@

$(G)/64/packed/kernel.o: GUEST_OPT := -DKERNEL='"$(G)/kernel.packed"'
$(G)/64/packed/kernel.o: $(G)/kernel.packed

$(G)/packed.elf: $(G)/64/high/boot.o $(G)/64/packed/kernel.o $(GUEST_LIB64_OBJ) guests/lib/long.ld
	$(E) LINK $@
	$(Q)$(GUEST_LD) -m elf_x86_64 $(GUEST_LDFLAGS) -T guests/lib/long.ld -o $@ $(filter %.o,$^)

# One image with code for all three modes: nothing of lib/ fits into it.
$(G)/real16.elf: $(G)/64/real16/boot.o guests/real16/real16.ld
	$(E) LINK $@
	$(Q)$(GUEST_LD) -m elf_x86_64 $(GUEST_LDFLAGS) -T guests/real16/real16.ld -o $@ $(filter %.o,$^)

# A reset vector, code for all three modes, and a kernel.
$(G)/lesson.elf: $(call guest_objects,64,lesson) $(filter-out %/start64.o,$(GUEST_LIB64_OBJ)) guests/lesson/lesson.ld
	$(E) LINK $@
	$(Q)$(GUEST_LD) -m elf_x86_64 $(GUEST_LDFLAGS) -T guests/lesson/lesson.ld -o $@ $(filter %.o,$^)

# As test kernels come: code for long mode in an ELF file for 32 bits, without symbols, which checks.elf has.
$(G)/checks.elf: $(call guest_objects,64,checks) $(filter-out %/start64.o,$(GUEST_LIB64_OBJ)) guests/lib/long.ld
	$(E) LINK $@
	$(Q)$(GUEST_LD) -m elf_x86_64 $(GUEST_LDFLAGS) -T guests/lib/long.ld -o $@ $(filter %.o,$^)

$(G)/checks.flat: $(G)/checks.elf
	$(E) OBJCOPY $@
	$(Q)$(GUEST_OBJCOPY) -O elf32-i386 --strip-debug $< $@

$(G)/%.bin: $(G)/%.elf
	$(E) OBJCOPY $@
	$(Q)$(GUEST_OBJCOPY) -O binary $< $@

-include $(wildcard $(G)/*/*/*.d)
.PHONY: guests
