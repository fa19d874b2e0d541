// SPDX-License-Identifier: GPL-3.0-or-later
/* A line to type for each command that takes arguments, for `help COMMAND` and the reference chapter. */
#include "monitor/command.h"

#include <string.h>

// clang-format off
static const struct {
	const char *command, *line;
} examples[] = {
	{"advance", "advance add_one cpu 1"},
	{"awatch", "awatch shared if $_cpu == 1"},
	{"break", "break add_one if $edi > 5 do bt; continue"},
	{"bt", "bt 10"},
	{"catch", "catch io 0x3f8 w"},
	{"commands", "commands 1 bt 3; continue"},
	{"compare", "compare 0x100000 0x200000 0x1000"},
	{"condition", "condition 1 $rax == 5"},
	{"cpu", "cpu 1"},
	{"delete", "delete 1 3"},
	{"delvm", "delvm boot"},
	{"disable", "disable 1 3"},
	{"disassemble", "disassemble add_one 20"},
	{"doctor", "doctor -j"},
	{"dprintf", "dprintf add_one,\"vCPU %d adds %#lx\",$_cpu,$rdi"},
	{"dump", "dump memory.bin 0x100000 0x1000"},
	{"echo", "echo here we are"},
	{"enable", "enable 1 3"},
	{"find", "find 0x100000, +0x10000, 0x1234"},
	{"finish", "finish cpu 1"},
	{"gdbserver", "gdbserver unix:gdb.socket"},
	{"gpa2hva", "gpa2hva 0x100000"},
	{"gva2gpa", "gva2gpa $rsp"},
	{"hbreak", "hbreak *0x100000"},
	{"help", "help break"},
	{"ignore", "ignore 1 100"},
	{"info cpuid", "info cpuid 7"},
	{"info idt", "info idt 14"},
	{"info ivt", "info ivt 0x10"},
	{"info line", "info line add_one"},
	{"info mem", "info mem 0xffff800000000000"},
	{"info registers", "info registers control"},
	{"info settings", "info settings pager"},
	{"info symbol", "info symbol $pc"},
	{"info tlb", "info tlb 0x400000"},
	{"irq", "irq 4"},
	{"json", "json info registers"},
	{"list", "list add_one"},
	{"loadvm", "loadvm boot"},
	{"log", "log gdb debug"},
	{"next", "next 3"},
	{"print", "print/x *(u16 *)($rsp + 8)"},
	{"pt", "pt $rsp"},
	{"rdmsr", "rdmsr efer"},
	{"restore", "restore memory.bin 0x100000"},
	{"rwatch", "rwatch -p 0xb8000,2"},
	{"savevm", "savevm boot"},
	{"send-key", "send-key ctrl-alt-delete"},
	{"send-text", "send-text ls"},
	{"serial send", "serial send ls"},
	{"set", "set $rax = 5"},
	{"show", "show pager"},
	{"snapshot delete", "snapshot delete boot"},
	{"snapshot read", "snapshot read boot.snap"},
	{"snapshot restore", "snapshot restore boot"},
	{"snapshot save", "snapshot save boot"},
	{"snapshot write", "snapshot write boot boot.snap"},
	{"source", "source breakpoints"},
	{"step", "step 5 cpu 1"},
	{"symbol-file", "symbol-file -o 0x1000000 vmlinux"},
	{"tbreak", "tbreak *0x7c00"},
	{"tcatch", "tcatch exception pf"},
	{"timeline", "timeline 100"},
	{"trace", "trace -a 20"},
	{"trace follow", "trace follow on"},
	{"trace instructions", "trace instructions 1000 steps.txt"},
	{"until", "until add_one"},
	{"watch", "watch shared,8 if $_cpu == 1"},
	{"wrmsr", "wrmsr lstar 0xffffffff81000000"},
	{"x", "x/16gx $rsp"},
	{"xp", "xp/4wx 0xb8000"},
};
// clang-format on

const char *command_example(const struct command *command)
{
	for (unsigned i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		if (!strcmp(examples[i].command, command->name))
			return examples[i].line;
	return NULL;
}
