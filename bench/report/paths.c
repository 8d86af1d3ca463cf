// SPDX-License-Identifier: MIT
#include "report/paths.h"

#include <math.h>
#include <string.h>

#include "analysis/counts.h"
#include "report/counted.h"

const char *const path_kind_names[] = { "copy", "by reference", "DMA" };

const char *path_bytes(double bytes, char out[static FORMAT_MAX])
{
	if (!isfinite(bytes))
		return strcpy(out, "?");
	if (bytes < 1e4)
		snprintf(out, FORMAT_MAX, "%.0f B", bytes);
	else if (bytes < 1e15)
		snprintf(out, FORMAT_MAX, "%.*f MB", bytes < 1e6 ? 3 : 1, bytes / 1e6);
	else
		snprintf(out, FORMAT_MAX, "%.3g B", bytes);
	return out;
}

const char *path_place_name(const struct path *path, enum path_place place)
{
	static const char *const names[PATH_PLACES] = {
		[PATH_DISK] = "disk",	       [PATH_CACHE] = "page cache",
		[PATH_KERNEL] = "kernel pages", [PATH_SOCKET] = "socket buffer",
		[PATH_RECEIVER] = "receiver",
	};

	return place == PATH_USER ? path->user_name :
	       place == PATH_WIRE ? path->wire_name :
				    names[place];
}

static struct path_step *add(struct path *path, enum path_place from, enum path_place to,
			     enum path_kind kind, double bytes)
{
	/* there are fewer rules below than places in the list */
	struct path_step *step = &path->step[path->count];

	if (path->count + 1 < PATH_STEPS_MAX)
		path->count++;
	*step = (struct path_step){ .from = from, .to = to, .kind = kind, .bytes = bytes };
	return step;
}

static void reason_from(struct path_step *step, const struct case_result *c, const char *site)
{
	if (isnan(step->bytes))
		reason_short(copy_reason(c, site), step->reason);
}

static void texts_copy(struct path_step *step, unsigned int copies, const struct case_result *c)
{
	char bytes[FORMAT_MAX];

	if (copies)
		snprintf(step->texts, sizeof(step->texts), "copy %.40s",
			 path_bytes(copies * (double)c->payload, bytes));
	else
		snprintf(step->texts, sizeof(step->texts), "no copy");
}

/* A copy that was counted, could not be, or that the texts have; a step that nobody speaks of is left out. */
static void add_copy(struct path *path, const struct case_result *c, const char *site,
		     enum path_place from, enum path_place to, unsigned int texts)
{
	double bytes = copied_bytes(c, site);
	struct path_step *step;

	if (!texts && (bytes == 0 || (isnan(bytes) && !counted_case(c))))
		return;
	step = add(path, from, to, PATH_COPY, bytes);
	reason_from(step, c, site);
	texts_copy(step, texts, c);
}

/* Do the bytes lie in a buffer of the sender's own, filled by it or by the device? */
static bool buffered(const struct method *m, const struct case_result *c)
{
	return m->flags & METHOD_USER_BUFFER || m->textbook.file_to_user ||
	       copied_bytes(c, "file_to_user") > 0 || copied_bytes(c, "disk_to_user") > 0;
}

static void add_disk(struct path *path, const struct method *m, const struct case_result *c)
{
	double past = copied_bytes(c, "disk_to_user"), into = copied_bytes(c, "disk_to_page_cache");
	bool direct = m->flags & METHOD_BYPASSES_PAGE_CACHE;
	struct path_step *step;

	if (past > 0 || (direct && !(past == 0))) {
		step = add(path, PATH_DISK, PATH_USER, PATH_DMA, past);
		reason_from(step, c, "disk_to_user");
	}
	/* a warm file was in the page cache: 0 bytes, and that is the point */
	if (!direct || into > 0) {
		step = add(path, PATH_DISK, PATH_CACHE, PATH_DMA, into);
		reason_from(step, c, "disk_to_page_cache");
	}
}

static void add_reference(struct path *path, const struct method *m, const struct case_result *c)
{
	double lent = copied_bytes(c, "by_reference");
	unsigned int texts = m->textbook.file_to_socket;
	struct path_step *step;

	if (!texts && (lent == 0 || (isnan(lent) && !counted_case(c))))
		return;
	step = add(path, buffered(m, c) ? PATH_USER : PATH_CACHE, PATH_SOCKET, PATH_REFERENCE, lent);
	reason_from(step, c, "by_reference");
	texts_copy(step, texts, c);
}

static void add_sender(struct path *path, const struct method *m, const struct case_result *c)
{
	double to_socket = copied_bytes(c, "user_to_socket");
	double to_kernel = copied_bytes(c, "file_to_kernel");

	add_copy(path, c, "file_to_user", PATH_CACHE, PATH_USER, m->textbook.file_to_user);
	if (!buffered(m, c) && to_socket > 0) {
		/* written from memory that nobody copied into: the file's own pages, mapped */
		struct path_step *step = add(path, PATH_CACHE, PATH_USER, PATH_REFERENCE, to_socket);

		path->user_name = "mapped file";
		snprintf(step->texts, sizeof(step->texts), "no copy");
	}
	add_copy(path, c, "file_to_kernel", PATH_CACHE, PATH_KERNEL, 0);
	if (to_kernel > 0)
		add(path, PATH_KERNEL, PATH_SOCKET, PATH_REFERENCE, to_kernel);
	add_copy(path, c, "user_to_socket", PATH_USER, PATH_SOCKET, m->textbook.user_to_socket);
	add_reference(path, m, c);
	add_copy(path, c, "deferred", PATH_SOCKET, PATH_SOCKET, 0);
}

static void add_receiver(struct path *path, const struct case_result *c)
{
	bool loopback = !strcmp(c->link, "tcp");
	double linearized = copied_bytes(c, "linearized");
	struct path_step *step;

	/* a device without scatter-gather gets its packets copied into one piece */
	if (linearized > 0)
		add(path, PATH_SOCKET, PATH_WIRE, PATH_COPY, linearized);
	/* what arrived is known from the case having gone well; loopback passes the socket buffers on as they are */
	step = add(path, PATH_SOCKET, PATH_WIRE, PATH_REFERENCE,
		   c->status == CASE_OK && loopback ? (double)c->payload : (double)NAN);
	if (isnan(step->bytes))
		snprintf(step->reason, sizeof(step->reason), "%s",
			 c->status == CASE_OK ? "no probe watches this link's own moves" :
						"the case was not measured");
	step = add(path, PATH_WIRE, PATH_RECEIVER, PATH_COPY, copied_bytes(c, "socket_to_user"));
	reason_from(step, c, "socket_to_user");
}

void path_find(const struct method *m, const struct case_result *c, struct path *out)
{
	double chunks = rounds_of(c);

	*out = (struct path){ .user_name = "user buffer" };
	snprintf(out->wire_name, sizeof(out->wire_name), "%.30s",
		 strcmp(c->link, "tcp") ? c->link : "loopback");
	add_disk(out, m, c);
	add_sender(out, m, c);
	add_receiver(out, c);
	if (!(chunks > 0))
		chunks = NAN;
	out->calls = count_of(c, "syscalls", NULL) / chunks;
	out->crossings = count_of(c, "crossings", NULL) / chunks;
	out->switches = (count_of(c, "context_switches_voluntary", NULL) +
			 count_of(c, "context_switches_involuntary", NULL)) /
			chunks;
	for (size_t i = 0; i < 3 && m->textbook.calls[i].name; i++)
		out->texts_calls += m->textbook.calls[i].per_chunk;
}

const char *path_figures(const struct path *path, char *out, size_t size)
{
	char calls[FORMAT_MAX], crossings[FORMAT_MAX], switches[FORMAT_MAX];

	snprintf(out, size,
		 "per chunk: system calls %.40s (texts %g), crossings %.40s (texts %g), context "
		 "switches %.40s",
		 format_number(path->calls, calls), path->texts_calls,
		 format_number(path->crossings, crossings), 2 * path->texts_calls,
		 format_number(path->switches, switches));
	return out;
}

/* `text` and blanks up to `width` columns */
static void put_padded(FILE *out, const char *text, size_t width)
{
	size_t columns = text_width(text);

	put_plain(out, text);
	fprintf(out, "%*s", columns < width ? (int)(width - columns) : 0, "");
}

void path_print(const struct path *path, FILE *out)
{
	static const char *const tails[] = { "══", "──", "··" };
	static const char *const heads[] = { "══▶", "──▷", "··▷" };
	char bytes[FORMAT_MAX], label[FORMAT_MAX + 32], figures[400];

	for (size_t i = 0; i < path->count; i++) {
		const struct path_step *s = &path->step[i];

		fputs("  ", out);
		put_padded(out, path_place_name(path, s->from), 14);
		snprintf(label, sizeof(label), "%s %s", path_kind_names[s->kind],
			 path_bytes(s->bytes, bytes));
		fprintf(out, "%s ", tails[s->kind]);
		put_padded(out, label, 22);
		fprintf(out, " %s ", heads[s->kind]);
		put_padded(out, path_place_name(path, s->to), s->texts[0] || s->reason[0] ? 14 : 0);
		if (s->texts[0])
			fprintf(out, " texts: %s", s->texts);
		if (s->reason[0]) {
			fputs(" ?: ", out);
			put_plain(out, s->reason);
		}
		putc('\n', out);
	}
	fputs("  ", out);
	put_wrapped(out, path_figures(path, figures, sizeof(figures)), 2, 98);
	putc('\n', out);
}
