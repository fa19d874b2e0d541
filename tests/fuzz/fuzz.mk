# SPDX-License-Identifier: GPL-3.0-or-later
# tests/fuzz/test_NAME.c is a target of libFuzzer; the folder's other .c files are helpers. Among the tests it becomes a
# program that plays its corpus (replay.c). For fuzzing it is built by clang, in a folder of its own:
#
#   make fuzz               every target for a while, one after the other
#   make fuzz MINUTES=60 T=session
FUZZERS   := $(patsubst tests/fuzz/test_%.c,$(BUILD)/tests/fuzz/fuzz_%,$(wildcard tests/fuzz/test_*.c))
MINUTES   ?= 1
FUZZ_MAKE  = $(SUBMAKE) CC=clang CFLAGS='-O1 -g' SANITIZE=fuzzer-no-link,address,undefined BUILD=$(BUILD)-fuzz

# The checklist's packets are what the session's mutator begins with.
$(BUILD)/tests/fuzz/libhelpers.a: $(BUILD)/tests/rsp/rows.o

# The dummy accelerator is not what is tested, and a guest that spins costs enough.
ifneq ($(findstring fuzzer,$(SANITIZE)),)
$(BUILD)/src/accel/dummy%.o $(BUILD)/src/x86/mode.o: ALL_CFLAGS += -fno-sanitize=fuzzer-no-link
endif

# libFuzzer has a main of its own, so that replay.c's stays in the archive.
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/test_%.o $(BUILD)/tests/fuzz/libhelpers.a $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

fuzzers: $(sort $(FUZZERS))
	@:

fuzz:
	+@tests/fuzz/run --build $(BUILD)-fuzz --minutes $(MINUTES) $(if $(T),--only '$(T)') -- $(FUZZ_MAKE) fuzzers

.PHONY: fuzzers fuzz
