# SPDX-License-Identifier: GPL-3.0-or-later
#
#   make check-nested               the suites on a complete KVM, in emulated machines: both beds
#   make check-nested BED=qemu      or one of them; T=pattern picks some tests
#   make nested-shell BED=qemu      a shell in such a machine, with vitrine and gdb at hand
#   make demo BED=qemu              the demo in there, where there is no usable KVM here

BEDS = $(or $(BED),qemu,bochs)

check-nested:
	@tests/scripts/need check
	+@$(SUBMAKE) all tests
	@$(RUN_TESTS) --beds $(BEDS)

nested-shell:
	@tests/scripts/need check
	+@$(SUBMAKE) all tests
	@tests/nested/bed $(or $(BED),qemu) --build $(BUILD) --run shell

.PHONY: check-nested nested-shell
