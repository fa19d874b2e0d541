/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The devices' init verbs. Each allocates its device, registers its regions, resets it, and hands it to
 * the caller, who destroys it. 0, -ENOMEM, or what bus_add() said. host outlives the device. */
#ifndef DEVICES_DEVICES_H
#define DEVICES_DEVICES_H

#include "devices/device.h"

struct pc_pic;	 /* x86/pc_chips.h */
struct pc_timer; /* likewise */

/* ---- 16550A UART. port 0 is COM1 (0x3f8, IRQ 4), 1 is COM2 (0x2f8, IRQ 3). --------------- */

/* All three are called with the device lock held, by any thread, and must not block nor call back into
 * the device. */
struct serial_backend {
	void *ctx;
	void (*write)(void *ctx, const void *bytes,
		      size_t size); /* what the guest sends; may be NULL */
	void (*ready)(void *ctx);   /* the receiver has room again; may be NULL */
	/* Whether more can be written without loss; NULL: always. After a false the transmitter stays busy
	 * (LSR bits 5 and 6 are 0), as on a slow line, until serial_transmit_ready(). */
	bool (*has_room)(void *ctx);
};
int serial_init(const struct device_host *host, unsigned port, const struct serial_backend *backend,
		struct device **device, struct error *err);
/* Bytes for the guest; returns how many there was room for. When it was not all, backend->ready is
 * called as soon as the guest has taken what it has. */
size_t serial_receive(struct device *device, const void *bytes, size_t size);
/* The backend has room again. */
void serial_transmit_ready(struct device *device);

/* ---- MC146818 clock and CMOS memory, ports 0x70-0x71, IRQ 8. ----------------------------- */
struct rtc_config {
	uint64_t ram_size;	  /* for the CMOS bytes where QEMU's firmware has it */
	unsigned vcpus;		  /* byte 0x5f: vcpus - 1 */
	uint64_t epoch;		  /* seconds since 1970 at guest time 0, UTC */
	uint64_t disk_sectors[2]; /* types and geometry of the IDE disks; 0: no such drive */
};
/* Date and CMOS memory have a battery: they survive reset. */
int rtc_init(const struct device_host *host, const struct rtc_config *config,
	     struct device **device, struct error *err);

/* ---- 8042 keyboard controller: status, reset line (0xfe), A20 gate. Ports 0x60, 0x64. ---- */
int i8042_init(const struct device_host *host, struct device **device, struct error *err);
/* Keys are pressed and let go: scan codes of set 1. Returns size, or 0 where they do not all fit. */
size_t i8042_keys(struct device *device, const uint8_t *codes, size_t size);

/* ---- IDE disks: the primary channel's two drives, ports 0x1f0-0x1f7 and 0x3f6, IRQ 14. PIO alone. -- */
#define DISK_SECTOR	 512
#define DISK_REQUEST_MAX 16 /* sectors */

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };
struct disk_request {
	enum disk_op op;
	uint64_t sector; /* with count of them it lies within the disk */
	uint32_t count;	 /* up to DISK_REQUEST_MAX; 0 for DISK_FLUSH */
	uint8_t *bytes;	 /* valid during start() alone */
	uint64_t ticket; /* for ide_done() */
};
/* What is kept in an image. Both functions are called with the device lock held, and must not block. */
struct disk_backend {
	void *ctx;
	uint64_t sectors; /* 0: there is no such drive */
	bool readonly;
	/* 0: done. -EINPROGRESS: ide_done() follows, unless another request comes first. Else: it failed.
	 * A write has no half sectors, and is on the disk when a DISK_FLUSH that came later is done. */
	int (*start)(void *ctx, const struct disk_request *request);
	/* run: another number each time that an image is opened. changed: when somebody last wrote to it, ns. */
	void (*version)(void *ctx, uint64_t *run, uint64_t *changed);
};
int ide_init(const struct device_host *host, const struct disk_backend backends[2],
	     struct device **device, struct error *err);
/* The geometry that a disk has by default; ide_cylinders(): of whole ones, 1 to 16383. */
#define DISK_HEADS 16
#define DISK_TRACK 63
uint16_t ide_cylinders(uint64_t sectors);
/* A request of drive 0 or 1 has ended: 0, or -errno; bytes: what was read. One that the drive has forgotten
 * meanwhile, by a reset or a snapshot, is ignored. */
void ide_done(struct device *device, unsigned drive, uint64_t ticket, int rc, const uint8_t *bytes);

/* ---- port 0x92 (fast A20 and reset) and the reset register 0xcf9. ------------------------ */
int port92_init(const struct device_host *host, struct device **device, struct error *err);
int reset_port_init(const struct device_host *host, struct device **device, struct error *err);

/* ---- ACPI's fixed hardware: power-off (S5) and the power management timer. Ports 0x600-0x60b. */
int acpi_pm_init(const struct device_host *host, struct device **device, struct error *err);

/* ---- isa-debug-exit: a write ends the run with (value << 1) | 1. ------------------------------ size ports, 1-4, or
 * 0 for as many as can be, and writes of up to as many bytes. The status is handed on whole; what a parent process
 * sees of it are its lowest 8 bits. Reads give 0. */
int debug_exit_init(const struct device_host *host, uint16_t port, unsigned size,
		    struct device **device, struct error *err);

/* ---- QEMU's pc-testdev: what is written to ports 0xe0-0xe3 and to 64 KiB at 0xff000000 can be read
 *      back; port 0x2000 + n is the level of interrupt line n, 0-23. ------------------------------ */
int pc_testdev_init(const struct device_host *host, struct device **device, struct error *err);

/* ---- port 0xe9: what is written appears on vitrine's standard error; reads give 0xe9. ---- */
int debug_console_init(const struct device_host *host, struct device **device, struct error *err);

/* ---- QEMU's fw_cfg: ports 0x510-0x511, and 0x514-0x51b for DMA. ---------------------------------
 * All bytes are the caller's, and outlive the device. */
#define FW_CFG_NAME_SIZE 56 /* with the zero at its end */
#define FW_CFG_FILES_MAX 40
struct fw_cfg_file {
	char name[FW_CFG_NAME_SIZE];
	const void *bytes;
	size_t size; /* below 4 GiB */
};
struct fw_cfg_config {
	uint64_t ram_size;
	unsigned vcpus;
	const struct fw_cfg_file *files; /* in any order */
	unsigned file_count;
};
/* -E2BIG, -EEXIST: too many files, or two of one name. */
int fw_cfg_init(const struct device_host *host, const struct fw_cfg_config *config,
		struct device **device, struct error *err);
/* What the guest was started with; there is none of it until then. */
struct fw_cfg_boot {
	const char *command_line;
	const void *initrd; /* NULL: none */
	size_t initrd_size;
	uint64_t initrd_address;
};
void fw_cfg_set_boot(struct device *device, const struct fw_cfg_boot *boot);

/* ---- VGA text memory at 0xb8000, 32 KiB, coalesced writes; and the CRT controller's index/data
 *      ports 0x3d4-0x3d5 (cursor, start address). Nothing is drawn; the console reads it. -------- */
/* scrolls: the top row is about to be overwritten, or the screen to start with another cell. cells is as of
 * text_screen_memory(). With the device lock held, by any thread; must not block. NULL: nobody cares. */
struct text_backend {
	void *ctx;
	void (*scrolls)(void *ctx, const uint8_t *cells);
};
int text_screen_init(const struct device_host *host, struct device **device, struct error *err);
/* The top row was written, and the end of the bottom one not since then: so it is while a guest scrolls. */
bool text_screen_is_passing(const struct device *device);
void text_screen_connect(struct device *device, const struct text_backend *backend);
/* The 80x25 cells that are shown: character, attribute. Device lock held. */
const uint8_t *text_screen_memory(const struct device *device);
/* Which of them has the cursor; -1: none, or it is off. */
int text_screen_cursor(const struct device *device);

/* ---- for -irqchip=user: the two 8259As (0x20, 0xa0, 0x4d0-0x4d1) and the 8254 (0x40-0x43, 0x61).
 *      The PIC has no host.irq of its own: the machine routes lines to pic_set(). ---------------- */
/* intr: the INTR pin, called when it changes. */
int pic_init(const struct device_host *host, void (*intr)(void *ctx, bool level), void *ctx,
	     struct device **device, struct error *err);
void pic_set(struct device *pic, unsigned line, bool level); /* line: 0-15, others are ignored */
bool pic_pending(const struct device *pic);
uint8_t pic_acknowledge(struct device *pic); /* INTA: the vector to deliver */
/* For people: how one of the two chips stands. Device lock held, as for pit_look(). */
void pic_look(const struct device *pic, unsigned chip, struct pc_pic *view);
int pit_init(const struct device_host *host, struct device **device, struct error *err);
void pit_look(const struct device *pit, unsigned counter, struct pc_timer *view);

#endif
