// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/btf.h"
#include "debug/debug.h"
#include "debug/guest_modules_private.h"
#include "elf_section.h"

#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 2048
#define MODULE_MAX  16384u /* bytes of struct module */

/* ---- how the kernel lays things out ---------------------------------------------------------- */

static bool find_symbol(Elf *elf, const char *name, uint64_t *address)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Sym symbol;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(section, NULL);
		for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
			const char *its = elf_strptr(elf, header.sh_link, symbol.st_name);

			if (!its || strcmp(its, name) || symbol.st_shndx == SHN_UNDEF)
				continue;
			*address = symbol.st_value;
			return true;
		}
	}
	return false;
}

/* A member that is read as one number of size bytes, or (0) lies there. */
static bool take(const struct btf *btf, const char *structure, const char *name, unsigned size,
		 uint32_t base, uint32_t *offset)
{
	uint32_t type = btf_struct(btf, structure);
	struct btf_member member;

	if (!type || !btf_member(btf, type, name, &member) || member.offset > MODULE_MAX ||
	    btf_size(btf, type) > MODULE_MAX || size > MODULE_MAX)
		return false;
	*offset = base + member.offset;
	return true;
}

/* From Linux 6.4 on: an array of pieces. */
static bool take_pieces(const struct btf *btf, struct module_layout *layout)
{
	uint32_t module = btf_struct(btf, "module"), base, size;
	struct btf_member member;

	if (!btf_member(btf, module, "mem", &member) ||
	    !take(btf, "module_memory", "base", 8, 0, &base) ||
	    !take(btf, "module_memory", "size", 4, 0, &size) || member.offset > MODULE_MAX)
		return false;
	layout->piece_count = member.count < MODULE_PIECES ? member.count : MODULE_PIECES;
	for (unsigned i = 0; i < layout->piece_count; i++) {
		uint32_t at = member.offset + i * btf_size(btf, member.type);

		layout->piece_base[i] = at + base;
		layout->piece_size[i] = at + size;
	}
	layout->code_pieces = 1 | 1 << 4; /* MOD_TEXT, MOD_INIT_TEXT */
	return layout->piece_count > 0;
}

/* Before: one for as long as it is loaded, one while it starts. */
static bool take_layouts(const struct btf *btf, struct module_layout *layout)
{
	static const char *const names[] = {"core_layout", "init_layout"};

	layout->piece_count = 2;
	layout->code_pieces = 3;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t at;

		if (!take(btf, "module", names[i], 0, 0, &at) ||
		    !take(btf, "module_layout", "base", 8, at, &layout->piece_base[i]) ||
		    !take(btf, "module_layout", "size", 4, at, &layout->piece_size[i]))
			return false;
	}
	return true;
}

/* A kernel without these tables has none for itself, either. */
static void take_orc(const struct btf *btf, struct module_layout *layout)
{
	uint32_t at;

	layout->has_orc = take(btf, "module", "arch", 0, 0, &at) &&
			  take(btf, "mod_arch_specific", "num_orcs", 4, at, &layout->orc_count) &&
			  take(btf, "mod_arch_specific", "orc_unwind_ip", 8, at,
			       &layout->orc_ips) &&
			  take(btf, "mod_arch_specific", "orc_unwind", 8, at, &layout->orc_rules);
}

static bool take_layout(const struct btf *btf, struct module_layout *layout)
{
	layout->size = btf_size(btf, btf_struct(btf, "module"));
	take_orc(btf, layout);
	return layout->size && layout->size <= MODULE_MAX &&
	       take(btf, "module", "list", 0, 0, &layout->list) &&
	       take(btf, "module", "state", 4, 0, &layout->state) &&
	       take(btf, "module", "name", 0, 0, &layout->name) &&
	       take(btf, "module", "kallsyms", 8, 0, &layout->kallsyms) &&
	       take(btf, "mod_kallsyms", "symtab", 8, 0, &layout->symtab) &&
	       take(btf, "mod_kallsyms", "num_symtab", 4, 0, &layout->num_symtab) &&
	       take(btf, "mod_kallsyms", "strtab", 8, 0, &layout->strtab) &&
	       (take_pieces(btf, layout) || take_layouts(btf, layout));
}

static const char *examine(struct guest_modules *modules, Elf *elf)
{
	GElf_Shdr header;
	Elf_Data *data = elf_section_find(elf, ".BTF", &header);
	struct btf btf;
	bool known;

	if (!find_symbol(elf, "modules", &modules->head))
		return "the image names no list of modules: it is no Linux, or one without "
		       "CONFIG_MODULES or CONFIG_KALLSYMS_ALL";
	if (!data || !data->d_buf || !btf_read(data->d_buf, data->d_size, &btf)) {
		return "the image does not say how its structures are laid out: it was built "
		       "without CONFIG_DEBUG_INFO_BTF";
	}
	known = take_layout(&btf, &modules->layout);
	btf_free(&btf);
	return known ? NULL : "this kernel keeps its modules in a way that is not known here";
}

int guest_modules_new(const void *bytes, size_t size, struct guest_modules **result,
		      struct error *err)
{
	struct guest_modules *modules = calloc(1, sizeof(*modules));
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_memory((char *)bytes, size);
	const char *why = "there is no ELF file of the kernel";

	*result = modules;
	if (modules && elf && elf_kind(elf) == ELF_K_ELF)
		why = examine(modules, elf);
	elf_end(elf);
	if (modules && !why)
		return 0;
	free(modules);
	*result = NULL;
	return modules ? error_set(err, -ENOENT, "%s", why)
		       : error_set(err, -ENOMEM, "out of memory");
}

void guest_modules_forget(struct guest_modules *modules)
{
	free(modules->module);
	modules->module = NULL;
	modules->count = 0;
}

void guest_modules_free(struct guest_modules *modules)
{
	if (modules)
		guest_modules_forget(modules);
	free(modules);
}

/* ---- the list -------------------------------------------------------------------------------- */

struct reader {
	const struct guest_modules *modules;
	struct debug *debug;
	int vcpu;
	uint8_t bytes[MODULE_MAX]; /* of one struct module */
	struct guest_module *module;
	unsigned count;
};

static bool read_guest(struct reader *r, uint64_t at, void *buf, size_t size)
{
	return debug_read(r->debug, r->vcpu, SPACE_LINEAR, at, buf, size) == (ssize_t)size;
}

static uint64_t number_at(const struct reader *r, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	if (offset <= MODULE_MAX - size)
		memcpy(&value, r->bytes + offset, size);
	return le64toh(value);
}

static void take_name(const struct reader *r, struct guest_module *m)
{
	uint32_t at = r->modules->layout.name;

	for (unsigned i = 0; i < MODULE_NAME_SIZE - 1 && at + i < MODULE_MAX; i++) {
		char c = (char)r->bytes[at + i];

		if (!c)
			return;
		m->name[i] = c > ' ' && c < 0x7f ? c : '?';
	}
}

static void take_symbols(struct reader *r, struct guest_module *m)
{
	const struct module_layout *l = &r->modules->layout;
	uint64_t kallsyms = number_at(r, l->kallsyms, 8);

	if (read_guest(r, kallsyms + l->num_symtab, &m->symbol_count, 4) &&
	    read_guest(r, kallsyms + l->symtab, &m->symbols, 8) &&
	    read_guest(r, kallsyms + l->strtab, &m->strings, 8))
		return;
	m->symbol_count = 0;
}

static void take_module(struct reader *r, struct guest_module *m)
{
	const struct module_layout *l = &r->modules->layout;

	memset(m, 0, sizeof(*m));
	m->state = (uint32_t)number_at(r, l->state, 4);
	take_name(r, m);
	for (unsigned i = 0; i < l->piece_count; i++) {
		m->piece[i].base = number_at(r, l->piece_base[i], 8);
		m->piece[i].size = number_at(r, l->piece_size[i], 4);
	}
	if (l->has_orc) {
		m->orc_count = (uint32_t)number_at(r, l->orc_count, 4);
		m->orc_ips = number_at(r, l->orc_ips, 8);
		m->orc_rules = number_at(r, l->orc_rules, 8);
	}
	take_symbols(r, m);
}

/* struct list_head begins with the pointer to the next one. */
static int read_list(struct reader *r, uint64_t slide)
{
	const struct module_layout *l = &r->modules->layout;
	uint64_t head = r->modules->head + slide, at;

	if (!read_guest(r, head, &at, 8))
		return -EFAULT;
	for (unsigned i = 0; at != head; i++) {
		if (i == MODULES_MAX || !read_guest(r, at - l->list, r->bytes, l->size))
			return -EFAULT;
		if (number_at(r, l->state, 4) != MODULE_UNFORMED)
			take_module(r, &r->module[r->count++]);
		at = number_at(r, l->list, 8);
	}
	return 0;
}

static int take_list(struct guest_modules *modules, const struct reader *r)
{
	struct guest_module *module;
	size_t size = r->count * sizeof(*r->module);

	if (r->count == modules->count && (!size || !memcmp(r->module, modules->module, size)))
		return 0;
	module = malloc(size + 1);
	if (!module)
		return -EFAULT;
	memcpy(module, r->module, size);
	free(modules->module);
	modules->module = module;
	modules->count = r->count;
	return 1;
}

int guest_modules_read(struct guest_modules *modules, struct debug *debug, int vcpu, uint64_t slide)
{
	struct reader *r = calloc(1, sizeof(*r));
	int rc = -EFAULT;

	if (!r)
		return rc;
	*r = (struct reader){.modules = modules, .debug = debug, .vcpu = vcpu};
	r->module = calloc(MODULES_MAX, sizeof(*r->module));
	if (r->module)
		rc = read_list(r, slide);
	if (!rc)
		rc = take_list(modules, r);
	free(r->module);
	free(r);
	return rc;
}

/* ---- questions ------------------------------------------------------------------------------- */

unsigned guest_modules_count(const struct guest_modules *modules)
{
	return modules->count;
}

const struct guest_module *guest_modules_at(const struct guest_modules *modules, unsigned index)
{
	return index < modules->count ? &modules->module[index] : NULL;
}

const struct guest_module *guest_modules_find(const struct guest_modules *modules, uint64_t address)
{
	for (unsigned i = 0; i < modules->count; i++)
		for (unsigned p = 0; p < MODULE_PIECES; p++)
			if (address - modules->module[i].piece[p].base <
			    modules->module[i].piece[p].size)
				return &modules->module[i];
	return NULL;
}

uint64_t guest_module_size(const struct guest_module *module)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < MODULE_PIECES; i++)
		size += module->piece[i].size;
	return size;
}
