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

static const struct {
	const char *id, *text;
} other_types[] = {
	{"vec128", vector_types},
	{"v2ui128", "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n"},
};

/* Types that gdb has by itself need no words. */
static void write_type(struct text *text, const char *id)
{
	const struct register_flags_type *flags = register_flags_type_find(id);

	if (flags)
		write_flags(text, flags);
	for (size_t i = 0; i < sizeof(other_types) / sizeof(other_types[0]); i++) {
		if (!strcmp(other_types[i].id, id))
			text_printf(text, "%s", other_types[i].text);
	}
}

static bool is_in(const struct layout *layout, unsigned number, enum register_group group)
{
	return layout->reg[number].bytes && registers[layout_row(layout, number)].group == group;
}

/* A type is declared once per feature, ahead of its first register. */
static bool type_is_new(const struct layout *layout, unsigned number, enum register_group group)
{
	const char *type = layout_type(layout, number);

	for (unsigned i = 0; i < number; i++) {
		if (is_in(layout, i, group) && !strcmp(layout_type(layout, i), type))
			return false;
	}
	return true;
}

/*
 * `info registers system` lists those that are the machine's and not the program's. (gdb's
 * plain `info registers` lists whatever is no vector, and nothing keeps a register out of it.)
 * save-restore is for guest functions that gdb calls: what they do to the machine's own registers
 * stays, and a register that has two names is restored by one of them.
 */
static const char *attributes(unsigned number)
{
	if (number >= register_count)
		return " save-restore=\"no\"";
	if (registers[number].group <= REG_PKEYS)
		return "";
	return " group=\"system\" save-restore=\"no\"";
}

static void write_register(struct text *text, const struct layout *layout, unsigned number)
{
	char name[LAYOUT_NAME_MAX];

	layout_name(layout, number, name);
	text_printf(text, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"%s/>\n", name,
		    8u * layout->reg[number].bytes, layout_type(layout, number), number,
		    attributes(number));
}

static bool has_group(const struct layout *layout, enum register_group group)
{
	for (unsigned i = 0; i < layout->count; i++) {
		if (is_in(layout, i, group))
			return true;
	}
	return false;
}

static void write_feature(struct text *text, const struct layout *layout, enum register_group group)
{
	if (!has_group(layout, group))
		return;
	text_printf(text, "<feature name=\"%s\">\n", layout_feature(layout, group));
	for (unsigned i = 0; i < layout->count; i++) {
		if (is_in(layout, i, group) && type_is_new(layout, i, group))
			write_type(text, layout_type(layout, i));
	}
	for (unsigned i = 0; i < layout->count; i++) {
		if (is_in(layout, i, group))
			write_register(text, layout, i);
	}
	text_printf(text, "</feature>\n");
}

/* No operating system stands below the guest: gdb would look for a Linux program's. */
static void write_architecture(struct text *text, const struct layout *layout)
{
	static const char *const compatible[] = {
		[NAMES_64] = "<compatible>i386</compatible>\n",
		[NAMES_32] = "<compatible>i386:x86-64</compatible>\n",
		[NAMES_BOTH] = "",
	};

	text_printf(text, "<architecture>%s</architecture>\n<osabi>none</osabi>\n%s",
		    gdb_arch_name(layout->arch), compatible[layout->names]);
}

void target_xml(struct text *text, const struct layout *layout)
{
	text_printf(text, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n");
	text_printf(text, "<target version=\"1.0\">\n");
	write_architecture(text, layout);
	for (unsigned group = 0; group < REG_GROUP_COUNT; group++)
		write_feature(text, layout, group);
	text_printf(text, "</target>\n");
}
