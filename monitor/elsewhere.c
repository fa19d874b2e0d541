// SPDX-License-Identifier: GPL-3.0-or-later
/* Words of other debuggers and monitors that are no commands here, and what does instead. */
#include "monitor/command.h"

#include <string.h>

#define TYPES	  "types are gdb's to know: attach one, `gdbserver` says where"
#define FRAMES	  "`bt` shows all frames"
#define NAMES	  "TAB completes names, `info symbol ADDR` tells whose an address is"
#define BACK	  "`snapshot save` and `snapshot restore` go back"
#define SCREEN	  "each stop shows source, code and registers; `context` does so again"
#define EACH_STOP "`commands`, or `do` behind a breakpoint, shows something at each stop"
#define AT_START  "devices are chosen at the start, `vitrine -help`; `info mtree` lists them"
#define NO_PCI	  "there is no PCI, USB or network; `info mtree` lists the devices"
#define NO_SHELL  "the console starts no programs; files have their paths from where vitrine began"
#define DUMP	  "`dump FILE ADDR LENGTH` writes memory into a file, `dump -p` physical memory"
#define STEP	  "`step` executes one instruction, `trace instructions` writes many into a file"
#define SCRIPTS	  "`source FILE` runs a file of commands; `json` and -json answer programs"
#define FOLLOW	  "`trace follow on` prints exits as they come, `log AREA debug` says more"

static const struct elsewhere {
	const char *name, *instead;
} elsewhere[] = {
	/* gdb */
	{"ptype", TYPES},
	{"whatis", TYPES},
	{"info types", TYPES},
	{"info locals", "local variables are gdb's to know: attach one, `gdbserver` says where"},
	{"info args", "arguments are gdb's to know: attach one, `gdbserver` says where"},
	{"info frame", FRAMES},
	{"frame", FRAMES},
	{"up", FRAMES},
	{"down", FRAMES},
	{"display", EACH_STOP},
	{"undisplay", EACH_STOP},
	{"info display", EACH_STOP},
	{"info functions", NAMES},
	{"info variables", NAMES},
	{"info source", "`info line` tells file and line, `list` shows them"},
	{"info sources", "`info line` tells file and line, `list` shows them"},
	{"info files", "`info mtree` tells what is in memory, `symbol-file` where names come from"},
	{"info target", "`info status` tells who holds the guest"},
	{"info program", "`info status` tells whether the guest runs, `why` how it stopped"},
	{"info all", "`info registers -a` shows all registers"},
	{"info all-registers", "`info registers -a` shows all registers"},
	{"info signals", "a guest has exceptions: `catch exception N` stops at one"},
	{"handle", "a guest has exceptions: `catch exception N` stops at one"},
	{"signal", "a guest has exceptions: `catch exception N` stops at one"},
	{"thread", "`cpu N` chooses a vCPU, `info cpus` lists them"},
	{"jump", "`set $rip = EXPR` and `continue` go on elsewhere"},
	{"call", "functions of the guest cannot be called; `set $rip = EXPR` goes elsewhere"},
	{"return", "`finish` runs until the function returns"},
	{"run", "the guest is there: `continue` lets it run, `reset` begins again"},
	{"start", "the guest is there: `tbreak FUNCTION` and `continue` run up to one"},
	{"starti", "the guest is there: `reset` puts it back to its first instruction"},
	{"kill", "`quit` ends the guest and vitrine"},
	{"detach", "this is the machine's own console: `continue` lets the guest run"},
	{"attach", "this is the machine's own console; `gdbserver` says where gdb finds it"},
	{"target", "this is the machine's own console; `gdbserver` says where gdb finds it"},
	{"load", "the image was loaded at the start, and is again by `reset`; `loadvm` is another"},
	{"file", "`symbol-file FILE` takes symbols from another file"},
	{"clear", "`delete NUMBER` deletes a point, `info breakpoints` lists them"},
	{"layout", SCREEN},
	{"tui", SCREEN},
	{"focus", SCREEN},
	{"refresh", SCREEN},
	{"record", BACK},
	{"reverse-step", BACK},
	{"reverse-stepi", BACK},
	{"reverse-next", BACK},
	{"reverse-nexti", BACK},
	{"reverse-continue", BACK},
	{"reverse-finish", BACK},
	{"rsi", BACK},
	{"rni", BACK},
	{"rc", BACK},
	{"define", SCRIPTS},
	{"python", SCRIPTS},
	{"shell", NO_SHELL},
	{"pwd", NO_SHELL},
	{"cd", NO_SHELL},
	{"history", "the arrow keys and Ctrl-R find earlier lines"},

	/* QEMU */
	{"info pci", NO_PCI},
	{"info usb", NO_PCI},
	{"info network", NO_PCI},
	{"info usernet", NO_PCI},
	{"info qtree", "`info mtree` lists the devices"},
	{"info qom-tree", "`info mtree` lists the devices"},
	{"info block", AT_START},
	{"info chardev", AT_START},
	{"info roms", "`info mtree` tells what is in memory"},
	{"info pg", "`info tlb` lists what is mapped, `pt ADDR` draws the walk to an address"},
	{"info version", "`vitrine -version` tells it"},
	{"info history", "the arrow keys and Ctrl-R find earlier lines"},
	{"info jit", "KVM runs the guest: `info exits` tells where its time went"},
	{"info profile", "KVM runs the guest: `info exits` tells where its time went"},
	{"system_powerdown", "there is no power button: `quit` ends the guest and vitrine"},
	{"screendump", "`screen` shows the text on the guest's screen"},
	{"memsave", DUMP},
	{"pmemsave", DUMP},
	{"migrate", "`snapshot write NAME FILE` writes the machine to a file, for -loadvm"},
	{"device_add", AT_START},
	{"drive_add", AT_START},
	{"eject", AT_START},
	{"change", AT_START},
	{"singlestep", STEP},
	{"one-insn-per-tb", STEP},
	{"trace-event", FOLLOW},
	{"logfile", "what vitrine says goes to standard error, too: 2>FILE at the start"},
	{"mouse_move", "there is no mouse; `send-key` and `send-text` type"},
	{"o", "no command uses the guest's ports; `catch io PORT` stops where the guest does"},

	/* Bochs, WinDbg */
	{"lb", "`break ADDR` does that"},
	{"vb", "`break SEGMENT:OFFSET` does that"},
	{"pb", "`break -p ADDR` does that"},
	{"bp", "`break LOCATION` does that"},
	{"bl", "`info breakpoints` lists them"},
	{"blist", "`info breakpoints` lists them"},
	{"bc", "`delete NUMBER` deletes a point"},
	{"creg", "`info registers control` shows them, `info cr0` bit by bit"},
	{"sreg", "`info segments` shows them"},
	{"dreg", "`info registers debug` shows them"},
	{"page", "`pt ADDR` draws the page walk"},
	{"writemem", DUMP},
};

const char *what_instead(const char *prefix, const char *word)
{
	size_t size = strlen(prefix);

	for (unsigned i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		if (!strncmp(elsewhere[i].name, prefix, size) &&
		    !strcmp(elsewhere[i].name + size, word))
			return elsewhere[i].instead;
	return NULL;
}
