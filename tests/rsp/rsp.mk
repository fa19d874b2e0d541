# SPDX-License-Identifier: GPL-3.0-or-later
# These run on the real debugger core: they must not find the fake one among the folder's helpers.
$(BUILD)/tests/rsp/test_core: %: %.o $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)
$(BUILD)/tests/rsp/test_agent_%: $(BUILD)/tests/rsp/test_agent_%.o $(BUILD)/tests/rsp/agent_case.o $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)
