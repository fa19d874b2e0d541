# SPDX-License-Identifier: GPL-3.0-or-later
# These run on the real debugger core: they must not find the fake one among the folder's helpers.
$(BUILD)/tests/rsp/test_core $(BUILD)/tests/rsp/test_agent_expr: %: %.o $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)
