// SPDX-License-Identifier: GPL-3.0-or-later
#include "qemu_options.h"

#include <string.h>

#define MACHINE "there is one machine, a PC without PCI: leave it out"
#define KERNEL                                                                                     \
	"vitrine starts a kernel or a boot sector itself: give that as IMAGE, and disks as -hda "  \
	"and -hdb"
#define SCREEN	"there is no display: `screen` at the console shows the text on the guest's screen"
#define NETWORK "there is no network: leave it out"
#define NO_PCI	"there is no PCI and no USB: leave it out"
#define FIRMWARE                                                                                   \
	"there is no firmware: kernels and boot sectors are started directly, raw code with "      \
	"-load ADDR"
#define EVENTS                                                                                     \
	"-ex 'catch -l exception pf' prints page faults, -ex 'catch -l reset' resets; `trace` "    \
	"and "                                                                                     \
	"`info exits` tell what happened last"
#define WORDS  "what vitrine says goes to standard error: write 2>FILE"
#define TCG    "KVM runs the guest: leave it out"
#define SERIAL "-serial itself takes stdio, pty, file:PATH or unix:PATH"
#define SHELL  "write & behind the command, and give the console a place: -monitor unix:PATH"

static const struct instead {
	const char *name, *instead;
} instead[] = {
	{"M", MACHINE},
	{"machine", MACHINE},
	{"d", EVENTS},
	{"trace", "`trace follow on` at the console prints exits as they come"},
	{"D", WORDS},
	{"cdrom", KERNEL},
	{"fda", KERNEL},
	{"fdb", KERNEL},
	{"hdc", KERNEL},
	{"hdd", KERNEL},
	{"boot", KERNEL},
	{"bios", FIRMWARE},
	{"pflash", FIRMWARE},
	{"L", FIRMWARE},
	{"option-rom", FIRMWARE},
	{"vga", SCREEN},
	{"vnc", SCREEN},
	{"spice", SCREEN},
	{"sdl", SCREEN},
	{"curses", SCREEN},
	{"full-screen", SCREEN},
	{"net", NETWORK},
	{"nic", NETWORK},
	{"netdev", NETWORK},
	{"usb", NO_PCI},
	{"usbdevice", NO_PCI},
	{"audio", NO_PCI},
	{"audiodev", NO_PCI},
	{"soundhw", NO_PCI},
	{"blockdev", "-drive FILE, -hda and -hdb give the two disks"},
	{"snapshot", "-drive FILE,readonly keeps a disk as it is"},
	{"chardev", SERIAL},
	{"parallel", "there is no parallel port: leave it out"},
	{"debugcon", "port 0xe9 is always there, and prints where vitrine does: leave it out"},
	{"mon", "-monitor stdio or -monitor unix:PATH is the console"},
	{"qmp", "-monitor unix:PATH -json is a console for programs"},
	{"no-shutdown", "-ex 'catch shutdown' stops the guest where it ends the run"},
	{"action", "-no-reboot and -on-triple-fault say what ends the run"},
	{"watchdog", "-no-reboot and -on-triple-fault say what ends the run"},
	{"daemonize", SHELL},
	{"pidfile", SHELL},
	{"icount", TCG},
	{"singlestep", TCG},
	{"one-insn-per-tb", TCG},
	{"tb-size", TCG},
	{"plugin", TCG},
	{"rtc", "the clock begins at the host's time in UTC; -clock says what it does in a stop"},
	{"localtime", "the clock begins at the host's time in UTC"},
	{"incoming", "-loadvm FILE starts from a snapshot"},
	{"k", "keys of a US keyboard are typed by `send-key` and `send-text`: leave it out"},
	{"dtb", "a PC has no device tree: leave it out"},
	{"numa", "memory is one piece, -m: leave it out"},
	{"object", "leave it out"},
	{"global", "leave it out"},
	{"name", "leave it out"},
	{"uuid", "leave it out"},
	{"nodefaults", "leave it out"},
	{"no-user-config", "leave it out; -nx runs no init file"},
	{"no-acpi", "leave it out"},
	{"no-hpet", "there is no HPET: leave it out"},
	{"V", "-version tells vitrine's"},
};

const char *qemu_option_instead(const char *name)
{
	for (unsigned i = 0; i < sizeof(instead) / sizeof(*instead); i++)
		if (strcmp(instead[i].name, name) == 0)
			return instead[i].instead;
	return NULL;
}
