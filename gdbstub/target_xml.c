// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The target description (gdb manual, appendix G), read off the register table: one feature per
 * group, and a flags type for every register type that gdb does not know by itself.
 */
#include "gdbstub/stub.h"

#include <string.h>

static const char vector_types[] = "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n"
				   "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\n"
				   "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n"
				   "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n"
				   "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n"
				   "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\n"
				   "<union id=\"vec128\">\n"
				   "<field name=\"v4_float\" type=\"v4f\"/>\n"
				   "<field name=\"v2_double\" type=\"v2d\"/>\n"
				   "<field name=\"v16_int8\" type=\"v16i8\"/>\n"
				   "<field name=\"v8_int16\" type=\"v8i16\"/>\n"
				   "<field name=\"v4_int32\" type=\"v4i32\"/>\n"
				   "<field name=\"v2_int64\" type=\"v2i64\"/>\n"
				   "<field name=\"uint128\" type=\"uint128\"/>\n"
				   "</union>\n";

static void write_flag(struct text *text, const struct register_flag *flag, unsigned bytes)
{
	text_printf(text, "<field name=\"%s\" start=\"%u\" end=\"%u\"", flag->name, flag->bit_lo,
		    flag->bit_hi);
	if (flag->bit_lo != flag->bit_hi)
		text_printf(text, " type=\"uint%u\"", 8 * bytes);
	text_printf(text, "/>\n");
}

static void write_flags(struct text *text, const struct register_flags_type *type)
{
	text_printf(text, "<flags id=\"%s\" size=\"%u\">\n", type->id, type->bytes);
	for (unsigned i = 0; i < type->field_count; i++)
		write_flag(text, &type->fields[i], type->bytes);
	text_printf(text, "</flags>\n");
}

/* Types that gdb has by itself need no words. */
static void write_type(struct text *text, const char *id)
{
	const struct register_flags_type *flags = register_flags_type_find(id);

	if (flags)
		write_flags(text, flags);
	else if (!strcmp(id, "vec128"))
		text_printf(text, "%s", vector_types);
}

/* A type is declared once per feature, ahead of its first register. */
static bool type_is_new(unsigned reg)
{
	for (unsigned i = 0; i < reg; i++) {
		if (registers[i].group == registers[reg].group &&
		    !strcmp(registers[i].gdb_type, registers[reg].gdb_type))
			return false;
	}
	return true;
}

/*
 * A heading of its own keeps a register out of plain `info registers`, which would be long:
 * everything but the control registers themselves has one. save-restore is for guest functions that
 * gdb calls: what they do to the machine's own registers stays.
 */
static const char *attributes(const struct register_desc *reg)
{
	size_t length = strlen(reg->name);
	bool twin = length > 6 && !strcmp(reg->name + length - 6, "_value");

	if (reg->group <= REG_SEGMENTS)
		return "";
	if (reg->group == REG_CONTROL && !twin)
		return " save-restore=\"no\"";
	return " group=\"system\" save-restore=\"no\"";
}

static void write_register(struct text *text, enum gdb_arch arch, unsigned reg)
{
	char name[LAYOUT_NAME_MAX];

	layout_name(arch, reg, name);
	text_printf(text, "<reg name=\"%s\" bitsize=\"%zu\" type=\"%s\" regnum=\"%u\"%s/>\n", name,
		    8 * layout_bytes(arch, reg), layout_type(arch, reg), reg,
		    attributes(&registers[reg]));
}

static void write_feature(struct text *text, enum gdb_arch arch, enum register_group group)
{
	text_printf(text, "<feature name=\"%s\">\n", layout_feature(arch, group));
	for (unsigned i = 0; i < register_count; i++) {
		if (registers[i].group == group && type_is_new(i))
			write_type(text, registers[i].gdb_type);
	}
	for (unsigned i = 0; i < register_count; i++) {
		if (registers[i].group == group && layout_bytes(arch, i))
			write_register(text, arch, i);
	}
	text_printf(text, "</feature>\n");
}

void target_xml(struct text *text, enum gdb_arch arch)
{
	const char *name = arch == GDB_ARCH_I386 ? "i386" : "i386:x86-64";

	text_printf(text, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n");
	text_printf(text, "<target version=\"1.0\">\n<architecture>%s</architecture>\n", name);
	for (unsigned group = 0; group < REG_GROUP_COUNT; group++)
		write_feature(text, arch, group);
	text_printf(text, "</target>\n");
}
