// SPDX-License-Identifier: GPL-3.0-or-later
/* Every command, one row each. `help` and the reference chapter are read off this table. */
#include "monitor/commands.h"
#include "monitor/commands_snapshot.h"

/* clang-format off */
#define POINT_ARGS                                                                                 \
	{{ARG_OPTION, "-p", true}, {ARG_LOCATION, "LOCATION", true},                               \
	 {ARG_CLAUSES, "if EXPR] [cpu N] [cr3 VALUE] [ring N] [do COMMANDS", true}}
#define WATCH_ARGS                                                                                 \
	{{ARG_OPTION, "-p", true},                                                                 \
	 {ARG_PLACE, "EXPR[,LEN] [if EXPR] [cpu N] [cr3 VALUE] [ring N] [do COMMANDS]", false}}

#define BITS(name, aliases, help)                                                                  \
	{"info " name, aliases, CLASS_STATE, COMMAND_STOPPED, {{0}}, help ", bit by bit",          \
	 NULL, run_info_bits}

const struct command commands[] = {
	/* ---- running ---- */
	{"continue", "c cont", CLASS_RUN, COMMAND_STOPPED | COMMAND_RUNS, {{0}},
	 "let every vCPU run",
	 "Runs until something stops the guest: a breakpoint, `stop`, Ctrl-C, or its end.\n"
	 "With `set scheduler-locking on` the current vCPU runs, and the others are held.", run_continue},
	{"step", "s si stepi", CLASS_RUN, COMMAND_STOPPED | COMMAND_RUNS | COMMAND_REPEAT,
	 {{ARG_EXPRESSION, "COUNT", true}, {ARG_ON_CPU, "cpu N", true}},
	 "execute one instruction, or COUNT of them, on the current vCPU",
	 "The other vCPUs are held, unless `set scheduler-locking off`. Interrupts wait\n"
	 "while stepping, unless `set step-interrupts on`. A breakpoint ends the count.\n"
	 "An empty line steps again. As in: step 5, step cpu 1, step 5 cpu 1",
	 run_step},
	{"next", "n ni nexti", CLASS_RUN, COMMAND_STOPPED | COMMAND_RUNS | COMMAND_REPEAT,
	 {{ARG_EXPRESSION, "COUNT", true}, {ARG_ON_CPU, "cpu N", true}},
	 "like step, but all that is called is one step",
	 "A call, an int, a syscall or a rep runs until it comes back here, or until\n"
	 "something else stops the guest. It may wait for vCPUs that are held:\n"
	 "`set scheduler-locking off` lets them run. As in: next 3, next cpu 1", run_next},
	{"finish", "fin", CLASS_RUN, COMMAND_STOPPED | COMMAND_RUNS, {{ARG_ON_CPU, "cpu N", true}},
	 "run until the current function returns to its caller",
	 "The caller is the one that `bt` shows. A return from a deeper call of the same\n"
	 "function is not taken for it.", run_finish},
	{"advance", NULL, CLASS_RUN, COMMAND_STOPPED | COMMAND_RUNS,
	 {{ARG_LOCATION, "LOCATION", false}, {ARG_ON_CPU, "cpu N", true}},
	 "run until the current vCPU, or vCPU N, comes to a location",
	 "LOCATION is break's. Whatever stops the guest before ends it, too. As in:\n"
	 "advance main.c:120, advance add_one cpu 2", run_advance},
	{"until", NULL, CLASS_RUN, COMMAND_STOPPED | COMMAND_RUNS | COMMAND_REPEAT,
	 {{ARG_LOCATION, "LOCATION", true}, {ARG_ON_CPU, "cpu N", true}},
	 "like next, but a jump back waits for the end of the loop",
	 "At the jump at a loop's end it runs until that is passed. With a LOCATION it is\n"
	 "advance. An empty line does it again.", run_until},
	{"stop", "pause interrupt halt", CLASS_RUN, 0, {{0}},
	 "pause a running guest",
	 "Ctrl-C does the same. It is allowed while gdb holds the machine.", run_stop},
	{"reset", "system_reset", CLASS_RUN, 0, {{0}},
	 "put the guest back to its start",
	 "It goes on as it was, running or stopped. Breakpoints stay.", run_reset},

	/* ---- points ---- */
	{"break", "b br", CLASS_POINTS, 0, POINT_ARGS,
	 "stop the guest before it executes a location",
	 "LOCATION is a FUNCTION (entered: behind its prologue), FILE:LINE, LINE in the\n"
	 "current file, *ADDRESS, or an expression such as main+4 or 0x7c00. Without one:\n"
	 "where the vCPU stands. -p: it is a physical address. Behind it, in any order:\n"
	 "  if EXPR     only when it is not 0, for the vCPU that comes by\n"
	 "  cpu N       only on this vCPU\n"
	 "  cr3 VALUE   only in this address space\n"
	 "  ring N      only in this ring\n"
	 "and at the end do COMMAND; COMMAND: what is run when it has stopped the guest,\n"
	 "see `commands`. As in: break add_one if $edi > 5 cpu 1 do bt; continue", run_break},
	{"tbreak", "tb", CLASS_POINTS, 0, POINT_ARGS,
	 "like break, and deleted when it has stopped the guest", NULL, run_tbreak},
	{"hbreak", "hb", CLASS_POINTS, 0, POINT_ARGS,
	 "like break, but nothing is written into the guest", NULL, run_hbreak},
	{"watch", NULL, CLASS_POINTS, 0, WATCH_ARGS,
	 "stop the guest after it has written to memory",
	 "EXPR is an address: watch counter, watch 0x1000,64. Without LEN as many bytes\n"
	 "as the object of that name has, as (u32 *)ADDR says, or 8. gdb's spelling,\n"
	 "watch *(u32 *)ADDR, means the same. -p: it is a physical address.\n"
	 "if, cpu, cr3 and ring are break's.", run_watch},
	{"rwatch", NULL, CLASS_POINTS, 0, WATCH_ARGS,
	 "like watch, when memory is read", NULL, run_rwatch},
	{"awatch", NULL, CLASS_POINTS, 0, WATCH_ARGS,
	 "like watch, when memory is read or written", NULL, run_awatch},
	{"dprintf", NULL, CLASS_POINTS, 0,
	 {{ARG_PLACE, "LOCATION,\"FORMAT\",EXPR,...", false}},
	 "print a line whenever a location is executed, and go on",
	 "FORMAT is printf's: %d %i %u %x %X %o are 32 bits wide, 64 with l as in %lx;\n"
	 "%c, %p, and %s for the text at an address. if, cpu, cr3 and ring may follow,\n"
	 "as break has them:\n"
	 "dprintf add_one,\"vCPU %d adds %#lx\",$_cpu,$rdi if $rdi != 0", run_dprintf},
	{"catch", NULL, CLASS_POINTS, 0,
	 {{ARG_OPTION, "-l", true}, {ARG_CATCH, "WHAT", false}},
	 "stop at an event: port, MMIO, MSR, exception, reset, ...",
	 "catch io PORT[-PORT] [r|w]   mmio ADDR[-ADDR] [r|w]   msr N[-N] [r|w]\n"
	 "catch exception N   N is a vector, or pf, gp, ud and so on\n"
	 "catch mode|hlt|int3|online|reset|shutdown|triple-fault|emulation\n"
	 "It stops after the access, with the value. -l: prints a line and goes on.\n"
	 "if, cpu, cr3 and ring are break's: catch io 0x3f8 w if $al == 10", run_catch},
	{"tcatch", NULL, CLASS_POINTS, 0,
	 {{ARG_OPTION, "-l", true}, {ARG_CATCH, "WHAT", false}},
	 "like catch, and deleted when it has stopped the guest", NULL, run_tcatch},
	{"condition", "cond", CLASS_POINTS, 0,
	 {{ARG_POINT, "NUMBER", false}, {ARG_PLACE, "EXPR", true}},
	 "stop at a point only when EXPR is not 0; without one: always", NULL,
	 run_condition},
	{"ignore", NULL, CLASS_POINTS, 0,
	 {{ARG_POINT, "NUMBER", false}, {ARG_EXPRESSION, "COUNT", false}},
	 "let the next COUNT hits of a point pass", "They are counted as hits.", run_ignore},
	{"commands", NULL, CLASS_POINTS, 0, {{ARG_POINT, "NUMBER", true}, {ARG_LINE, "COMMAND; ...", true}},
	 "what the console runs when a point has stopped the guest",
	 "Without COMMANDs the lines that follow, up to `end`; none of them: nothing any\n"
	 "more. `silent` as the first one: the stop is not shown. What lets the guest\n"
	 "run is the last one that is run. Without a NUMBER: the newest point's.", run_commands},
	{"enable", "en", CLASS_POINTS, 0, {{ARG_POINTS, "NUMBER...", true}},
	 "enable points by number, or all that were set here", NULL, run_enable},
	{"disable", "dis", CLASS_POINTS, 0, {{ARG_POINTS, "NUMBER...", true}},
	 "disable points by number, or all; they keep what they are", NULL, run_disable},
	{"delete", "d del", CLASS_POINTS, 0, {{ARG_POINTS, "NUMBER...", true}},
	 "delete points by number, or all that were set here", NULL, run_delete},
	{"info breakpoints", "b watchpoints", CLASS_POINTS, COMMAND_COMMON, {{0}},
	 "all points: whose, where, how they are made here, hits",
	 "Hits are counted where limits and condition hold, also those that `ignore` lets\n"
	 "pass.",
	 run_info_breakpoints},

	/* ---- registers and memory ---- */
	{"info registers", "r", CLASS_STATE, COMMAND_STOPPED | COMMAND_COMMON,
	 {{ARG_OPTION, "-a", true}, {ARG_REGISTERS, "NAME|GROUP", true}},
	 "registers: the general ones, one of them, a group, or (-a) all",
	 "Groups: core sse segments control descriptors debug msr.", run_info_registers},
	BITS("eflags", "flags rflags", "the flags"),
	BITS("cr0", NULL, "control register 0"),
	BITS("cr3", NULL, "control register 3"),
	BITS("cr4", NULL, "control register 4"),
	BITS("efer", NULL, "the extended feature enable register"),
	BITS("xcr0", NULL, "what state the guest has xsave keep"),
	BITS("apic_base", NULL, "where the local APIC is, and whether it is on"),
	BITS("dr6", NULL, "what debug registers reported to the guest"),
	BITS("dr7", NULL, "the guest's own debug registers"),
	BITS("mxcsr", NULL, "control and status of SSE"),
	{"info segments", "seg", CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "segment registers with what they keep of their descriptors", NULL, run_info_segments},
	{"info fpu", "float", CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "the x87: control, status, and its stack as numbers", NULL, run_info_fpu},
	{"info sse", "vector", CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "mxcsr and the xmm registers, as hexadecimal and as doubles", NULL, run_info_sse},
	{"info avx", NULL, CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "the ymm registers, as hexadecimal and as doubles", NULL, run_info_avx},
	{"rdmsr", NULL, CLASS_STATE, COMMAND_STOPPED, {{ARG_MSR, "MSR", false}},
	 "a model-specific register, by name or number",
	 "Names are Linux's and the manuals', in any case: rdmsr efer, rdmsr IA32_LSTAR,\n"
	 "rdmsr 0x10. It is read with the host's rights, which are larger than a guest's.", run_rdmsr},
	{"wrmsr", NULL, CLASS_STATE, COMMAND_STOPPED,
	 {{ARG_MSR, "MSR", false}, {ARG_EXPRESSION, "VALUE", false}},
	 "write a model-specific register", "wrmsr lstar 0xffffffff81000000", run_wrmsr},
	{"info cpuid", NULL, CLASS_STATE, COMMAND_STOPPED,
	 {{ARG_OPTION, "-a", true}, {ARG_EXPRESSION, "LEAF", true}},
	 "what the guest's processor says that it is: model and features, or a leaf",
	 "-a: and all leaves. A KVM without hardware virtualisation may let the guest\n"
	 "see the host's features all the same.", run_info_cpuid},
	{"print", "p", CLASS_STATE, COMMAND_FORMAT, {{ARG_EXPRESSION, "EXPR", false}},
	 "calculate: numbers, $registers, symbols, C's operators",
	 "A symbol stands for its address, *SYMBOL for what its object holds,\n"
	 "*(u16 *)ADDR for two bytes; else * reads eight. (s32)EXPR and its like cut and\n"
	 "extend. /FMT: x d u o t a c, as p/d $rax. $pc and $sp are linear addresses;\n"
	 "$rip and $rsp are offsets into their segments.", run_print},
	{"x", NULL, CLASS_STATE, COMMAND_STOPPED | COMMAND_FORMAT | COMMAND_REPEAT_NEXT,
	 {{ARG_EXPRESSION, "ADDR", true}},
	 "memory at a linear address",
	 "FMT is a count, a letter (x d u o t hexadecimal to binary, a address, c\n"
	 "character, s string, i instruction) and a size (b 1, h 2, w 4, g 8 bytes):\n"
	 "x/16gx $rsp, x/8i $pc, x/s message. FMT stays for the next time. An empty line\n"
	 "goes on behind.", run_x},
	{"xp", NULL, CLASS_STATE, COMMAND_STOPPED | COMMAND_FORMAT | COMMAND_REPEAT_NEXT,
	 {{ARG_EXPRESSION, "ADDR", true}},
	 "memory at a physical address", "Formats are x's.", run_xp},
	{"set", NULL, CLASS_STATE, 0, {{ARG_SETTING, "$REGISTER = EXPR | *ADDR = EXPR | SETTING VALUE", true}},
	 "change a register, memory, or a setting",
	 "set $rax = 5, set $ax = 1, set $pc = main\n"
	 "set *(u16 *)0xb8000 = 0x4f21, set *counter = 0: as much as the object has;\n"
	 "  gdb's set var counter = 0 does so, too\n"
	 "set disassembly-flavor att|intel, set step-interrupts on|off,\n"
	 "set scheduler-locking off|on|step: other vCPUs run; are held; are held while\n"
	 "  one steps,\n"
	 "set trace-pc on|off: every exit tells its place, for `trace`, and costs more,\n"
	 "set track-writes on|off: for `info dirty`,\n"
	 "set pager on|off: long answers a screen at a time,\n"
	 "set gdb-files auto|off|on: whether `monitor` in gdb opens files of this host;\n"
	 "  auto does when gdb comes over a unix socket or started vitrine. Not for gdb\n"
	 "  to set\n"
	 "Without arguments it does what `show` does.", run_set},
	{"show", NULL, CLASS_STATE, 0, {{ARG_SHOWN, "SETTING", true}},
	 "what the settings are, and what they may be", "`help set` tells what each does.", run_show},
	{"info settings", NULL, CLASS_STATE, 0, {{ARG_SHOWN, "SETTING", true}},
	 "the same as show", NULL, run_show},
	{"find", NULL, CLASS_STATE, COMMAND_STOPPED | COMMAND_FORMAT,
	 {{ARG_OPTION, "-p", true}, {ARG_PLACE, "START, +LENGTH, VALUE... | \"TEXT\"", false}},
	 "look for bytes in memory",
	 "find 0x100000, +0x10000, 0x1234, \"text\"   or an END in place of +LENGTH\n"
	 "find \"text\" looks through everything. VALUEs stand behind each other, as wide\n"
	 "as /b, /h, /w or /g says, else 4 bytes, or 8 where they need them. A number in\n"
	 "FMT is how many places to show: find/b10. -p: physical addresses.", run_find},
	{"compare", NULL, CLASS_STATE, COMMAND_STOPPED,
	 {{ARG_OPTION, "-p", true}, {ARG_EXPRESSION, "ADDR", false},
	  {ARG_EXPRESSION, "OTHER", false}, {ARG_EXPRESSION, "LENGTH", false}},
	 "where two stretches of memory differ", "-p: physical addresses.", run_compare},
	{"dump", NULL, CLASS_STATE, COMMAND_STOPPED | COMMAND_FILES,
	 {{ARG_OPTION, "-p", true}, {ARG_FILE, "FILE", false},
	  {ARG_EXPRESSION, "ADDR", false}, {ARG_EXPRESSION, "LENGTH", false}},
	 "write memory into a file", "-p: a physical address.", run_dump},
	{"restore", NULL, CLASS_STATE, COMMAND_STOPPED | COMMAND_FILES,
	 {{ARG_OPTION, "-p", true}, {ARG_FILE, "FILE", false}, {ARG_EXPRESSION, "ADDR", false}},
	 "read a file into memory", "-p: a physical address.", run_restore},
	{"info dirty", NULL, CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "what the guest wrote since it was last let run, in pages",
	 "The first time it begins to take note; `set track-writes off` ends that. Each\n"
	 "step of `step N` lets the guest run anew. Page tables count as written when\n"
	 "the processor has set bits in them, and with nested paging whenever it has\n"
	 "walked them; vitrine's own breakpoints do not.", run_info_dirty},
	{"info memory-slots", "slots", CLASS_STATE, 0, {{0}},
	 "guest RAM as the accelerator was told of it",
	 "Pages that a watch has withdrawn from the guest are in no slot; its writes to\n"
	 "those of a read-only one come to vitrine.", run_info_memory_slots},
	{"pt", "page-walk", CLASS_STATE, COMMAND_STOPPED, {{ARG_EXPRESSION, "ADDR", false}},
	 "draw the page walk of a linear address, level by level",
	 "When the address is not mapped it says which fault an access would raise.", run_pt},
	{"gva2gpa", "gva2hpa", CLASS_STATE, COMMAND_STOPPED, {{ARG_EXPRESSION, "ADDR", false}},
	 "the physical address of a linear one", NULL, run_gva2gpa},
	{"gpa2hva", NULL, CLASS_STATE, 0, {{ARG_EXPRESSION, "ADDR", false}},
	 "where a byte of guest RAM lies in vitrine's own memory",
	 "For whoever has a debugger on vitrine itself.", run_gpa2hva},
	{"info mem", NULL, CLASS_STATE, COMMAND_STOPPED, {{ARG_EXPRESSION, "FROM", true}},
	 "what is mapped: ranges of linear addresses and their rights",
	 "Neighbours with the same rights are one range. FROM: the first address that is\n"
	 "looked at.", run_info_mem},
	{"info tlb", NULL, CLASS_STATE, COMMAND_STOPPED, {{ARG_EXPRESSION, "FROM", true}},
	 "what is mapped: pages, where they lead, and their attributes",
	 "Neighbours that are alike are one line. Read off the page tables as they are\n"
	 "now; what a processor's TLB keeps of older ones nobody can see.", run_info_tlb},
	{"info gdt", NULL, CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "the global descriptor table, decoded", "← marks what segment registers hold.", run_info_gdt},
	{"info ldt", NULL, CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "the local descriptor table, decoded", NULL, run_info_ldt},
	{"info idt", NULL, CLASS_STATE, COMMAND_STOPPED, {{ARG_EXPRESSION, "VECTOR", true}},
	 "the interrupt descriptor table, with the handlers' names", NULL, run_info_idt},
	{"info ivt", NULL, CLASS_STATE, COMMAND_STOPPED, {{ARG_EXPRESSION, "VECTOR", true}},
	 "real mode's interrupt vectors, with the handlers' names", NULL, run_info_ivt},
	{"info tss", NULL, CLASS_STATE, COMMAND_STOPPED, {{0}},
	 "the task state segment: stacks of rings and interrupts", NULL, run_info_tss},

	/* ---- code ---- */
	{"context", "where-am-i", CLASS_CODE, COMMAND_STOPPED, {{0}},
	 "the screen of the last stop again, for the current vCPU",
	 "A star is behind registers that changed since the stop before. Behind a jump\n"
	 "that will be taken, and a return, stands what comes there: ↳. For a vCPU\n"
	 "that is not the one that stopped (`cpu N`): what it did meanwhile.", run_context},
	{"why", NULL, CLASS_CODE, 0, {{0}},
	 "the longer story of the last stop, or of a running vCPU's last exit",
	 "What KVM reported, what vitrine did with it and where, and where QEMU's loop\n"
	 "and the kernel do the same.", run_why},
	{"disassemble", "u disas", CLASS_CODE, COMMAND_STOPPED | COMMAND_REPEAT_NEXT,
	 {{ARG_EXPRESSION, "ADDR", true}, {ARG_EXPRESSION, "COUNT", true}},
	 "instructions at an address, or where the vCPU stands",
	 "16, 32 or 64 bits as the vCPU's mode is. An empty line goes on behind.", run_disassemble},
	{"list", "l", CLASS_CODE, COMMAND_STOPPED | COMMAND_REPEAT_NEXT,
	 {{ARG_LOCATION, "LOCATION", true}},
	 "source lines around a location, or where the vCPU stands",
	 "The file must be readable at the path that the compiler recorded. An empty\n"
	 "line goes on.",
	 run_list},
	{"bt", "backtrace where", CLASS_CODE, COMMAND_STOPPED,
	 {{ARG_OPTION, "-a", true}, {ARG_EXPRESSION, "COUNT", true}},
	 "the calls that led here, and why they end",
	 "By call frame information where the image has it, by Linux's own tables, else\n"
	 "by frame pointers, and through interrupts into what they interrupted. Frames of\n"
	 "a recursion that are alike have one line together. COUNT: so many lines of the\n"
	 "innermost frames (40); the outermost four are always there. -a: all frames,\n"
	 "each with a line of its own.", run_backtrace},
	{"symbol-file", NULL, CLASS_CODE, COMMAND_FILES, {{ARG_OFFSET, "-o OFFSET", true}, {ARG_FILE, "FILE", true}},
	 "take names and lines from another ELF file, or move them",
	 "-o: the guest runs it that much higher than it is linked, as kernels do that\n"
	 "choose their place when they start: symbol-file -o 0x1000000 vmlinux. Without\n"
	 "a FILE the symbols that are there move. Breakpoints stay where they are.", run_symbol_file},
	{"info kaslr", "slide", CLASS_CODE, COMMAND_STOPPED, {{0}},
	 "how far the kernel has moved away from where it was linked",
	 "It is looked for by the kernel's code, from where the guest runs, where its\n"
	 "exceptions go and where system calls enter, and the symbols follow.", run_info_kaslr},
	{"info modules", NULL, CLASS_CODE, COMMAND_STOPPED, {{0}},
	 "the modules that a Linux guest has loaded, and where",
	 "Their names are known as the kernel's are, and read anew at each stop: break\n"
	 "FUNCTION. gdb gets them by add-symbol-file target:/vitrine/modules.", run_info_modules},
	{"info symbol", NULL, CLASS_CODE, 0, {{ARG_EXPRESSION, "ADDR", false}},
	 "the name that covers an address", NULL, run_info_symbol},
	{"info line", NULL, CLASS_CODE, 0, {{ARG_LOCATION, "LOCATION", true}},
	 "source line and address of a location", NULL, run_info_line},

	/* ---- the machine ---- */
	{"cpu", NULL, CLASS_MACHINE, 0, {{ARG_CPU, "N", true}},
	 "choose the vCPU that commands are about, or say which it is", NULL, run_cpu},
	{"info cpus", "threads", CLASS_MACHINE, COMMAND_COMMON, {{0}},
	 "every vCPU: mode, ring, where it stands", NULL, run_info_cpus},
	{"info status", NULL, CLASS_MACHINE, 0, {{0}},
	 "whether the guest runs, and who holds it", NULL, run_info_status},
	{"info lapic", NULL, CLASS_MACHINE, COMMAND_STOPPED, {{0}},
	 "the current vCPU's local APIC, register by register", NULL, run_info_lapic},
	{"info ioapic", NULL, CLASS_MACHINE, 0, {{0}},
	 "where the IOAPIC's pins lead", NULL, run_info_ioapic},
	{"info pic", "irq", CLASS_MACHINE, 0, {{0}},
	 "the two 8259A interrupt controllers, line by line", NULL, run_info_pic},
	{"info pit", NULL, CLASS_MACHINE, 0, {{0}},
	 "the 8254 timer's counters", NULL, run_info_pit},
	{"info mtree", NULL, CLASS_MACHINE, 0, {{0}},
	 "who answers which physical address and which port",
	 "What stands in no line answers with ones.", run_info_mtree},
	{"info exits", NULL, CLASS_MACHINE, COMMAND_COMMON, {{0}},
	 "why the current vCPU left the guest: how often, and where its time went",
	 "A row per reason: exits; time in the guest before them; time in vitrine,\n"
	 "answering them; the part of both in all time. Below, what most of the recorded\n"
	 "ones were about.",
	 run_info_exits},
	{"trace", NULL, CLASS_MACHINE, 0, {{ARG_OPTION, "-a", true}, {ARG_EXPRESSION, "COUNT", true}},
	 "the last exits of the current vCPU (or -a: of all), oldest first",
	 "Time since the machine was made, reason, what it was about, and where when\n"
	 "that is known: while points are set or steps made, and always with `set\n"
	 "trace-pc on`.", run_trace},
	{"trace follow", NULL, CLASS_MACHINE, 0, {{ARG_SWITCH, "on|off", true}},
	 "print exits as they come, while the guest runs",
	 "Many exits at once are counted instead. Ctrl-C pauses the guest; off ends it.", run_trace_follow},
	{"trace instructions", NULL, CLASS_MACHINE, COMMAND_STOPPED | COMMAND_RUNS | COMMAND_FILES,
	 {{ARG_EXPRESSION, "COUNT", false}, {ARG_FILE, "FILE", false}},
	 "step, and write each instruction and what it changed into a file",
	 "The current vCPU is stepped as `step COUNT` does it.", run_trace_instructions},
	{"timeline", NULL, CLASS_MACHINE, 0, {{ARG_EXPRESSION, "MILLISECONDS", true}},
	 "a picture of who ran, slept and left the guest, from the flight recorder",
	 "A line for each vCPU; the last so many milliseconds, or all that is recorded\n"
	 "of all of them. Under -irqchip kernel KVM itself lets a vCPU sleep, and\n"
	 "nothing shows that.", run_timeline},
	{"nmi", NULL, CLASS_MACHINE, 0, {{0}},
	 "a non-maskable interrupt for the current vCPU",
	 "It is delivered when the vCPU runs next.", run_nmi},
	{"irq", NULL, CLASS_MACHINE, 0, {{ARG_EXPRESSION, "LINE", false}},
	 "an edge on an interrupt line, 0 to 15, as a device would make it",
	 "It reaches PICs and IOAPIC, which may have it masked: `info pic`.", run_irq},
	{"screen", NULL, CLASS_MACHINE, 0, {{0}},
	 "the text on the PC's screen",
	 "80 by 25 characters at 0xb8000, without their colours. The guest may be\n"
	 "running.", run_screen},
	{"send-key", "sendkey", CLASS_MACHINE, 0, {{ARG_KEYS, "KEY...", false}},
	 "press keys of the PC's keyboard, and let them go",
	 "send-key h e l l o ret, send-key ctrl-alt-delete: QEMU's names. They arrive at\n"
	 "port 0x60 as scan codes of set 1, with IRQ 1.", run_send_key},
	{"send-text", NULL, CLASS_MACHINE, 0, {{ARG_TEXT, "TEXT", false}},
	 "type a line on the PC's keyboard",
	 "All of it, or nothing where the keyboard has not so much room. A text in\n"
	 "quotes is typed as it is, without Enter. \\n \\t \\xNN are understood; \\x03 is\n"
	 "Ctrl-C.", run_send_text},
	{"serial send", NULL, CLASS_MACHINE, 0, {{ARG_OPTION, "-2", true}, {ARG_TEXT, "TEXT", false}},
	 "send a line to the guest's first serial port, or (-2) to the second",
	 "A text in quotes is sent as it is, without a newline. \\n \\r \\t \\xNN are\n"
	 "understood.",
	 run_serial_send},
	{"gdbserver", NULL, CLASS_MACHINE, 0, {{ARG_ADDRESS, "ADDRESS | off", true}},
	 "take gdb at another address, or none, or say where",
	 "ADDRESS is -gdb's: :1234, HOST:PORT, unix:PATH. A gdb that is attached is cut\n"
	 "off.", run_gdbserver},
	{"log", NULL, CLASS_MACHINE, 0, {{ARG_LOG, "[AREA] LEVEL", true}},
	 "what vitrine says by itself: how much, of which part",
	 "Levels are error, warn, info and debug. Without arguments: what is set. An\n"
	 "access that no device answers is told by `bus`, at debug, when -log debug was\n"
	 "given at the start.",
	 run_log},
	{"info capabilities", "kvm", CLASS_MACHINE, 0, {{0}},
	 "what this host's KVM really does for a debugger", NULL, run_info_capabilities},
	{"doctor", NULL, CLASS_MACHINE, 0, {{ARG_OPTION, "-j", true}},
	 "how breakpoints, watches and steps are made here, and why so",
	 "The same as `vitrine -doctor`, without asking again; -j as JSON, for programs.", run_doctor},
	SNAPSHOT_COMMANDS,
	{"echo", NULL, CLASS_MACHINE, 0, {{ARG_TEXT, "TEXT", true}}, "print a text", NULL, run_echo},
	{"json", NULL, CLASS_MACHINE, 0, {{ARG_LINE, "COMMAND", false}},
	 "answer a command with one JSON object", "As `-json` does for all of them.", run_json},
	{"source", NULL, CLASS_MACHINE, COMMAND_FILES, {{ARG_FILE, "FILE", false}},
	 "run the commands in a file",
	 "Each waits for the stop that the one before it causes. Lines that begin with #\n"
	 "are comments. At the start vitrine runs $XDG_CONFIG_HOME/vitrine/init, or\n"
	 "~/.config/vitrine/init, for settings and breakpoints; not with -nx.", run_source},
	{"help", "h ?", CLASS_MACHINE, 0, {{ARG_COMMAND, "COMMAND", true}},
	 "what there is; help COMMAND tells more, help all lists everything", NULL, run_help},
	{"quit", "q exit", CLASS_MACHINE, 0, {{0}}, "end the guest and vitrine", NULL, run_quit},
};
/* clang-format on */

const unsigned command_count = sizeof(commands) / sizeof(*commands);
