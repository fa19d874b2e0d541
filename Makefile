# SPDX-License-Identifier: GPL-3.0-or-later
#
#   make           builds build/vitrine and build/guests/*.elf
#   make demo      the demo guest, paused, ready for gdb       (installs what is missing when it may)
#   make check     runs every test that this host can run      (likewise); T=pattern picks some
#   make install   DESTDIR= PREFIX=    make clean    make format    make lint    make bench
#   make check-asan, make check-tsan   the same tests with sanitizers      make fuzz
#
#   V=1 shows the commands; CC=clang works; BUILD=folder moves the build elsewhere.
#   SANITIZE=address,undefined and SANITIZE=thread build into folders of their own.

ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
comma  := ,
BUILD  ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

WARN   := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla
CFLAGS ?= -O2 -g
SAN    := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_CFLAGS  := -std=gnu17 -D_GNU_SOURCE -Isrc -I. $(WARN) $(CPPFLAGS) $(CFLAGS) $(SAN) -pthread -MMD -MP
ALL_LDFLAGS := $(CFLAGS) $(LDFLAGS) $(SAN) -pthread
LIBS   := -lreadline -lZydis -ldw -lelf -lzstd -llz4 -llzma -lz -ljansson

E := $(if $(V),@:,@printf '  %-7s %s\n')
Q := $(if $(V),,@)

SRC    := $(wildcard src/*.c src/*/*.c gdbstub/*.c monitor/*.c)
OBJ    := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/src/boot/embedded.o
LIBOBJ := $(filter-out $(BUILD)/src/main.o,$(OBJ))

all: $(BUILD)/vitrine guests

$(BUILD)/vitrine: $(BUILD)/src/main.o $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libvitrine.a: $(LIBOBJ)
	$(E) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(E) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/src/boot/embedded.o: src/boot/embedded.S $(BUILD)/guests/long64.elf $(BUILD)/flags
	@mkdir -p $(@D)
	$(E) AS $<
	$(Q)$(CC) -DIMAGE='"$(BUILD)/guests/long64.elf"' -c -o $@ $<

# Changes whenever the compiler or its flags do, and with it everything that was made by them.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' >$@

include guests/guests.mk
include tests/tests.mk

install: all
	install -D -m 755 $(BUILD)/vitrine $(DESTDIR)$(PREFIX)/bin/vitrine
	install -D -m 644 docs/vitrine.1 $(DESTDIR)$(PREFIX)/share/man/man1/vitrine.1

clean:
	rm -rf $(BUILD) $(BUILD)-address-undefined $(BUILD)-thread $(BUILD)-fuzz

FORMATTED := $(wildcard $(foreach d,src src/* gdbstub monitor guests guests/* tests/*,$(d)/*.[ch]))

format:
	clang-format -i $(FORMATTED)

# The import rules, the layout, and what cppcheck and clang-tidy know.
lint:
	@tests/scripts/need lint
	@tests/scripts/lint $(FORMATTED)

-include $(OBJ:.o=.d)
.PHONY: all install clean format lint FORCE
.DELETE_ON_ERROR:
