# SPDX-License-Identifier: GPL-3.0-or-later
# The guest of tests/bench/gdb, and `make bench-gdb`: vitrine beside QEMU, by its figures and their ratios.
# guest.elf has the symbols. boot.elf is the same for loaders that take multiboot kernels of 32 bits alone.
BENCH_GUEST := $(BUILD)/tests/bench/gdb

$(BENCH_GUEST)/boot.elf: tests/bench/gdb/guest.c tests/bench/gdb/start.S guests/lib/long.ld tests/bench/gdb.mk
	@mkdir -p $(@D)
	$(E) GUEST $<
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MF $(@D)/guest.d -c -o $(@D)/guest.o tests/bench/gdb/guest.c
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MF $(@D)/start.d -c -o $(@D)/start.o tests/bench/gdb/start.S
	$(Q)$(GUEST_LD) -m elf_x86_64 $(GUEST_LDFLAGS) -T guests/lib/long.ld -o $(@D)/guest.elf $(@D)/start.o $(@D)/guest.o
	$(Q)$(GUEST_OBJCOPY) -O elf32-i386 --strip-debug $(@D)/guest.elf $@

bench-gdb:
	+@$(SUBMAKE) all $(BENCH_GUEST)/boot.elf >&2
	@tests/bench/gdb/run $(BUILD)

.PHONY: bench-gdb
