// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define FCR IIR

struct fixture {
	struct test_host h;
	struct device *serial;
	char sent[256];
	size_t sent_count;
	unsigned ready;
	bool full;
};

static struct fixture the;

static void backend_write(void *ctx, const void *bytes, size_t size)
{
	struct fixture *f = ctx;

	assert_true(f->sent_count + size < sizeof(f->sent));
	memcpy(f->sent + f->sent_count, bytes, size);
	f->sent_count += size;
}

static void backend_ready(void *ctx)
{
	((struct fixture *)ctx)->ready++;
}

static bool backend_has_room(void *ctx)
{
	return !((struct fixture *)ctx)->full;
}

static const struct serial_backend backend = {
	.ctx = &the, .write = backend_write, .ready = backend_ready, .has_room = backend_has_room};

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	test_host_init(&the.h);
	return serial_init(&the.h.host, 0, &backend, &the.serial, NULL);
}

static int teardown(void **state)
{
	(void)state;
	the.serial->destroy(the.serial);
	return 0;
}

static uint8_t in(uint16_t port)
{
	return in8(&the.h, port);
}

static void out(uint16_t port, uint8_t value)
{
	out8(&the.h, port, value);
}

static bool irq(void)
{
	return the.h.level[4];
}

static void test_registers_after_reset(void **state)
{
	(void)state;
	assert_int_equal(in(IER), 0);
	assert_int_equal(in(IIR), 0x01);
	assert_int_equal(in(LCR), 0);
	assert_int_equal(in(MCR), 0);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(MSR), 0xb0);
	out(SCR, 0x5a);
	assert_int_equal(in(SCR), 0x5a);
	out(IER, 0xff);
	assert_int_equal(in(IER), 0x0f);
	out(MCR, 0xef);
	assert_int_equal(in(MCR), 0x0f);
}

static void test_divisor_hides_behind_dlab(void **state)
{
	(void)state;
	assert_int_equal(in(DATA), 0);
	out(LCR, 0x83);
	assert_int_equal(in(DATA), 12);
	out(DATA, 0x34);
	out(IER, 0x12);
	assert_int_equal(in(DATA), 0x34);
	assert_int_equal(in(IER), 0x12);
	out(LCR, 0x03);
	assert_int_equal(in(IER), 0);
	assert_int_equal(the.sent_count, 0);
}

static void test_transmit_is_immediate(void **state)
{
	(void)state;
	out(DATA, 'h');
	out(DATA, 'i');
	assert_string_equal(the.sent, "hi");
	assert_int_equal(in(LSR), 0x60);
	assert_false(irq());
}

static void test_thre_interrupt(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x02);
	assert_true(irq()); /* enabling it while empty tells so */
	assert_int_equal(in(IIR), 0x02);
	assert_false(irq()); /* reading IIR takes it back */
	assert_int_equal(in(IIR), 0x01);
	out(DATA, 'x');
	assert_true(irq());
	out(DATA, 'y'); /* an edge for every byte */
	assert_true(irq());
	assert_int_equal(the.h.edges[4], 3);
	out(IER, 0x00);
	assert_false(irq());
	out(IER, 0x02);
	assert_true(irq());
	out(IER, 0x02); /* no change, no news */
	in(IIR);
	out(IER, 0x02);
	assert_false(irq());
}

static void test_iir_read_of_another_source_keeps_thre(void **state)
{
	(void)state;
	out(IER, 0x03);
	assert_int_equal(serial_receive(the.serial, "a", 1), 1);
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(DATA), 'a');
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(in(IIR), 0x01);
}

static void test_out2_gates_the_line(void **state)
{
	(void)state;
	out(IER, 0x02);
	assert_false(irq());
	assert_int_equal(in(IIR), 0x02);
	out(IER, 0x00);
	out(IER, 0x02);
	out(MCR, 0x08);
	assert_true(irq());
	out(MCR, 0x00);
	assert_false(irq());
}

static void test_receive_without_fifo(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x01);
	assert_int_equal(serial_receive(the.serial, "ab", 2), 1);
	assert_true(irq());
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(serial_receive(the.serial, "b", 1), 0);
	assert_int_equal(the.ready, 0);
	assert_int_equal(in(DATA), 'a');
	assert_int_equal(the.ready, 1);
	assert_false(irq());
	assert_int_equal(in(LSR), 0x60);
}

static void test_fifo_takes_sixteen(void **state)
{
	static const char text[] = "0123456789abcdefghij";

	(void)state;
	out(FCR, 0x01);
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(serial_receive(the.serial, text, 20), 16);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(the.ready, 0); /* asked for once, when empty */
		assert_int_equal(in(DATA), text[i]);
	}
	assert_int_equal(the.ready, 1);
	assert_int_equal(serial_receive(the.serial, text + 16, 4), 4);
	while (in(LSR)&1)
		in(DATA);
	assert_int_equal(the.ready, 1); /* nothing was refused this time */
}

static void test_trigger_levels_and_timeout(void **state)
{
	static const struct {
		uint8_t fcr;
		unsigned level;
	} rows[] = {{0x01, 1}, {0x41, 4}, {0x81, 8}, {0xc1, 14}};

	(void)state;
	out(IER, 0x01);
	for (unsigned i = 0; i < 4; i++) {
		out(FCR, rows[i].fcr | 0x02);
		for (unsigned n = 1; n <= 16; n++) {
			serial_receive(the.serial, "x", 1);
			assert_int_equal(in(IIR), n >= rows[i].level ? 0xc4 : 0xcc);
		}
	}
	out(FCR, 0xc3);
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(in(LSR), 0x60);
}

static void test_fifo_control(void **state)
{
	(void)state;
	out(FCR, 0x01);
	serial_receive(the.serial, "abc", 3);
	out(FCR, 0x01); /* unchanged: keeps the data */
	assert_int_equal(in(DATA), 'a');
	out(FCR, 0x00); /* off: clears */
	assert_int_equal(in(LSR)&1, 0);
	assert_int_equal(in(IIR), 0x01);
	serial_receive(the.serial, "abc", 3);
	assert_int_equal(the.ready, 0);
	out(FCR, 0x01);
	assert_int_equal(the.ready, 1); /* what the clearing made room for */
	out(FCR, 0xc0);			/* without bit 0 the other bits do not count */
	assert_int_equal(in(IIR), 0x01);
}

static void test_loopback_data(void **state)
{
	(void)state;
	out(MCR, 0x1e);
	out(DATA, 0xae);
	assert_int_equal(the.sent_count, 0);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(in(DATA), 0xae);
	assert_int_equal(serial_receive(the.serial, "z", 1), 0);
	assert_int_equal(the.ready, 0);
	out(MCR, 0x0f);
	assert_int_equal(the.ready, 1);
	out(DATA, 'k');
	assert_string_equal(the.sent, "k");
}

static void test_loopback_overrun(void **state)
{
	(void)state;
	out(MCR, 0x10);
	out(IER, 0x05);
	out(DATA, 1);
	out(DATA, 2);
	assert_int_equal(in(IIR), 0x06); /* line status comes first */
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(LSR), 0x61); /* told once */
	assert_int_equal(in(DATA), 2);	 /* the single register holds the later byte */
	out(FCR, 0x01);
	for (int i = 0; i < 17; i++)
		out(DATA, (uint8_t)i);
	assert_int_equal(in(LSR), 0x63);
	for (int i = 0; i < 16; i++)
		assert_int_equal(in(DATA), i); /* the FIFO holds the earlier ones */
	assert_int_equal(in(LSR), 0x60);
}

static void test_loopback_modem_lines(void **state)
{
	static const struct {
		uint8_t mcr, msr;
	} rows[] = {{0x10, 0x00}, {0x11, 0x20}, {0x12, 0x10},
		    {0x14, 0x40}, {0x18, 0x80}, {0x1f, 0xf0}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		out(MCR, rows[i].mcr);
		in(MSR);
		assert_int_equal(in(MSR), rows[i].msr);
	}
	out(MCR, 0x10);
	in(MSR);
	out(MCR, 0x12);
	assert_int_equal(in(MSR), 0x11); /* CTS rose */
	assert_int_equal(in(MSR), 0x10);
	out(MCR, 0x16);
	assert_int_equal(in(MSR), 0x50); /* RI's rise is not told … */
	out(MCR, 0x12);
	assert_int_equal(in(MSR), 0x14); /* … its fall is */
	out(IER, 0x08);
	out(MCR, 0x10);
	assert_int_equal(in(IIR), 0x00);
	in(MSR);
	assert_int_equal(in(IIR), 0x01);
}

static void test_loopback_shuts_the_line(void **state)
{
	(void)state;
	out(IER, 0x01);
	out(MCR, 0x18);
	out(DATA, 1);
	assert_int_equal(in(IIR), 0x04);
	assert_false(irq());
	out(MCR, 0x08);
	assert_true(irq());
}

static void test_full_backend_keeps_the_transmitter_busy(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x02);
	in(IIR);
	the.full = true;
	out(DATA, 'a');
	assert_string_equal(the.sent, "a");
	assert_int_equal(in(LSR), 0x00);
	assert_false(irq());
	out(IER, 0x00);
	out(IER, 0x02);
	assert_false(irq());
	out(DATA, 'b'); /* a guest that does not look is not held up */
	assert_string_equal(the.sent, "ab");
	the.full = false;
	assert_int_equal(in(LSR), 0x00);
	serial_transmit_ready(the.serial);
	assert_int_equal(in(LSR), 0x60);
	assert_true(irq());
	assert_int_equal(in(IIR), 0x02);
	serial_transmit_ready(the.serial);
	assert_false(irq());
}

static void test_second_port(void **state)
{
	struct device *second;

	(void)state;
	assert_int_equal(serial_init(&the.h.host, 1, &(struct serial_backend){0}, &second, NULL),
			 0);
	out(0x2f8, 'x'); /* goes nowhere */
	assert_int_equal(the.sent_count, 0);
	out(0x2fc, 0x08);
	out(0x2f9, 0x01);
	assert_int_equal(serial_receive(second, "ab", 2), 1);
	assert_true(the.h.level[3]);
	assert_int_equal(in(0x2f8), 'a');
	assert_string_equal(second->name, "serial1");
	second->destroy(second);
}

static void test_same_port_twice(void **state)
{
	struct device *again = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(serial_init(&the.h.host, 0, &backend, &again, &err), -EEXIST);
	assert_null(again);
	assert_non_null(strstr(err.text, "serial0"));
}

static void test_reset_lowers_the_line(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x01);
	serial_receive(the.serial, "abc", 3);
	assert_true(irq());
	the.serial->reset(the.serial);
	assert_false(irq());
	assert_int_equal(the.ready, 1);
	test_registers_after_reset(state);
}

static void test_save_and_load(void **state)
{
	struct test_host h;
	struct device *copy;

	(void)state;
	test_host_init(&h);
	serial_init(&h.host, 0, &(struct serial_backend){0}, &copy, NULL);
	out(LCR, 0x83);
	out(DATA, 1);
	out(IER, 2);
	out(LCR, 0x1b);
	out(FCR, 0x81);
	out(MCR, 0x0b);
	out(SCR, 0x77);
	out(IER, 0x01);
	serial_receive(the.serial, "hello", 5);
	check_save_load(the.serial, copy);
	assert_true(h.level[4]);
	assert_int_equal(in8(&h, IIR), 0xcc);
	assert_int_equal(in8(&h, DATA), 'h');
	copy->destroy(copy);
}

static void test_load_of_a_busy_transmitter(void **state)
{
	struct test_host h;
	struct device_stream s = {0};
	struct device *copy;

	(void)state;
	test_host_init(&h);
	serial_init(&h.host, 0, &(struct serial_backend){0}, &copy, NULL);
	out(MCR, 0x08);
	out(IER, 0x02);
	the.full = true;
	out(DATA, 'x');
	the.serial->save(the.serial, &s);
	assert_int_equal(copy->load(copy, &s), 0);
	assert_int_equal(in8(&h, LSR), 0x00);
	assert_false(h.level[4]);
	serial_transmit_ready(copy);
	assert_int_equal(in8(&h, LSR), 0x60);
	assert_true(h.level[4]);
	stream_free(&s);
	copy->destroy(copy);
}

static void test_load_refuses_an_overfull_fifo(void **state)
{
	struct device_stream s = {0};
	uint8_t fifo[16] = {0};

	(void)state;
	for (int i = 0; i < 9; i++)
		stream_put_u64(&s, 0);
	stream_put(&s, fifo, sizeof(fifo));
	stream_put_u64(&s, 2); /* two bytes in a single register */
	stream_put_u64(&s, 0);
	stream_put_u64(&s, 0);
	assert_int_equal(the.serial->load(the.serial, &s), -EINVAL);
	stream_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers_after_reset),
		TEST(test_divisor_hides_behind_dlab),
		TEST(test_transmit_is_immediate),
		TEST(test_thre_interrupt),
		TEST(test_iir_read_of_another_source_keeps_thre),
		TEST(test_out2_gates_the_line),
		TEST(test_receive_without_fifo),
		TEST(test_fifo_takes_sixteen),
		TEST(test_trigger_levels_and_timeout),
		TEST(test_fifo_control),
		TEST(test_loopback_data),
		TEST(test_loopback_overrun),
		TEST(test_loopback_modem_lines),
		TEST(test_loopback_shuts_the_line),
		TEST(test_full_backend_keeps_the_transmitter_busy),
		TEST(test_second_port),
		TEST(test_same_port_twice),
		TEST(test_reset_lowers_the_line),
		TEST(test_save_and_load),
		TEST(test_load_of_a_busy_transmitter),
		TEST(test_load_refuses_an_overfull_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
