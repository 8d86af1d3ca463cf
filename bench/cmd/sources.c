// SPDX-License-Identifier: MIT
#include "cmd/sources.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "study/progress.h"
#include "study/study.h"
#include "transfer/payload.h"

static int make(const struct sources_wanted *w, const char *name, uint64_t size, char *path,
		struct failure *why)
{
	struct progress progress = progress_start(w->quiet);
	char text[SIZE_TEXT_MAX];
	int err;

	if (snprintf(path, PATH_MAX, "%s/%s", w->dir, name) >= PATH_MAX)
		return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path of --out is too long");
	if (w->again)
		(void)unlink(path);
	progress_show(&progress, true, -1, "writing a payload of %s to %s", size_format(size, text),
		      path);
	err = w->sparse ? payload_create_sparse(path, size, why) :
			  payload_create(path, size, w->seed, w->stop, why);
	progress_end(&progress);
	return err;
}

/* Is the folder of case `i` that of an earlier case too? */
static bool folder_is_new(const struct plan_case *cases, size_t i)
{
	if (cases[i].files != FILES_MANY)
		return false;
	for (size_t k = 0; k < i; k++)
		if (cases[k].files == FILES_MANY && cases[k].connections == cases[i].connections &&
		    plan_share(&cases[k]) == plan_share(&cases[i]))
			return false;
	return true;
}

static int make_folders(const struct sources_wanted *w, const struct plan_case *cases, size_t count,
			struct sources *s, struct failure *why)
{
	char path[PATH_MAX];
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		if (!folder_is_new(cases, i))
			continue;
		study_files(s->many, &cases[i], path, sizeof(path));
		if (w->again)
			payload_remove_many(path, cases[i].connections);
		err = payload_create_many(path, cases[i].connections, plan_share(&cases[i]), w->seed,
					  w->stop, why);
		if (!err)
			s->folders = i + 1;
	}
	return err;
}

static int use_file(const struct sources_wanted *w, const struct plan_case *cases, size_t count,
		    bool cold, struct sources *s, struct failure *why)
{
	uint64_t size;
	int err;

	if (strlen(w->file) >= sizeof(s->warm))
		return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path of --file is too long");
	strcpy(s->warm, w->file);
	strcpy(s->cold, w->file);
	err = payload_check(w->file, &size, why);
	for (size_t i = 0; i < count && !err; i++)
		if (cases[i].files == FILES_MANY)
			err = fail(why, EXIT_WRONG_USE, EINVAL,
				   "--files many makes its own files; it does not go with --file");
	if (!err && s->size > size)
		err = fail(why, EXIT_WRONG_USE, EINVAL,
			   "--size is larger than %s, which has %" PRIu64 " bytes", w->file, size);
	/* cold samples rebuild the cache by reading, so warm ones start from the same */
	if (!err && cold)
		(void)cache_set(s->warm, s->size, CACHE_COLD, NULL);
	return err;
}

int sources_make(const struct sources_wanted *w, const struct plan_case *cases, size_t count,
		 struct sources *s, struct failure *why)
{
	bool warm = false, cold = false;
	int err;

	for (size_t i = 0; i < count; i++) {
		*(cases[i].cache == CACHE_WARM ? &warm : &cold) = true;
		if (cases[i].size > s->size)
			s->size = cases[i].size;
	}
	if (w->file)
		return use_file(w, cases, count, cold, s, why);
	if (snprintf(s->many, sizeof(s->many), "%s/payload", w->dir) >= (int)sizeof(s->many))
		return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path of --out is too long");
	err = make(w, "payload.bin", s->size, s->warm, why);
	s->made_warm = !err;
	strcpy(s->cold, s->warm);
	if (!err && cold && warm) {
		err = make(w, "payload-cold.bin", s->size, s->cold, why);
		s->made_cold = !err;
	}
	return err ? err : make_folders(w, cases, count, s, why);
}

void sources_remove(const struct sources *s, const struct plan_case *cases, size_t count, bool keep)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < count && i < s->folders; i++)
		if (folder_is_new(cases, i)) {
			study_files(s->many, &cases[i], path, sizeof(path));
			payload_remove_many(path, cases[i].connections);
		}
	if (s->made_cold)
		unlink(s->cold);
	if (s->made_warm && !keep)
		unlink(s->warm);
}
