// SPDX-License-Identifier: MIT
#include "measure/splice_path.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "splice_read.h"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "splice_path.skel.h"
#pragma GCC diagnostic pop

#define S_DAX_BIT (1u << 13) /* include/linux/fs.h */

/* Each ends in filemap_splice_read (or, before 6.5, generic_file_splice_read): pages, no copy. */
static const char *const by_reference[] = {
	"filemap_splice_read", "ext4_file_splice_read", "xfs_file_splice_read",
	"shmem_file_splice_read",
};

static bool before_6_5(void)
{
	unsigned int major, minor;
	struct utsname name;

	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 5));
}

static int read_path(int fd, struct splice_path *out)
{
	struct splice_path_bpf *skel = splice_path_bpf__open();
	struct bpf_link *link;
	int iter = -1, err = -errno;
	ssize_t n = 0;

	if (!skel)
		return err;
	skel->rodata->wanted_tgid = getpid();
	skel->rodata->wanted_fd = (uint32_t)fd;
	err = splice_path_bpf__load(skel);
	if (err)
		goto out;
	link = bpf_program__attach_iter(skel->progs.splice_path, NULL);
	if (!link) {
		err = -errno;
		goto out;
	}
	iter = bpf_iter_create(bpf_link__fd(link));
	if (iter < 0) {
		err = -errno;
	} else {
		n = read(iter, out, sizeof(*out));
		err = n == sizeof(*out) ? 0 : -ENODATA;
		close(iter);
	}
	bpf_link__destroy(link);
out:
	splice_path_bpf__destroy(skel);
	return err;
}

static bool symbol_at(uint64_t address, char *name, size_t size)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long at;
	char line[256], symbol[128];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %*c %127s", &at, symbol) == 2 && at && at == address) {
			snprintf(name, size, "%s", symbol);
			found = true;
		}
	if (file)
		fclose(file);
	return found;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

bool splice_path_references(int fd, char *how, size_t size)
{
	libbpf_print_fn_t before;
	struct splice_path path = { 0 };
	char name[128];
	int err;

	if (before_6_5()) {
		snprintf(how, size, "before Linux 6.5 a splice read has no copying path");
		return true;
	}
	before = libbpf_set_print(silent);
	err = read_path(fd, &path);
	libbpf_set_print(before);
	if (err) {
		snprintf(how, size, "the file's splice_read can't be read: %s", strerror(-err));
		return false;
	}
	if (!symbol_at(path.splice_read, name, sizeof(name))) {
		snprintf(how, size,
			 "the file's splice_read has no name in /proc/kallsyms (kernel.kptr_restrict)");
		return false;
	}
	if (path.file_flags & O_DIRECT || path.inode_flags & S_DAX_BIT) {
		snprintf(how, size, "the file is open for direct I/O or on DAX: splicing it copies");
		return false;
	}
	for (size_t i = 0; i < sizeof(by_reference) / sizeof(by_reference[0]); i++)
		if (!strcmp(name, by_reference[i])) {
			snprintf(how, size, "the file's splice_read is %s, which hands over pages", name);
			return true;
		}
	snprintf(how, size, "the file's splice_read is %s, which may copy", name);
	return false;
}
