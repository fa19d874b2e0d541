# SPDX-License-Identifier: GPL-3.0-or-later
# make            builds build/vitrine and build/guests/*.elf
# make demo       runs the demo guest;  make check  runs the tests   (both install what is missing)
# V=1 shows the commands; SANITIZE=address,undefined or SANITIZE=thread builds into a folder of its own.

CC      ?= gcc
PREFIX  ?= /usr/local
BUILD   ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
comma   := ,

WARN    := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla
OPT     ?= -O2 -g
CFLAGS  ?= $(OPT)
SAN     := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
ALL_CFLAGS  := -std=gnu17 -D_GNU_SOURCE -Isrc -I. $(WARN) $(CFLAGS) $(SAN) -pthread -MMD -MP
ALL_LDFLAGS := $(LDFLAGS) $(SAN) -pthread
LIBS    := -lreadline -lZydis -ldw -lelf

E := $(if $(V),@:,@printf '  %-7s %s\n')
Q := $(if $(V),,@)

SRC     := $(wildcard src/*.c src/*/*.c gdbstub/*.c monitor/*.c)
OBJ     := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/src/boot/embedded.o
LIBOBJ  := $(filter-out $(BUILD)/src/main.o,$(OBJ))

all: $(BUILD)/vitrine guests

$(BUILD)/vitrine: $(BUILD)/src/main.o $(BUILD)/libvitrine.a
	$(E) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libvitrine.a: $(LIBOBJ)
	$(E) AR $@
	$(Q)rm -f $@; ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(E) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/src/boot/embedded.o: src/boot/embedded.S $(BUILD)/guests/long64.elf
	@mkdir -p $(@D)
	$(E) AS $<
	$(Q)$(CC) -DIMAGE='"$(BUILD)/guests/long64.elf"' -c -o $@ $<

include guests/guests.mk
include tests/tests.mk

clean:
	rm -rf build build-*

-include $(OBJ:.o=.d)
.PHONY: all clean
