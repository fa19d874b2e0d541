/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Port I/O and the few instructions that C has no word for. */
#ifndef GUEST_PORT_H
#define GUEST_PORT_H

#include <stdint.h>

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* Sleeps until an interrupt came. sti takes effect behind the next instruction, so none is missed
 * between the caller's check (interrupts off) and the hlt. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* Ends the run: the machine exits with (value << 1) | 1, as QEMU's isa-debug-exit does. Where
 * nothing listens on that port, the CPU stops here. */
static inline __attribute__((noreturn)) void debug_exit(uint8_t value)
{
	outb(0xf4, value);
	for (;;)
		__asm__ volatile("cli; hlt");
}

#endif
