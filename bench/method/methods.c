// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "method/method.h"

extern const struct method method_read_write, method_mmap_write, method_sendfile, method_splice,
	method_direct_write, method_mmap_populate, method_mmap_sequential, method_mmap_hugepage,
	method_preadv2_dontcache, method_vmsplice, method_zerocopy, method_read_zerocopy,
	method_uring_read_send, method_uring_splice, method_uring_send_zc,
	method_uring_read_send_sqpoll, method_uring_splice_sqpoll, method_uring_send_zc_sqpoll;

const struct method *const methods[] = {
	&method_read_write,
	&method_mmap_write,
	&method_sendfile,
	&method_splice,
	&method_direct_write,
	&method_mmap_populate,
	&method_mmap_sequential,
	&method_mmap_hugepage,
	&method_preadv2_dontcache,
	&method_vmsplice,
	&method_zerocopy,
	&method_read_zerocopy,
	&method_uring_read_send,
	&method_uring_splice,
	&method_uring_send_zc,
	&method_uring_read_send_sqpoll,
	&method_uring_splice_sqpoll,
	&method_uring_send_zc_sqpoll,
	NULL,
};

void method_figure_set(struct job *job, const char *name, double value)
{
	for (size_t i = 0; i < METHOD_FIGURES_MAX; i++) {
		struct method_figure *f = &job->figures[i];

		if (f->name[0] && strncmp(f->name, name, sizeof(f->name) - 1))
			continue;
		snprintf(f->name, sizeof(f->name), "%s", name);
		f->value = value;
		return;
	}
}

int method_feasible(const struct method *method, bool warm, bool tcp, char *reason,
		    size_t reason_size)
{
	if (method->flags & METHOD_FILLS_CACHE && !warm) {
		snprintf(reason, reason_size,
			 "its set-up reads the whole file before the clock starts, so nothing is cold then; use --cache warm");
		return -ENOTSUP;
	}
	if (method->flags & METHOD_ZEROCOPY && !tcp) {
		snprintf(reason, reason_size,
			 "only TCP sockets send by reference from user memory; use --link tcp or veth");
		return -ENOTSUP;
	}
	return 0;
}

const struct method *method_find(const char *name)
{
	for (size_t i = 0; methods[i]; i++)
		if (!strcmp(methods[i]->name, name))
			return methods[i];
	return NULL;
}
