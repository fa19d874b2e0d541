// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU's fw_cfg (its docs/specs/fw_cfg.rst): numbered items of bytes that a guest reads. It writes an item's
 * number to port 0x510 and takes the bytes one by one from port 0x511; or it hands the address of a request to
 * the eight ports at 0x514, and finds the bytes in memory. Nothing can be written. An item that is not there,
 * and everything behind an item's end, reads as zeros.
 */
#include "devices/devices.h"
#include "devices/stream.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT	   0x510
#define DATA	   1 /* offset of the data port */
#define DMA_PORT   0x514
#define DMA_SIZE   8
#define DMA_LOW	   4 /* offset of the address' lower half, which starts the transfer */
#define FILE_FIRST 0x20
#define ITEMS_MAX  (16 + FW_CFG_FILES_MAX)
#define PIECE	   4096

static const uint8_t signature[4] = {'Q', 'E', 'M', 'U'};
static const uint8_t dma_signature[DMA_SIZE] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};

enum key {
	KEY_SIGNATURE = 0x00,
	KEY_ID = 0x01,
	KEY_UUID = 0x02,
	KEY_RAM_SIZE = 0x03,
	KEY_NO_GRAPHIC = 0x04,
	KEY_CPUS = 0x05,
	KEY_INITRD_ADDRESS = 0x0a,
	KEY_INITRD_SIZE = 0x0b,
	KEY_MAX_CPUS = 0x0f,
	KEY_INITRD_DATA = 0x12,
	KEY_COMMAND_LINE_SIZE = 0x14,
	KEY_COMMAND_LINE = 0x15,
	KEY_DIRECTORY = 0x19,
};

enum { ID_PORTS = 1, ID_DMA = 2 };

/* As the guest sees them: numbers are little-endian, but those of the directory and of DMA big-endian. */
struct numbers {
	uint32_t id;
	uint8_t uuid[16]; /* nobody gave the machine one */
	uint64_t ram_size;
	uint16_t no_graphic, cpus;
	uint32_t initrd_address, initrd_size, command_line_size;
};

struct directory {
	uint32_t count;
	struct {
		uint32_t size;
		uint16_t key, reserved;
		char name[FW_CFG_NAME_SIZE];
	} entry[FW_CFG_FILES_MAX];
};

struct item {
	uint16_t key;
	const void *bytes;
	uint32_t size;
};

struct fw_cfg {
	struct device device;
	const struct device_host *host;
	struct bus_region ports, dma;
	struct numbers numbers;
	struct directory directory;
	struct item item[ITEMS_MAX];
	unsigned count;
	/* What is saved. */
	uint16_t key; /* the item that is being read, … */
	uint32_t position;
	uint64_t request; /* … and the address of a request, as far as it has been written */
};

/* ---- items ------------------------------------------------------------------------------------- */

static void add(struct fw_cfg *f, uint16_t key, const void *bytes, size_t size)
{
	f->item[f->count++] = (struct item){key, bytes, (uint32_t)size};
}

static const struct item *find(const struct fw_cfg *f, uint16_t key)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->item[i].key == key)
			return &f->item[i];
	return NULL;
}

static void change(struct fw_cfg *f, uint16_t key, const void *bytes, size_t size)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->item[i].key == key)
			f->item[i] = (struct item){key, bytes, (uint32_t)size};
}

static void select_item(struct fw_cfg *f, uint16_t key)
{
	f->key = key;
	f->position = 0;
}

/* How many bytes of the item are left to read. */
static uint32_t left(const struct fw_cfg *f)
{
	const struct item *item = find(f, f->key);

	return item && f->position < item->size ? item->size - f->position : 0;
}

/* Up to size bytes, and zeros for the rest. */
static void take(struct fw_cfg *f, uint8_t *to, uint32_t size)
{
	uint32_t most = left(f), n = size < most ? size : most;

	memset(to, 0, size);
	if (n)
		memcpy(to, (const uint8_t *)find(f, f->key)->bytes + f->position, n);
	f->position += n;
}

/* ---- the two ports ------------------------------------------------------------------------------ */

static void ports_io(void *device, struct bus_access *access)
{
	struct fw_cfg *f = device;
	uint8_t byte;

	if (access->write && access->size == 2) {
		select_item(f, (uint16_t)access->value);
	} else if (!access->write && access->offset == DATA) {
		take(f, &byte, 1);
		access->value = byte;
	}
}

/* ---- DMA ---------------------------------------------------------------------------------------- */

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

/* So much may a transfer go beyond the item's end; more is an error, because it would hold everybody up. */
#define DMA_BEYOND 0x10000u

struct request {
	uint32_t control, size;
	uint64_t address;
};

static bool dma_read(struct fw_cfg *f, uint64_t to, uint32_t size)
{
	uint8_t piece[PIECE];

	while (size > 0) {
		uint32_t n = size < PIECE ? size : PIECE;

		take(f, piece, n);
		if (f->host->memory_write(f->host->ctx, to, piece, n) != n)
			return false;
		to += n;
		size -= n;
	}
	return true;
}

static bool dma_transfer(struct fw_cfg *f, uint32_t control, uint32_t size, uint64_t address)
{
	uint32_t most;

	if (control & DMA_SELECT)
		select_item(f, (uint16_t)(control >> 16));
	most = left(f);
	if (control & DMA_READ)
		return size <= (uint64_t)most + DMA_BEYOND && dma_read(f, address, size);
	if (control & DMA_SKIP)
		f->position += size < most ? size : most;
	return !(control & DMA_WRITE);
}

/* The request's control field tells the guest how it went: 0, or the error bit. */
static void dma_run(struct fw_cfg *f)
{
	struct request request;
	uint64_t at = f->request;
	uint32_t result = 0;

	f->request = 0;
	if (f->host->memory_read(f->host->ctx, at, &request, sizeof(request)) != sizeof(request))
		return;
	if (!dma_transfer(f, be32toh(request.control), be32toh(request.size),
			  be64toh(request.address)))
		result = htobe32(DMA_ERROR);
	f->host->memory_write(f->host->ctx, at, &result, sizeof(result));
}

static void dma_io(void *device, struct bus_access *access)
{
	struct fw_cfg *f = device;
	uint32_t half = be32toh((uint32_t)access->value);

	if (!access->write) {
		access->value = 0;
		memcpy(&access->value, dma_signature + access->offset, access->size);
	} else if (access->size == 4 && access->offset == 0) {
		f->request = (uint64_t)half << 32;
	} else if (access->size == 4 && access->offset == DMA_LOW) {
		f->request |= half;
		dma_run(f);
	}
}

/* ---- the five verbs ----------------------------------------------------------------------------- */

static void fw_cfg_reset(struct device *device)
{
	struct fw_cfg *f = (struct fw_cfg *)device;

	select_item(f, KEY_SIGNATURE);
	f->request = 0;
}

static void fw_cfg_save(const struct device *device, struct device_stream *out)
{
	const struct fw_cfg *f = (const struct fw_cfg *)device;

	stream_put_u64(out, f->key);
	stream_put_u64(out, f->position);
	stream_put_u64(out, f->request);
}

/* What the items hold is the command line's, as the machine's size is. A position behind their end is harmless. */
static int fw_cfg_load(struct device *device, struct device_stream *in)
{
	struct fw_cfg *f = (struct fw_cfg *)device;
	uint64_t key = stream_get_u64(in), position = stream_get_u64(in);
	uint64_t request = stream_get_u64(in);

	if (in->error || key > UINT16_MAX || position > UINT32_MAX)
		return -EINVAL;
	f->key = (uint16_t)key;
	f->position = (uint32_t)position;
	f->request = request;
	return 0;
}

static void fw_cfg_destroy(struct device *device)
{
	free(device);
}

static void add_numbers(struct fw_cfg *f, const struct fw_cfg_config *config)
{
	struct numbers *n = &f->numbers;

	n->id = htole32(ID_PORTS | ID_DMA);
	n->ram_size = htole64(config->ram_size);
	n->no_graphic = htole16(1);
	n->cpus = htole16((uint16_t)config->vcpus);
	add(f, KEY_SIGNATURE, signature, sizeof(signature));
	add(f, KEY_ID, &n->id, sizeof(n->id));
	add(f, KEY_UUID, n->uuid, sizeof(n->uuid));
	add(f, KEY_RAM_SIZE, &n->ram_size, sizeof(n->ram_size));
	add(f, KEY_NO_GRAPHIC, &n->no_graphic, sizeof(n->no_graphic));
	add(f, KEY_CPUS, &n->cpus, sizeof(n->cpus));
	add(f, KEY_MAX_CPUS, &n->cpus, sizeof(n->cpus));
	add(f, KEY_INITRD_ADDRESS, &n->initrd_address, sizeof(n->initrd_address));
	add(f, KEY_INITRD_SIZE, &n->initrd_size, sizeof(n->initrd_size));
	add(f, KEY_INITRD_DATA, NULL, 0);
	add(f, KEY_COMMAND_LINE_SIZE, &n->command_line_size, sizeof(n->command_line_size));
	add(f, KEY_COMMAND_LINE, NULL, 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fw_cfg_file *)a)->name, ((const struct fw_cfg_file *)b)->name);
}

/* In the order of their names, which is how a guest finds them. */
static int add_files(struct fw_cfg *f, const struct fw_cfg_config *config, struct error *err)
{
	struct fw_cfg_file file[FW_CFG_FILES_MAX] = {0};
	struct directory *d = &f->directory;

	if (config->file_count > FW_CFG_FILES_MAX)
		return error_set(err, -E2BIG, "fw_cfg has room for %d files, not for %u",
				 FW_CFG_FILES_MAX, config->file_count);
	if (config->file_count)
		memcpy(file, config->files, config->file_count * sizeof(file[0]));
	qsort(file, config->file_count, sizeof(file[0]), by_name);
	for (unsigned i = 0; i < config->file_count; i++) {
		if (i && !strcmp(file[i].name, file[i - 1].name))
			return error_set(err, -EEXIST,
					 "fw_cfg has a file \"%s\" already; choose another name",
					 file[i].name);
		d->entry[i].size = htobe32((uint32_t)file[i].size);
		d->entry[i].key = htobe16((uint16_t)(FILE_FIRST + i));
		memcpy(d->entry[i].name, file[i].name, FW_CFG_NAME_SIZE);
		add(f, (uint16_t)(FILE_FIRST + i), file[i].bytes, file[i].size);
	}
	d->count = htobe32(config->file_count);
	add(f, KEY_DIRECTORY, d, sizeof(d->count) + config->file_count * sizeof(d->entry[0]));
	return 0;
}

int fw_cfg_init(const struct device_host *host, const struct fw_cfg_config *config,
		struct device **device, struct error *err)
{
	struct fw_cfg *f = calloc(1, sizeof(*f));
	struct device_region regions[2];
	int rc;

	if (!f)
		return error_set(err, -ENOMEM, "out of memory");
	f->device = (struct device){.name = "fw-cfg",
				    .reset = fw_cfg_reset,
				    .save = fw_cfg_save,
				    .load = fw_cfg_load,
				    .destroy = fw_cfg_destroy};
	f->host = host;
	f->ports = (struct bus_region){.name = "fw-cfg",
				       .base = PORT,
				       .size = 2,
				       .max_size = 2,
				       .io = ports_io,
				       .device = f};
	f->dma = (struct bus_region){.name = "fw-cfg",
				     .base = DMA_PORT,
				     .size = DMA_SIZE,
				     .max_size = 4,
				     .io = dma_io,
				     .device = f};
	add_numbers(f, config);
	rc = add_files(f, config, err);
	if (rc < 0) {
		free(f);
		return rc;
	}
	regions[0] = (struct device_region){host->ports, &f->ports};
	regions[1] = (struct device_region){host->ports, &f->dma};
	return device_attach(&f->device, regions, 2, device, err);
}

void fw_cfg_set_boot(struct device *device, const struct fw_cfg_boot *boot)
{
	struct fw_cfg *f = (struct fw_cfg *)device;
	size_t size = strlen(boot->command_line) + 1;

	f->numbers.initrd_address = htole32((uint32_t)boot->initrd_address);
	f->numbers.initrd_size = htole32((uint32_t)boot->initrd_size);
	f->numbers.command_line_size = htole32((uint32_t)size);
	change(f, KEY_INITRD_DATA, boot->initrd, boot->initrd_size);
	change(f, KEY_COMMAND_LINE, boot->command_line, size);
}
