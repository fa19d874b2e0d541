/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the rows of the command table run. Each gives 0, or -errno with a sentence in call->err; what
 * it takes is in the table (command_table.c).
 */
#ifndef MONITOR_COMMANDS_H
#define MONITOR_COMMANDS_H

#include "monitor/command.h"

int run_help(struct call *call);
int run_quit(struct call *call);
int run_echo(struct call *call);
int run_json(struct call *call);
int run_set(struct call *call);
int run_show(struct call *call);
int run_cpu(struct call *call);
int run_continue(struct call *call);
int run_step(struct call *call);
int run_next(struct call *call);
int run_advance(struct call *call);
int run_until(struct call *call);
int run_finish(struct call *call);
int run_stop(struct call *call);
int run_reset(struct call *call);
int run_break(struct call *call);
int run_tbreak(struct call *call);
int run_hbreak(struct call *call);
int run_watch(struct call *call);
int run_rwatch(struct call *call);
int run_awatch(struct call *call);
int run_dprintf(struct call *call);
int run_condition(struct call *call);
int run_ignore(struct call *call);
int run_enable(struct call *call);
int run_disable(struct call *call);
int run_delete(struct call *call);
int run_info_registers(struct call *call);
int run_info_bits(struct call *call);
int run_info_segments(struct call *call);
int run_info_fpu(struct call *call);
int run_info_sse(struct call *call);
int run_info_avx(struct call *call);
int run_info_cpuid(struct call *call);
int run_rdmsr(struct call *call);
int run_wrmsr(struct call *call);
int run_info_cpus(struct call *call);
int run_info_status(struct call *call);
int run_info_breakpoints(struct call *call);
int run_info_exits(struct call *call);
int run_catch(struct call *call);
int run_tcatch(struct call *call);
int run_trace(struct call *call);
int run_info_capabilities(struct call *call);
int run_symbol_file(struct call *call);
int run_info_kaslr(struct call *call);
int run_info_modules(struct call *call);
int run_commands(struct call *call);
int run_source(struct call *call);
int run_trace_follow(struct call *call);
int run_trace_instructions(struct call *call);
int run_why(struct call *call);
int run_timeline(struct call *call);
int run_nmi(struct call *call);
int run_irq(struct call *call);
int run_send_key(struct call *call);
int run_send_text(struct call *call);
int run_screen(struct call *call);
int run_serial_send(struct call *call);
int run_gdbserver(struct call *call);
int run_log(struct call *call);
int run_doctor(struct call *call);
int run_info_symbol(struct call *call);
int run_info_line(struct call *call);
int run_context(struct call *call);
int run_x(struct call *call);
int run_xp(struct call *call);
int run_print(struct call *call);
int run_pt(struct call *call);
int run_gva2gpa(struct call *call);
int run_find(struct call *call);
int run_compare(struct call *call);
int run_dump(struct call *call);
int run_restore(struct call *call);
int run_info_memory_slots(struct call *call);
int run_info_lapic(struct call *call);
int run_info_ioapic(struct call *call);
int run_info_pic(struct call *call);
int run_info_pit(struct call *call);
int run_info_mtree(struct call *call);
int run_info_dirty(struct call *call);
int run_gpa2hva(struct call *call);
int run_info_mem(struct call *call);
int run_info_tlb(struct call *call);
int run_info_gdt(struct call *call);
int run_info_ldt(struct call *call);
int run_info_idt(struct call *call);
int run_info_ivt(struct call *call);
int run_info_tss(struct call *call);
int run_disassemble(struct call *call);
int run_list(struct call *call);
int run_backtrace(struct call *call);

#endif
