# SPDX-License-Identifier: GPL-3.0-or-later
#
#   make check-nested               the suites on a complete KVM, in emulated machines: both beds
#   make check-nested BED=qemu      or one of them; T=pattern picks some tests, LIMIT=N gives each bed N seconds
#   make nested-shell BED=qemu      a shell in such a machine, with vitrine and gdb at hand
#   make demo BED=qemu              the demo in there, where there is no usable KVM here
#   make nested-capabilities        asks this host and the beds what they can do, into docs/kvm-notes.md
#
# make check runs a quick selection in the QEMU bed, unless T= picks tests or BED=none says not to.

BEDS      = $(or $(BED),qemu,bochs)
QUICK_BED = $(if $(T),,$(filter-out none,$(or $(BED),qemu)))

check-nested:
	@tests/scripts/need check
	+@$(SUBMAKE) all tests
	@$(RUN_TESTS) --beds $(BEDS) $(if $(LIMIT),--bed-limit $(LIMIT))

nested-shell:
	@tests/scripts/need check
	+@$(SUBMAKE) all tests
	@tests/nested/bed $(or $(BED),qemu) --build $(BUILD) --run shell

nested-capabilities:
	+@$(SUBMAKE) all >&2
	@tests/nested/capabilities $(BUILD) docs/kvm-notes.md

.PHONY: check-nested nested-shell nested-capabilities
