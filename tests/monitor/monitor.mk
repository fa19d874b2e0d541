# SPDX-License-Identifier: GPL-3.0-or-later
# An image for the tests to read symbols from; they find it beside themselves.
MONITOR_FIXTURE := $(BUILD)/tests/monitor/fixture.elf

$(MONITOR_FIXTURE): tests/monitor/fixture/fixture.S tests/monitor/monitor.mk
	@mkdir -p $(@D)
	$(E) LD $@
	$(Q)$(CC) -DFOLDER='"$(CURDIR)"' -DEVIL="\"evil$$(printf '\033')[31mname\"" -static -nostdlib \
		-Wl,-Ttext=0x200000 -Wl,--build-id=none -o $@ $<

$(patsubst %.c,$(BUILD)/%,$(wildcard tests/monitor/test_*.c)): | $(MONITOR_FIXTURE)

# docs/console.md's reference, from the command table.
reference: $(BUILD)/tests/monitor/test_reference
	$(Q)REFERENCE=write SOURCE=. $<
.PHONY: reference
