// SPDX-License-Identifier: MIT
#include "analysis/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int folded_add(struct folded *folded, const char *stack, uint64_t count)
{
	if (folded->count == folded->capacity) {
		size_t capacity = folded->capacity ? 2 * folded->capacity : 256;
		struct folded_line *grown = reallocarray(folded->line, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		folded->line = grown;
		folded->capacity = capacity;
	}
	folded->line[folded->count].stack = strdup(stack);
	if (!folded->line[folded->count].stack)
		return -ENOMEM;
	folded->line[folded->count++].count = count;
	folded->samples += count;
	return 0;
}

static int by_stack(const void *a, const void *b)
{
	return strcmp(((const struct folded_line *)a)->stack, ((const struct folded_line *)b)->stack);
}

void folded_merge(struct folded *folded)
{
	size_t kept = 0;

	if (!folded->count)
		return;
	qsort(folded->line, folded->count, sizeof(*folded->line), by_stack);
	for (size_t i = 1; i < folded->count; i++) {
		if (!strcmp(folded->line[kept].stack, folded->line[i].stack)) {
			folded->line[kept].count += folded->line[i].count;
			free(folded->line[i].stack);
		} else {
			folded->line[++kept] = folded->line[i];
		}
	}
	folded->count = kept + 1;
}

int folded_read(struct folded *folded, FILE *file)
{
	char line[FOLDED_LINE_MAX];

	while (fgets(line, sizeof(line), file)) {
		char *blank, *end;
		uint64_t count;
		int err;

		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		blank = strrchr(line, ' ');
		if (!blank || blank == line)
			return -EINVAL;
		errno = 0;
		count = strtoull(blank + 1, &end, 10);
		if (errno || end == blank + 1 || *end)
			return -EINVAL;
		*blank = '\0';
		err = folded_add(folded, line, count);
		if (err)
			return err;
	}
	return ferror(file) ? -EIO : 0;
}

int folded_write(const struct folded *folded, FILE *file)
{
	for (size_t i = 0; i < folded->count; i++)
		if (fprintf(file, "%s %" PRIu64 "\n", folded->line[i].stack, folded->line[i].count) < 0)
			return -errno;
	return 0;
}

void folded_free(struct folded *folded)
{
	for (size_t i = 0; i < folded->count; i++)
		free(folded->line[i].stack);
	free(folded->line);
	*folded = (struct folded){ 0 };
}
