// SPDX-License-Identifier: MIT
#include "measure/symbols.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/fact.h"

struct symbol {
	uint64_t from, to; /* to: 0 when the table doesn't say */
	char *name;
	int rank; /* among names of one address the highest is the one people know */
};

/* An executable mapping, to name an address that no symbol covers. */
struct mapping {
	uint64_t from, to;
	char *name;
};

struct symbols {
	struct symbol *symbol; /* sorted by `from`, one for each */
	size_t count, capacity;
	struct mapping *mapping;
	size_t mappings;
};

static int add(struct symbols *symbols, uint64_t from, uint64_t size, const char *name, int rank)
{
	if (symbols->count == symbols->capacity) {
		size_t capacity = symbols->capacity ? 2 * symbols->capacity : 4096;
		struct symbol *grown = reallocarray(symbols->symbol, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		symbols->symbol = grown;
		symbols->capacity = capacity;
	}
	symbols->symbol[symbols->count] =
		(struct symbol){ from, size ? from + size : 0, strdup(name), rank };
	if (!symbols->symbol[symbols->count].name)
		return -ENOMEM;
	symbols->count++;
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return y->rank - x->rank;
}

static void sort(struct symbols *symbols)
{
	size_t kept = 0;

	if (!symbols->count)
		return;
	qsort(symbols->symbol, symbols->count, sizeof(*symbols->symbol), by_address);
	for (size_t i = 1; i < symbols->count; i++) {
		if (symbols->symbol[kept].from == symbols->symbol[i].from)
			free(symbols->symbol[i].name);
		else
			symbols->symbol[++kept] = symbols->symbol[i];
	}
	symbols->count = kept + 1;
}

/* Global before local before weak, and names without underscores before those with. */
static int rank_of(bool global, bool weak, const char *name)
{
	return (global ? 64 : 0) - (weak ? 32 : 0) - (int)strspn(name, "_");
}

/* ---- the kernel ---- */

static void explain_hidden(char *reason, size_t size)
{
	char restricted[32] = "?", paranoid[32] = "?", lockdown[64];

	(void)first_line("/proc/sys/kernel/kptr_restrict", restricted, sizeof(restricted));
	(void)first_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
	if (first_line("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown)))
		lockdown[0] = '\0';
	if (!strcmp(restricted, "2"))
		snprintf(reason, size,
			 "the kernel's addresses are hidden from everybody: kernel.kptr_restrict is 2 (1 and CAP_SYSLOG, or 0, shows them)");
	else
		snprintf(reason, size,
			 "the kernel's addresses are hidden: /proc/kallsyms needs CAP_SYSLOG here (kernel.kptr_restrict %s, kernel.perf_event_paranoid %s%s%s)",
			 restricted, paranoid, lockdown[0] ? ", lockdown " : "", lockdown);
}

int symbols_of_kernel(const char *path, struct symbols **out, char *reason, size_t size)
{
	FILE *file = fopen(path, "re");
	struct symbols *symbols = calloc(1, sizeof(*symbols));
	uint64_t highest = 0;
	char line[512];
	int err = 0;

	*out = NULL;
	if (!file || !symbols) {
		err = file ? -ENOMEM : -errno;
		snprintf(reason, size, "no names for the kernel's functions: %s: %s%s", path,
			 strerror(-err),
			 err == -ENOENT ? " (a kernel built without CONFIG_KALLSYMS)" : "");
	}
	while (!err && fgets(line, sizeof(line), file)) {
		char type, name[256];
		uint64_t address;

		if (sscanf(line, "%" SCNx64 " %c %255s", &address, &type, name) != 3 ||
		    !strchr("tTwW", type))
			continue;
		highest = address > highest ? address : highest;
		/* mapping symbols of arm64 ($x, $d) and of the assembler are no functions */
		if (name[0] != '$' && strncmp(name, ".L", 2) != 0)
			err = add(symbols, address, 0, name,
				  rank_of(isupper((unsigned char)type), type == 'w' || type == 'W', name));
	}
	if (!err && !highest) {
		err = -ENODATA;
		explain_hidden(reason, size);
	}
	if (file)
		fclose(file);
	if (err) {
		symbols_free(symbols);
		return err;
	}
	sort(symbols);
	*out = symbols;
	return 0;
}

/* ---- a process ---- */

/* File offsets become addresses of the program by the segment they lie in. */
static int add_table(struct symbols *symbols, Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
		     const struct mapping *m, uint64_t offset)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0, segments = 0;
	uint64_t delta = 0;
	int err = 0;

	if (!data || elf_getphdrnum(elf, &segments))
		return 0;
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr p;

		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_LOAD && offset >= p.p_offset &&
		    offset < p.p_offset + p.p_filesz)
			delta = m->from - offset + p.p_offset - p.p_vaddr;
	}
	for (size_t i = 0; i < count && !err; i++) {
		const char *name;
		GElf_Sym s;

		if (!gelf_getsym(data, (int)i, &s) || GELF_ST_TYPE(s.st_info) != STT_FUNC ||
		    !s.st_shndx || s.st_value + delta < m->from || s.st_value + delta >= m->to)
			continue;
		name = elf_strptr(elf, header->sh_link, s.st_name);
		if (name && name[0])
			err = add(symbols, s.st_value + delta, s.st_size, name,
				  rank_of(GELF_ST_BIND(s.st_info) == STB_GLOBAL,
					  GELF_ST_BIND(s.st_info) == STB_WEAK, name));
	}
	return err;
}

static int add_object(struct symbols *symbols, const char *path, const struct mapping *m,
		      uint64_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	Elf_Scn *section = NULL;
	Elf *elf = NULL;

	if (fd >= 0 && elf_version(EV_CURRENT) != EV_NONE)
		elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && !err && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		/* .dynsym is a part of .symtab; sort() drops what comes twice */
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			err = add_table(symbols, elf, section, &header, m, offset);
	}
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return err;
}

static int add_mapping(struct symbols *symbols, uint64_t from, uint64_t to, const char *path)
{
	struct mapping *grown =
		reallocarray(symbols->mapping, symbols->mappings + 1, sizeof(*grown));
	const char *base = strrchr(path, '/');
	char *name = NULL;

	if (!grown)
		return -ENOMEM;
	symbols->mapping = grown;
	base = base ? base + 1 : path;
	if (asprintf(&name, base[0] == '[' ? "%s" : "[%s]", base[0] ? base : "unknown") < 0)
		return -ENOMEM;
	symbols->mapping[symbols->mappings++] = (struct mapping){ from, to, name };
	return 0;
}

int symbols_of_process(pid_t pid, struct symbols **out)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));
	char path[64], line[PATH_MAX + 128];
	FILE *file;
	int err = 0;

	*out = NULL;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (!file || !symbols)
		err = file ? -ENOMEM : -errno;
	while (!err && fgets(line, sizeof(line), file)) {
		uint64_t from, to, offset;
		char mode[5];
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &from, &to,
			   mode, &offset, &at) < 4 || !at || mode[2] != 'x')
			continue;
		err = add_mapping(symbols, from, to, line + at);
		if (!err && line[at] == '/')
			err = add_object(symbols, line + at,
					 &symbols->mapping[symbols->mappings - 1], offset);
	}
	if (file)
		fclose(file);
	if (err) {
		symbols_free(symbols);
		return err;
	}
	sort(symbols);
	*out = symbols;
	return 0;
}

/* ---- looking up ---- */

static const struct symbol *at_or_below(const struct symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->symbol[middle].from <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols->symbol[low - 1] : NULL;
}

const char *symbol_of(const struct symbols *symbols, uint64_t address)
{
	const struct symbol *s = symbols ? at_or_below(symbols, address) : NULL;

	/* the kernel's table has no sizes: a symbol reaches to the next */
	if (s && (s->to ? address < s->to : !symbols->mappings))
		return s->name;
	for (size_t i = 0; symbols && i < symbols->mappings; i++)
		if (address >= symbols->mapping[i].from && address < symbols->mapping[i].to)
			return symbols->mapping[i].name;
	return "[unknown]";
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->count; i++)
		free(symbols->symbol[i].name);
	for (size_t i = 0; i < symbols->mappings; i++)
		free(symbols->mapping[i].name);
	free(symbols->symbol);
	free(symbols->mapping);
	free(symbols);
}
