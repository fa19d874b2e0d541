# SPDX-License-Identifier: GPL-3.0-or-later
#
# Test programs. tests/{unit,rsp,monitor,fuzz,stress}/test_NAME.c, each with its own main (those of fuzz/ share one), becomes
# $(BUILD)/tests/…/test_NAME. The other .c files of such a folder are helpers: they go into an archive that
# the folder's programs are linked with. A folder's own .mk file may add rules, or programs to TESTS.

TEST_DIRS    := unit rsp monitor fuzz stress
TESTS        := $(patsubst %.c,$(BUILD)/%,$(wildcard $(TEST_DIRS:%=tests/%/test_*.c)))
BENCHES      := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
TEST_LIBS    := -lcmocka $(LIBS)
TEST_HELPERS  = $(filter-out tests/$(1)/test_%,$(wildcard tests/$(1)/*.c))

-include $(wildcard tests/rsp/*.mk tests/monitor/*.mk tests/bench/*.mk)
include tests/nested/nested.mk tests/fuzz/fuzz.mk

define test_folder
$(BUILD)/tests/$(1)/libhelpers.a: $(patsubst %.c,$(BUILD)/%.o,$(call TEST_HELPERS,$(1)))
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^

$(BUILD)/tests/$(1)/test_%: $(BUILD)/tests/$(1)/test_%.o $(BUILD)/tests/$(1)/libhelpers.a $(BUILD)/libvitrine.a
	$$(E) LINK $$@
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(TEST_LIBS)
endef
$(foreach d,$(TEST_DIRS),$(eval $(call test_folder,$(d))))

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

tests: $(sort $(TESTS))
	@:
benches: $(sort $(BENCHES))
	@:

# The recipes below build through a second make: what they need may have to be installed first.
SUBMAKE   = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
RUN_TESTS = tests/scripts/run-tests --build $(BUILD) $(if $(T),--only '$(T)')

# Everything here, and then a quick selection on a complete KVM (see tests/nested/nested.mk).
check:
	@tests/scripts/need check
	+@$(SUBMAKE) all tests
	@$(RUN_TESTS) $(if $(QUICK_BED),--quick --beds $(QUICK_BED))

# With sanitizers: the C programs and the stress tests. gdb's own sessions would only be slower.
check-asan:
	@tests/scripts/need check
	+@$(SUBMAKE) SANITIZE=address,undefined BUILD=$(BUILD)-address-undefined check-sanitized
check-tsan:
	@tests/scripts/need check
	+@$(SUBMAKE) SANITIZE=thread BUILD=$(BUILD)-thread check-sanitized
check-sanitized: all tests
	@$(RUN_TESTS) --folders unit,rsp,monitor,fuzz,stress

# What has full numbers, with them.
STRESSED = stress/ $(patsubst tests/%.c,%,$(shell grep -lw rig_rounds tests/unit/test_*.c))
stress:
	@tests/scripts/need check
	+@$(SUBMAKE) all tests
	@STRESS=full $(RUN_TESTS) --folders stress,unit --slower 10 --only '$(or $(T),$(STRESSED))'

demo:
	@tests/scripts/need demo
	+@$(SUBMAKE) all
	@$(if $(BED),tests/nested/bed $(BED) --build $(BUILD) --run demo,tests/scripts/demo $(BUILD))

# One figure per line: name value unit.
bench:
	+@$(SUBMAKE) all benches $(BENCH_GUEST)/boot.elf >&2
	@set -e; for b in $(sort $(BENCHES)); do $$b; done
	@tests/bench/gdb/run $(BUILD)
	@tests/bench/console/run $(BUILD)

-include $(wildcard $(TEST_DIRS:%=$(BUILD)/tests/%/*.d) $(BUILD)/tests/bench/*.d)
.PHONY: tests benches check check-asan check-tsan check-sanitized stress demo bench
.SECONDARY:
