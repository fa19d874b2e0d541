# SPDX-License-Identifier: GPL-3.0-or-later
# test_core runs on the real debugger core: it must not find the fake one among the folder's helpers.
$(BUILD)/tests/rsp/test_core: $(BUILD)/tests/rsp/test_core.o $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)
