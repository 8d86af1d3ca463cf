/* SPDX-License-Identifier: MIT */
/* What cppcheck must know of libraries' macros that look like statements; it does not read their headers. */
#define json_object_foreach(object, key, value) \
	for (key = json_key(object); key && (value = json_value(key)); key = json_next(object, key))
#define json_array_foreach(array, index, value) \
	for (index = 0; index < json_array_size(array) && (value = json_array_get(array, index)); index++)
#define LIBBPF_OPTS(TYPE, NAME, ...) struct TYPE NAME = { .sz = sizeof(struct TYPE), __VA_ARGS__ }
#define DECLARE_LIBBPF_OPTS LIBBPF_OPTS
