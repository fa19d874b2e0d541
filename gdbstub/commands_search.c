// SPDX-License-Identifier: GPL-3.0-or-later
/* What gdb lets the stub do with memory, so that it need not read it: qSearch:memory (`find`) and qCRC
 * (`compare-sections`). */
#include "gdbstub/stub.h"
#include "log.h"

#include <errno.h>
#include <time.h>

#define CRC_POLYNOMIAL 0x04c11db7u
#define CRC_PATIENCE   3 /* seconds: gdb gives up on an answer soon after */

/* `ADDR;LENGTH;PATTERN`. Where nothing is mapped there is nothing to be found, which is no error. */
int command_search(struct gdb_session *s, struct request *request)
{
	struct memory_search search = {.space = s->space, .vcpu = (int)s->general};
	uint64_t length;
	int found;

	if (!take_hex(request, &search.from) || !take_char(request, ';') ||
	    !take_hex(request, &length) || !take_char(request, ';') || !length ||
	    !request_left(request))
		return -EINVAL;
	search.to = search.from + (length - 1);
	if (search.to < search.from)
		search.to = UINT64_MAX;
	search.pattern = request->at;
	search.size = request_left(request);
	found = debug_search(s->debug, &search);
	if (found > 0)
		reply_format(&s->reply, "1,%llx", (unsigned long long)search.at);
	else if (found == 0)
		reply_text(&s->reply, "0");
	else if (found == -ETIME)
		log_warn("gdb", "find has not come further than 0x%llx; it may go on from there",
			 (unsigned long long)search.at);
	return found < 0 ? found : 0;
}

/* Most significant bit first, no complement at the end (gdb manual, "General Query Packets", qCRC). */
static void crc_table(uint32_t table[256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t sum = i << 24;

		for (int bit = 0; bit < 8; bit++)
			sum = sum << 1 ^ (sum >> 31 ? CRC_POLYNOMIAL : 0);
		table[i] = sum;
	}
}

static int add_memory(struct gdb_session *s, uint64_t addr, uint64_t length, uint32_t *sum)
{
	uint8_t *buffer = (uint8_t *)s->reader.body;
	time_t end = time(NULL) + CRC_PATIENCE;
	uint32_t table[256];

	crc_table(table);
	while (length) {
		size_t piece = length < PACKET_MAX ? length : PACKET_MAX;
		ssize_t done = debug_read(s->debug, (int)s->general, s->space, addr, buffer, piece);

		if (done <= 0)
			return done ? (int)done : -EFAULT;
		for (ssize_t i = 0; i < done; i++)
			*sum = *sum << 8 ^ table[*sum >> 24 ^ buffer[i]];
		addr += (uint64_t)done;
		length -= (uint64_t)done;
		if (time(NULL) > end)
			return -ETIME;
	}
	return 0;
}

int command_crc(struct gdb_session *s, struct request *request)
{
	uint32_t sum = 0xffffffff;
	uint64_t addr, length;
	int ret;

	if (!take_range(request, &addr, &length) || !take_end(request))
		return -EINVAL;
	ret = add_memory(s, addr, length, &sum);
	if (!ret)
		reply_format(&s->reply, "C%x", sum);
	return ret;
}
