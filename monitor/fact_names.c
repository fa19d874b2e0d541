// SPDX-License-Identifier: GPL-3.0-or-later
/* What each command tells as JSON, for the reference chapter. A name stands in `name`; name[] is a list, and what
 * its rows have stands behind the colon. The names are a promise: they may be added to, and stay. */
#include "monitor/command.h"

#include <string.h>

#define BITS  "`value`, `bits`: each field by its name"
#define STOP  "`reason`, `why`, `vcpu`, `pc`, `point`; of an access `accessed`, `size`, `old`, `new`"
#define CODE  "`instructions[]`: `address`, `name`, `text`, `current`"
#define LINES "`lines[]`: `number`, `text`, `current`"
#define POINT                                                                                      \
	"`number`, `kind`, `owner`, `address`, `physical`, `length`, `name`, `what`, `rung`, "     \
	"`enabled`, "                                                                              \
	"`temporary`, `hits`, `ignore`, `only_vcpu`, `only_ring`, `only_cr3`, `condition`, "       \
	"`commands`"
#define SNAPSHOT "`name`, `guest_ns`, `saved_at`, `pages`, `bytes`, `current`"
#define NUMBERS	 "`numbers[]`: of the points"
#define MEMORY	 "`address`, `size`, `values[]`; `strings[]`: `address`, `text`, `whole`; or " CODE

// clang-format off
static const struct {
	const char *command, *facts;
} table[] = {
	{"advance", "`vcpu`, `address`: where it will stop"},
	{"awatch", POINT},
	{"break", POINT},
	{"bt", "`frames[]`: `number`, `pc`, `sp`, `name`, `file`, `line`, `interrupted`, `system_call`, `user`, and where more follow that are like the last `period` ones, how many: `folded`; `end`, `count`: of all"},
	{"catch", POINT},
	{"commands", POINT},
	{"compare", "`differences[]`: `offset`, `size`; `differ`: bytes"},
	{"condition", POINT},
	{"context", STOP "; `here`: `vcpu`, of one that did not stop `doing`, `pc`, `name`, `file`, `line`; " LINES "; " CODE
		    ", and of a jump `taken`, of where it leads `target`"},
	{"continue", "`vcpu`"},
	{"cpu", "`vcpu`, `state`"},
	{"delete", NUMBERS},
	{"delvm", "`name`"},
	{"disable", NUMBERS},
	{"disassemble", CODE},
	{"doctor", "`report`: what `doctor -j` prints"},
	{"dprintf", POINT},
	{"dump", "`size`"},
	{"enable", NUMBERS},
	{"find", "`found[]`"},
	{"finish", "`vcpu`, `address`: where it will stop"},
	{"gdbserver", "`address`, `attached`"},
	{"gpa2hva", "`host`, `size`, `process`"},
	{"gva2gpa", "`physical`"},
	{"hbreak", POINT},
	{"help", "`commands[]`: `name`, `aliases`, `class`, `usage`, `help`, `more`, `example`, and as `facts` what is told here"},
	{"ignore", POINT},
	{"info apic_base", BITS},
	{"info avx", "`registers`: each by its name"},
	{"info breakpoints", "`points[]`: as `break`"},
	{"info capabilities", "`answers[]`: `question`, `mode`, `answer`, by the names of `doctor -j`"},
	{"info cpuid", "`vendor`, `family`, `model`, `stepping`, `brand`, `features[]`; "
		       "`leaves[]`: `leaf`, `index`, `eax`, `ebx`, `ecx`, `edx`"},
	{"info cpus", "`cpus[]`: `vcpu`, `current`, `state`, `pc`, `name`"},
	{"info cr0", BITS},
	{"info cr3", BITS},
	{"info cr4", BITS},
	{"info dirty", "`pages[]`: `physical`, `size`, `linear`"},
	{"info dr6", BITS},
	{"info dr7", BITS "; `breakpoints[]`: `on`, `kind`, `size`, `address`"},
	{"info efer", BITS},
	{"info eflags", BITS},
	{"info exits", "`vcpu`, `exits`, `ns`, `reasons[]`: `reason`, `exits`, `guest_ns`, `vitrine_ns`; "
		       "`unclaimed_ports`, `unclaimed_mmio`"},
	{"info fpu", "`fctrl`, `fstat`, `st[]`: `bits`, `empty`, `value`"},
	{"info gdt", "`base`, `limit`, `entries[]`: `selector`, `kind`, `dpl`, `present`, `base`, "
		     "`limit`, `offset`, `handler`, `symbol`, `ist`, `words`, `held_by[]`"},
	{"info idt", "`base`, `limit`, `entries[]`: `vector`, `exception`, `kind`, `dpl`, `present`, "
		     "`selector`, `offset`, `handler`, `symbol`, `ist`"},
	{"info ioapic", "`base`, `pins[]`: `pin`, `entry`, `text`"},
	{"info ivt", "`base`, `limit`, `entries[]`: `vector`, `last`, `segment`, `offset`, `handler`"},
	{"info kaslr", "`found`, `slide`, `base`, `prepared`: by vitrine, when it loaded the kernel"},
	{"info lapic", "each register by its name; `ISR[]`, `TMR[]`, `IRR[]`: vectors"},
	{"info ldt", "as `info gdt`"},
	{"info line", "`file`, `line`, `address`, `name`"},
	{"info mem", "`ranges[]`: `linear`, `size`, `write`, `execute`, `user`; `more`: where it goes on"},
	{"info memory-slots", "`slots[]`: `id`, `physical`, `size`, `host`, `read_only`, `log_dirty`"},
	{"info modules", "`current`; `modules[]`: `name`, `state`, `code`, `code_size`, `size`, `symbols`"},
	{"info mtree", "`memory[]`, `ports[]`: `name`, `base`, `size`, `in_kernel`"},
	{"info mxcsr", BITS},
	{"info pic", "`lines[]`: `line`, `vector`, `requested`, `in_service`, `masked`, `high`, `level`"},
	{"info pit", "`counters[]`: `mode`, `count`, `gate`"},
	{"info registers", "`vcpu`, `registers`: each by its name"},
	{"info segments", "`segments[]`: `name`, `selector`, `base`, `limit`, `usable`, `text`; `gdt`, `idt`: "
			  "`base`, `limit`"},
	{"info settings", "as `show`"},
	{"info snapshots", "`snapshots[]`: " SNAPSHOT},
	{"info sse", "`mxcsr`, `registers`: each by its name"},
	{"info status", "`running`, `gdb`, and of the last stop " STOP},
	{"info symbol", "`name`, `start`, `offset`, `size`"},
	{"info tlb", "`pages[]`: `linear`, `physical`, `page_size`, `pages`, `write`, `execute`, `user`, "
		     "`accessed`, `dirty`, `write_through`, `uncached`, `global`; `more`: where it goes on"},
	{"info tss", "`selector`, `base`, `limit`, and each field by its name"},
	{"info xcr0", BITS},
	{"irq", "`line`"},
	{"list", "`file`, " LINES},
	{"loadvm", SNAPSHOT},
	{"log", "`levels`: each area's"},
	{"next", "`vcpu`"},
	{"nmi", "`vcpu`"},
	{"print", "`value`, `name`; of an object `holds`, `size`"},
	{"pt", "`linear`, `paging`, `levels`, `cr3`, `nx`, `wp`, `smep`, `smap`; `walk[]`: `name`, `index`, "
	       "`at`, `entry`, `flags`; `physical`, `page_size`, `ram`, `write`, `execute`, `user`, or "
	       "`fault`"},
	{"rdmsr", "`msr`, `name`, `value`"},
	{"reset", "`running`"},
	{"restore", "`size`"},
	{"rwatch", POINT},
	{"savevm", SNAPSHOT},
	{"screen", "`rows[]`, without the blank ones at the end; `cursor`: `row`, `column`"},
	{"send-key", "`keys`"},
	{"send-text", "`size`"},
	{"serial send", "`port`, `size`"},
	{"set", "`register`, `value`; `address`, `size`, `value`; or `setting`, `value`"},
	{"show", "`settings[]`: `setting`, `value`, `values[]`"},
	{"snapshot delete", "`name`"},
	{"snapshot list", "`snapshots[]`: " SNAPSHOT},
	{"snapshot read", SNAPSHOT},
	{"snapshot restore", SNAPSHOT},
	{"snapshot save", SNAPSHOT},
	{"snapshot write", "`name`, `file`, `bytes`"},
	{"source", "`file`"},
	{"step", "`vcpu`"},
	{"stop", "`running`: whether there was something to stop"},
	{"symbol-file", "`file`, `offset`"},
	{"tbreak", POINT},
	{"tcatch", POINT},
	{"timeline", "`from_ns`, `to_ns`, `vcpus[]`: `vcpu`, `columns`, `exits`"},
	{"trace", "`exits[]`: `vcpu`, `number`, `ns`, `reason`, `exit`, `pc`, `text`"},
	{"trace follow", "`follows`"},
	{"trace instructions", "`vcpu`, `count`, `file`"},
	{"until", "`vcpu`, and behind a loop `address`: where it will stop"},
	{"watch", POINT},
	{"why", "`stop`, `kvm`, `vitrine`, `then`, `point`, `qemu`, `linux`: sentences"},
	{"wrmsr", "`msr`, `value`"},
	{"x", MEMORY},
	{"xp", MEMORY},
};
// clang-format on

const char *command_facts(const struct command *command)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strcmp(table[i].command, command->name))
			return table[i].facts;
	return NULL;
}
