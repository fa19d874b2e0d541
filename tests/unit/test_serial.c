// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_host.h"
#include "serial_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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
	assert_int_equal(serial.sent_count, 0);
}

static void test_transmit_is_immediate(void **state)
{
	(void)state;
	out(DATA, 'h');
	out(DATA, 'i');
	assert_string_equal(serial.sent, "hi");
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
	assert_int_equal(serial.h.edges[4], 3);
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
	assert_int_equal(serial_receive(serial.serial, "a", 1), 1);
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
	assert_int_equal(serial_receive(serial.serial, "ab", 2), 1);
	assert_true(irq());
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(serial_receive(serial.serial, "b", 1), 0);
	assert_int_equal(serial.ready, 0);
	assert_int_equal(in(DATA), 'a');
	assert_int_equal(serial.ready, 1);
	assert_false(irq());
	assert_int_equal(in(LSR), 0x60);
}

static void test_fifo_takes_sixteen(void **state)
{
	static const char text[] = "0123456789abcdefghij";

	(void)state;
	out(FCR, 0x01);
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(serial_receive(serial.serial, text, 20), 16);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(serial.ready, 0); /* asked for once, when empty */
		assert_int_equal(in(DATA), text[i]);
	}
	assert_int_equal(serial.ready, 1);
	assert_int_equal(serial_receive(serial.serial, text + 16, 4), 4);
	while (in(LSR)&1)
		in(DATA);
	assert_int_equal(serial.ready, 1); /* nothing was refused this time */
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
			serial_receive(serial.serial, "x", 1);
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
	serial_receive(serial.serial, "abc", 3);
	out(FCR, 0x01); /* unchanged: keeps the data */
	assert_int_equal(in(DATA), 'a');
	out(FCR, 0x00); /* off: clears */
	assert_int_equal(in(LSR)&1, 0);
	assert_int_equal(in(IIR), 0x01);
	serial_receive(serial.serial, "abc", 3);
	assert_int_equal(serial.ready, 0);
	out(FCR, 0x01);
	assert_int_equal(serial.ready, 1); /* what the clearing made room for */
	out(FCR, 0xc0);			   /* without bit 0 the other bits do not count */
	assert_int_equal(in(IIR), 0x01);
}

static void test_full_backend_keeps_the_transmitter_busy(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x02);
	in(IIR);
	serial.full = true;
	out(DATA, 'a');
	assert_string_equal(serial.sent, "a");
	assert_int_equal(in(LSR), 0x00);
	assert_false(irq());
	out(IER, 0x00);
	out(IER, 0x02);
	assert_false(irq());
	out(DATA, 'b'); /* a guest that does not look is not held up */
	assert_string_equal(serial.sent, "ab");
	serial.full = false;
	assert_int_equal(in(LSR), 0x00);
	serial_transmit_ready(serial.serial);
	assert_int_equal(in(LSR), 0x60);
	assert_true(irq());
	assert_int_equal(in(IIR), 0x02);
	serial_transmit_ready(serial.serial);
	assert_false(irq());
}

static void test_second_port(void **state)
{
	struct device *second;

	(void)state;
	assert_int_equal(serial_init(&serial.h.host, 1, &(struct serial_backend){0}, &second, NULL),
			 0);
	out(0x2f8, 'x'); /* goes nowhere */
	assert_int_equal(serial.sent_count, 0);
	out(0x2fc, 0x08);
	out(0x2f9, 0x01);
	assert_int_equal(serial_receive(second, "ab", 2), 1);
	assert_true(serial.h.level[3]);
	assert_int_equal(in(0x2f8), 'a');
	assert_string_equal(second->name, "serial1");
	second->destroy(second);
}

static void test_same_port_twice(void **state)
{
	struct device *again = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(serial_init(&serial.h.host, 0, &backend, &again, &err), -EEXIST);
	assert_null(again);
	assert_non_null(strstr(err.text, "serial0"));
}

static void test_reset_lowers_the_line(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x01);
	serial_receive(serial.serial, "abc", 3);
	assert_true(irq());
	serial.serial->reset(serial.serial);
	assert_false(irq());
	assert_int_equal(serial.ready, 1);
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
	serial_receive(serial.serial, "hello", 5);
	check_save_load(serial.serial, copy);
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
	serial.full = true;
	out(DATA, 'x');
	serial.serial->save(serial.serial, &s);
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
	assert_int_equal(serial.serial->load(serial.serial, &s), -EINVAL);
	stream_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, serial_setup, serial_teardown)

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
