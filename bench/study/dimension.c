// SPDX-License-Identifier: MIT
#include "study/dimension.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "transfer/cache.h"
#include "transfer/placement.h"
#include "transfer/sink.h"
#include "transfer/veth.h"

#define LIST_MAX_BYTES 1024
#define NOT_APPLICABLE UINT64_MAX
#define BUFFER_MIN 4096u
#define MTU_MIN 576u
#define MTU_MAX 65535u

const struct dimension_info dimensions[DIMENSIONS] = {
	[DIM_SIZE] = { "size", "size", "payload sizes", "payload: the source file, bytes", true },
	[DIM_LINK] = { "link", "link", "links", "link", false },
	[DIM_CONNECTIONS] = { "connections", "connections", "connection counts",
			      "connections: threads of one sender", true },
	[DIM_EACH] = { "each", "each", "shares", "what each connection sends", false },
	[DIM_FILES] = { "files", "files", "file counts", "files behind the connections", false },
	[DIM_PLACEMENT] = { "placement", "placement", "placements", "placement", false },
	[DIM_CONGESTION] = { "cc", "congestion_control", "congestion controls",
			     "congestion control", false },
	[DIM_SNDBUF] = { "sndbuf", "sndbuf", "send buffer sizes", "send buffer asked for, bytes",
			 true },
	[DIM_RCVBUF] = { "rcvbuf", "rcvbuf", "receive buffer sizes",
			 "receive buffer asked for, bytes", true },
	[DIM_NODELAY] = { "nodelay", "nodelay", "settings of TCP_NODELAY", "TCP_NODELAY", false },
	[DIM_LEAD] = { "lead", "lead", "leads", "lead: bytes sent before the payload", false },
	[DIM_MTU] = { "mtu", "mtu", "MTUs", "MTU of the veth devices, bytes", true },
	[DIM_OFFLOAD] = { "offload", "offload", "settings of segmentation offload",
			  "segmentation offload of the veth devices", false },
	[DIM_GATHER] = { "scatter-gather", "scatter_gather", "settings of scatter-gather",
			 "scatter-gather of the veth devices", false },
	[DIM_CHUNK] = { "chunk", "chunk", "chunk sizes", "chunk: the most one call may move, bytes",
			true },
	[DIM_CACHE] = { "cache", "cache", "cache states", "page cache before each sample", false },
	[DIM_SINK] = { "sink", "sink", "sinks", "sink", false },
};

static const char *const each_names[] = { "share", "whole" };
static const char *const files_names[] = { "one", "many" };
static const char *const switch_names[] = { "off", "on" };

/* The words of a dimension that is an enumeration; NULL for others. */
static const char *const *words_of(enum dimension d, size_t *count)
{
	static const struct {
		const char *const *words;
		size_t count;
	} all[DIMENSIONS] = {
		[DIM_LINK] = { link_names, LINKS },
		[DIM_EACH] = { each_names, 2 },
		[DIM_FILES] = { files_names, 2 },
		[DIM_PLACEMENT] = { placement_names, PLACEMENTS },
		[DIM_NODELAY] = { switch_names, 2 },
		[DIM_OFFLOAD] = { switch_names, 2 },
		[DIM_GATHER] = { switch_names, 2 },
		[DIM_CACHE] = { cache_names, CACHES },
		[DIM_SINK] = { sink_names, SINKS },
	};

	*count = all[d].count;
	return all[d].words;
}

enum dimension dimension_find(const char *name)
{
	for (enum dimension d = 0; d < DIMENSIONS; d++)
		if (!strcmp(name, dimensions[d].name) || !strcmp(name, dimensions[d].key))
			return d;
	return DIMENSIONS;
}

static int wrong_word(enum dimension d, const char *text, struct failure *why)
{
	static const char *const singular[DIMENSIONS] = {
		[DIM_LINK] = "link",
		[DIM_EACH] = "share",
		[DIM_FILES] = "count of files",
		[DIM_PLACEMENT] = "placement",
		[DIM_CACHE] = "cache state",
		[DIM_SINK] = "sink",
	};
	const char *const *words;
	char known[128] = "";
	size_t count;

	words = words_of(d, &count);
	if (words == switch_names)
		return fail(why, EXIT_WRONG_USE, EINVAL, "--%s takes 'on' or 'off'",
			    dimensions[d].name);
	for (size_t i = 0; i < count; i++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i ? ", " : "",
			 words[i]);
	return fail(why, EXIT_WRONG_USE, EINVAL, "there is no %s '%s'; there are: %s", singular[d],
		    text, known);
}

static int take_size(enum dimension d, const char *text, uint64_t *out, struct failure *why)
{
	int err = size_parse(text, out);

	switch (d) {
	case DIM_SIZE:
		if (!err)
			return 0;
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no size: use a whole number and K, M, G or T", text);
	case DIM_MTU:
		if (!err && *out >= MTU_MIN && *out <= MTU_MAX)
			return 0;
		return fail(why, EXIT_WRONG_USE, EINVAL, "'%s' is no MTU: use %u to %u", text, MTU_MIN,
			    MTU_MAX);
	case DIM_LEAD:
		if (!err && *out <= LINK_LEAD_MAX)
			return 0;
		return fail(why, EXIT_WRONG_USE, EINVAL, "'%s' is no lead: use 0 to %u bytes", text,
			    LINK_LEAD_MAX);
	case DIM_CONNECTIONS:
		if (!err && *out && *out <= CONNECTIONS_MOST)
			return 0;
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no number of connections: use 1 to %d", text, CONNECTIONS_MOST);
	case DIM_SNDBUF:
	case DIM_RCVBUF:
		if (!strcmp(text, "auto")) {
			*out = 0;
			return 0;
		}
		if (!err && *out >= BUFFER_MIN && *out <= 1u << 30)
			return 0;
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no socket buffer size: use 4K to 1G, or 'auto'", text);
	default:
		if (!strcmp(text, "whole")) {
			*out = 0;
			return 0;
		}
		if (!err && *out >= CHUNK_MIN && *out <= CHUNK_MAX)
			return 0;
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no chunk size: use 4K to 1G (K, M, G are powers of 1024), or 'whole'",
			    text);
	}
}

static int take_value(enum dimension d, const char *text, union dimension_value *out,
		      struct failure *why)
{
	const char *const *words;
	size_t count;

	memset(out, 0, sizeof(*out));
	if (d == DIM_CONGESTION) {
		if (strlen(text) >= sizeof(out->name))
			return fail(why, EXIT_WRONG_USE, EINVAL,
				    "'%s' is no congestion control's name", text);
		if (strcmp(text, "default"))
			strcpy(out->name, text);
		return 0;
	}
	words = words_of(d, &count);
	if (!words)
		return take_size(d, text, &out->number, why);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(text, words[i])) {
			out->number = i;
			return 0;
		}
	return wrong_word(d, text, why);
}

/* Words stand in the order of their list whatever order they were said in; sizes as they were said. */
static void insert(struct dimension_list *list, bool sorted, const union dimension_value *value)
{
	size_t at = list->count;

	for (size_t i = 0; sorted && i < list->count; i++)
		if (list->value[i].number == value->number)
			return;
	for (; sorted && at && list->value[at - 1].number > value->number; at--)
		list->value[at] = list->value[at - 1];
	list->value[at] = *value;
	list->count++;
}

int dimension_parse(enum dimension d, struct dimension_list *list, const char *text,
		    struct failure *why)
{
	char copy[LIST_MAX_BYTES], *rest = copy, *item;
	union dimension_value value;
	size_t words;
	bool sorted = words_of(d, &words);
	int err = 0;

	list->count = 0;
	if (strlen(text) >= sizeof(copy))
		return fail(why, EXIT_WRONG_USE, EINVAL, "the list of %s is too long",
			    dimensions[d].plural);
	strcpy(copy, text);
	while (!err && (item = strsep(&rest, ","))) {
		if (!*item)
			return fail(why, EXIT_WRONG_USE, EINVAL,
				    "the list of %s '%s' has an empty item", dimensions[d].plural,
				    text);
		err = take_value(d, item, &value, why);
		if (!err && list->count == DIMENSION_VALUES_MAX)
			return fail(why, EXIT_WRONG_USE, EINVAL, "more than %d %s",
				    DIMENSION_VALUES_MAX, dimensions[d].plural);
		if (!err)
			insert(list, sorted, &value);
	}
	return err;
}

const char *dimension_format(enum dimension d, const union dimension_value *value,
			     char text[static DIMENSION_TEXT_MAX])
{
	const char *const *words;
	char size[SIZE_TEXT_MAX];
	size_t count;

	words = words_of(d, &count);
	if (d == DIM_CONGESTION)
		snprintf(text, DIMENSION_TEXT_MAX, "%s",
			 value->name[0] == '-' ? "-" : value->name[0] ? value->name : "default");
	else if (value->number == NOT_APPLICABLE)
		snprintf(text, DIMENSION_TEXT_MAX, "-");
	else if (words)
		snprintf(text, DIMENSION_TEXT_MAX, "%s",
			 value->number < count ? words[value->number] : "-");
	else if (d == DIM_CONNECTIONS || d == DIM_MTU || d == DIM_LEAD)
		snprintf(text, DIMENSION_TEXT_MAX, "%" PRIu64, value->number);
	else if (!value->number && d != DIM_SIZE)
		snprintf(text, DIMENSION_TEXT_MAX, "%s", d == DIM_CHUNK ? "whole" : "auto");
	else
		snprintf(text, DIMENSION_TEXT_MAX, "%s", size_format(value->number, size));
	return text;
}

json_t *dimension_json(enum dimension d, const union dimension_value *value)
{
	char text[DIMENSION_TEXT_MAX];
	const char *const *words;
	size_t count;

	words = words_of(d, &count);
	dimension_format(d, value, text);
	if (!strcmp(text, "-"))
		return json_null();
	if (words == switch_names)
		return json_boolean(value->number);
	if (words || d == DIM_CONGESTION || !strcmp(text, "auto"))
		return json_string(text);
	return json_integer((json_int_t)value->number);
}

union dimension_value dimension_default(enum dimension d)
{
	static const union dimension_value defaults[DIMENSIONS] = {
		[DIM_SIZE] = { PAYLOAD_DEFAULT },
		[DIM_LINK] = { LINK_TCP },
		[DIM_CONNECTIONS] = { 1 },
		[DIM_EACH] = { EACH_SHARE },
		[DIM_FILES] = { FILES_ONE },
		[DIM_PLACEMENT] = { PLACE_CORES },
		[DIM_CONGESTION] = { .name = "reno" },
		[DIM_SNDBUF] = { 1u << 20 },
		[DIM_RCVBUF] = { 128u << 10 },
		[DIM_NODELAY] = { 0 },
		[DIM_LEAD] = { LINK_LEAD_DEFAULT },
		[DIM_MTU] = { VETH_MTU_DEFAULT },
		[DIM_OFFLOAD] = { 1 },
		[DIM_GATHER] = { 1 },
		[DIM_CHUNK] = { CHUNK_DEFAULT },
		[DIM_CACHE] = { CACHE_WARM },
		[DIM_SINK] = { SINK_DRAIN },
	};

	return defaults[d];
}

bool dimension_equal(const union dimension_value *a, const union dimension_value *b)
{
	size_t rest = sizeof(a->number);

	return a->number == b->number &&
	       !memcmp(a->name + rest, b->name + rest, sizeof(a->name) - rest);
}

void dimension_settle(union dimension_value at[static DIMENSIONS])
{
	static const union dimension_value none = { NOT_APPLICABLE }, no_name = { .name = "-" };
	enum link_kind link = (enum link_kind)at[DIM_LINK].number;

	if (at[DIM_CONNECTIONS].number == 1)
		at[DIM_EACH] = at[DIM_FILES] = none;
	if (link != LINK_VETH)
		at[DIM_MTU] = at[DIM_OFFLOAD] = at[DIM_GATHER] = none;
	/* the kernel turns segmentation off with scatter-gather */
	else if (!at[DIM_GATHER].number)
		at[DIM_OFFLOAD].number = 0;
	/* a stream of AF_UNIX gets new pages for every write; to another host the connection's token goes first */
	if (link == LINK_UNIX || link == LINK_REMOTE)
		at[DIM_LEAD] = none;
	if (link == LINK_UNIX) {
		at[DIM_CONGESTION] = no_name;
		at[DIM_NODELAY] = none;
	}
}
