/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What firmware would have left in the low megabyte: ACPI tables (ACPI Specification 3.0), an MP table (MP
 * Specification 1.4), and the BIOS data area. They describe the machine that vitrine is, and nothing more:
 *
 *   interrupts   ISA line n comes in at pin n of the IOAPIC, but for line 0, the timer, which has pin 2
 *   power        the ports of devices/acpi_pm.c and of devices/reset_port.c
 */
#ifndef BOOT_FIRMWARE_TABLES_H
#define BOOT_FIRMWARE_TABLES_H

#include "boot/boot_private.h"

#define FIRMWARE_ACPI	      0xe0000ull
#define FIRMWARE_MP	      0xf0000ull
#define FIRMWARE_END	      0x100000ull
#define FIRMWARE_BDA	      0x400ull

#define FIRMWARE_LAPIC	      0xfee00000u
#define FIRMWARE_IOAPIC	      0xfec00000u
#define FIRMWARE_IOAPIC_PINS  24
#define FIRMWARE_TIMER_PIN    2
#define FIRMWARE_CASCADE_LINE 2 /* between the two 8259s: nobody's interrupt */
#define FIRMWARE_SCI_LINE     9

/* Adds them, each where the image leaves its place free, when the request names vCPUs. */
int firmware_place(struct loader *loader);
/* Where the RSDP is going to be; 0: nowhere. The image is placed already. */
uint64_t firmware_rsdp(const struct loader *loader);

/* The pin at which an ISA line comes in. */
unsigned firmware_pin(unsigned line);
/* All bytes add up to 0 when the one at offset is this. */
uint8_t firmware_checksum(const void *bytes, size_t size);

/* Each fills a block that goes to the address that its name says, and returns how much of it is used. The
 * room is always enough for as many vCPUs as vitrine takes. */
#define FIRMWARE_ACPI_ROOM (FIRMWARE_MP - FIRMWARE_ACPI)
#define FIRMWARE_MP_ROOM   0x2000
size_t firmware_acpi(uint8_t block[FIRMWARE_ACPI_ROOM], unsigned vcpus, bool apic);
size_t firmware_mp(uint8_t block[FIRMWARE_MP_ROOM], unsigned vcpus);

#endif
