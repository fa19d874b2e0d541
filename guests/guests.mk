# SPDX-License-Identifier: GPL-3.0-or-later
# The guests: freestanding programs that run inside the machine. Each has a folder; what they share is
# in lib/. They become $(BUILD)/guests/NAME.elf with symbols, and NAME.bin where a raw image is wanted.

GUEST_CC      ?= gcc
GUEST_LD      ?= ld
GUEST_OBJCOPY ?= objcopy
G             := $(BUILD)/guests

# Frame pointers and separate DWARF tables, so that both ways of unwinding work; no SSE and no red
# zone, because interrupt handlers save neither.
GUEST_CFLAGS := -std=gnu17 -ffreestanding -nostdinc -isystem $(shell $(GUEST_CC) -print-file-name=include) \
	-Iguests/lib $(WARN) -O1 -g -fno-omit-frame-pointer -mgeneral-regs-only -mno-red-zone -fno-pic -fno-pie \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -MMD -MP
GUEST_LDFLAGS := -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack

GUESTS64 := long64
GUEST_ELF := $(GUESTS64:%=$(G)/%.elf)
GUEST_IMAGES := $(GUEST_ELF)

GUEST_LIB64 := start64 isr64 exceptions descriptors paging timer serial print text arguments
guest_objects = $(patsubst guests/%,$(G)/$(1)/%.o,$(basename $(wildcard guests/$(2)/*.c guests/$(2)/*.S)))
GUEST_LIB64_OBJ := $(GUEST_LIB64:%=$(G)/64/lib/%.o)

guests: $(GUEST_IMAGES)

# A debugger's guest is debugged: its locals are in memory, where a debugger can change them.
$(G)/64/long64/%.o: GUEST_OPT := -O0

$(G)/64/%.o: guests/%.c
	@mkdir -p $(@D)
	$(E) GUEST $<
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(GUEST_OPT) -m64 -c -o $@ $<

$(G)/64/%.o: guests/%.S
	@mkdir -p $(@D)
	$(E) GUEST $<
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -m64 -c -o $@ $<

define guest64
$(G)/$(1).elf: $(call guest_objects,64,$(1)) $(GUEST_LIB64_OBJ) guests/lib/long.ld
	$$(E) LINK $$@
	$$(Q)$(GUEST_LD) -m elf_x86_64 $(GUEST_LDFLAGS) -T guests/lib/long.ld -o $$@ $$(filter %.o,$$^)
endef
$(foreach guest,$(GUESTS64),$(eval $(call guest64,$(guest))))

-include $(wildcard $(G)/*/*/*.d)
.PHONY: guests
