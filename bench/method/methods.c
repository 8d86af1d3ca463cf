// SPDX-License-Identifier: MIT
#include <string.h>

#include "method/method.h"

extern const struct method method_read_write, method_mmap_write, method_sendfile, method_splice,
	method_direct_write;

const struct method *const methods[] = {
	&method_read_write,
	&method_mmap_write,
	&method_sendfile,
	&method_splice,
	&method_direct_write,
	NULL,
};

const struct method *method_find(const char *name)
{
	for (size_t i = 0; methods[i]; i++)
		if (!strcmp(methods[i]->name, name))
			return methods[i];
	return NULL;
}
