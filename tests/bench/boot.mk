# SPDX-License-Identifier: GPL-3.0-or-later
# Boots and disk reads, beside QEMU's; in the QEMU bed where there is no hardware virtualisation here.
bench-boot:
	+@$(SUBMAKE) all >&2
	@tests/bench/boot/run $(BUILD)

.PHONY: bench-boot
