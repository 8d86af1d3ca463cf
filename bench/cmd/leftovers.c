// SPDX-License-Identifier: MIT
#include "cmd/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <jansson.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "result/result.h"
#include "transfer/payload.h"

/* What bears this prefix on the machine is ours: namespaces, mounts, loop devices' files, pinned objects. */
#define OURS "copytax-*"

struct search {
	bool remove;
	unsigned int found, kept; /* kept: could not be removed */
};

/* One line per thing; `removed` is 0 or -errno, asked for only when things are to be removed. */
static void tell(struct search *s, const char *what, const char *name, int removed)
{
	s->found++;
	if (!s->remove) {
		printf("  %s: %s\n", what, name);
		return;
	}
	if (removed)
		s->kept++;
	printf("  %s: %s%s%s\n", what, name, removed ? ": can't be removed: " : ": removed",
	       removed ? strerror(-removed) : "");
}

static int done(int result)
{
	return result ? -errno : 0;
}

/* A payload that --keep-payload left on purpose: the result beside it says so, and that it was finished. */
static bool kept_on_purpose(int dirfd)
{
	int fd = openat(dirfd, RESULT_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	json_t *doc, *run, *word;
	bool kept = false;
	size_t i;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	doc = json_loadf(file, 0, NULL);
	run = json_object_get(doc, "run");
	json_array_foreach(json_object_get(run, "argv"), i, word)
		kept |= json_is_string(word) && !strcmp(json_string_value(word), "--keep-payload");
	kept &= json_is_false(json_object_get(run, "interrupted"));
	json_decref(doc);
	fclose(file);
	return kept;
}

static bool made_by_us(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	/* a hole takes no room and holds nothing, so nothing is lost with it either */
	bool made = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
		    (!st.st_blocks || payload_is_made(fd));

	if (fd >= 0)
		close(fd);
	return made;
}

static bool is_payload_name(const char *name)
{
	return !strcmp(name, "payload.bin") || !strcmp(name, "payload-cold.bin") ||
	       !fnmatch("copytax-payload-[0-9]*.bin", name, 0) ||
	       !fnmatch("copytax-calibrate-[0-9]*.bin", name, 0);
}

/* A folder with a file for each connection (--files many). */
static bool is_payload_folder(const char *name)
{
	return !strcmp(name, "payload") || !fnmatch("copytax-payload-[0-9]*", name, 0);
}

/* Half-written documents and calibration's file: names that nobody else uses, with a leading dot. */
static bool is_temporary_name(const char *name)
{
	return !strcmp(name, "." RESULT_FILE ".new") || !strcmp(name, ".hyperfine.json.new") ||
	       !fnmatch(".copytax-??????", name, FNM_PERIOD) ||
	       !fnmatch(".copytax-trial-[0-9]*", name, FNM_PERIOD);
}

/* The disk of a file system that was made for a study (make filesystems). */
static bool is_image_name(const char *name)
{
	return !fnmatch("copytax-[0-9]*.img", name, 0);
}

/* Where it was mounted: in a mount namespace that ended with its last process, so for us it is empty. */
static bool is_mount_point(int dirfd, const char *name)
{
	const char *digits = name + strlen("copytax-");
	int fd = fnmatch("copytax-[0-9]*", name, 0) || digits[strspn(digits, "0123456789")]
			 ? -1
			 : openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool empty = dir != NULL;

	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (dir)
		closedir(dir);
	return empty;
}

/* What scripts and reports put aside while they work; the last six letters are mkdtemp()'s. */
static bool is_working_folder(const char *name)
{
	return !fnmatch(".copytax-peers-??????", name, FNM_PERIOD) ||
	       !fnmatch("copytax-hyperfine.??????", name, 0) ||
	       !fnmatch("copytax-data.??????", name, 0) ||
	       !fnmatch("copytax-trend.??????", name, 0);
}

/* A folder and everything in it; links are removed, not followed. */
static int remove_tree(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0))
			err = errno == EISDIR ? remove_tree(fd, entry->d_name) : -errno;
	}
	closedir(dir);
	return err ? err : done(unlinkat(at, name, AT_REMOVEDIR));
}

/* In a folder that others use too, what is theirs is left alone. */
static void search_temporary(struct search *s)
{
	const char *tmp = getenv("TMPDIR");
	const char *path = tmp && tmp[0] ? tmp : "/tmp";
	DIR *dir = opendir(path);
	struct dirent *entry;
	char full[PATH_MAX];
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		if (!is_working_folder(entry->d_name) ||
		    snprintf(full, sizeof(full), "%s/%s", path, entry->d_name) >=
			    (int)sizeof(full) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		tell(s, "working folder", full,
		     s->remove ? remove_tree(dirfd(dir), entry->d_name) : 0);
	}
	if (dir)
		closedir(dir);
}

/* Its files, and then the folder itself, if nothing else is in it. */
static void search_payload_folder(struct search *s, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int ours = 0, others = 0;
	int err = 0;

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fnmatch("[0-9][0-9][0-9][0-9]*.bin", entry->d_name, 0) ||
		    !made_by_us(dirfd(dir), entry->d_name)) {
			others++;
			continue;
		}
		ours++;
		if (s->remove && !err)
			err = done(unlinkat(dirfd(dir), entry->d_name, 0));
	}
	if (dir)
		closedir(dir);
	if (!ours)
		return;
	if (s->remove && !err && !others)
		err = done(rmdir(path));
	tell(s, "folder of payloads", path, err);
}

static void search_files(struct search *s, const char *path, unsigned int deeper)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char full[PATH_MAX];
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") ||
		    snprintf(full, sizeof(full), "%s/%s", path, name) >= (int)sizeof(full) ||
		    fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISDIR(st.st_mode) && is_payload_folder(name))
			search_payload_folder(s, full);
		else if (S_ISDIR(st.st_mode) && is_working_folder(name) && st.st_uid == geteuid())
			tell(s, "working folder", full,
			     s->remove ? remove_tree(dirfd(dir), name) : 0);
		else if (S_ISDIR(st.st_mode) && is_mount_point(dirfd(dir), name))
			tell(s, "mount point", full,
			     s->remove ? done(unlinkat(dirfd(dir), name, AT_REMOVEDIR)) : 0);
		else if (S_ISDIR(st.st_mode) && deeper && name[0] != '.')
			search_files(s, full, deeper - 1);
		if (!S_ISREG(st.st_mode) ||
		    !(is_temporary_name(name) || is_image_name(name) ||
		      (is_payload_name(name) && made_by_us(dirfd(dir), name) &&
		       !kept_on_purpose(dirfd(dir)))))
			continue;
		tell(s,
		     is_payload_name(name) ? "payload"
		     : is_image_name(name) ? "disk image"
					   : "temporary file",
		     full, s->remove ? done(unlinkat(dirfd(dir), name, 0)) : 0);
	}
	if (dir)
		closedir(dir);
}

/* Entries of a folder of the machine that bear our name. */
static void search_named(struct search *s, const char *folder, const char *what,
			 int (*drop)(const char *path))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char full[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (fnmatch(OURS, entry->d_name, 0) || snprintf(full, sizeof(full), "%s/%s", folder,
								entry->d_name) >= (int)sizeof(full))
			continue;
		tell(s, what, full, s->remove ? drop(full) : 0);
	}
	if (dir)
		closedir(dir);
}

/* As `ip netns delete`: the name is a mount of the namespace, which ends with its last user. */
static int drop_namespace(const char *path)
{
	(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	return done(unlink(path));
}

static int drop_pinned(const char *path)
{
	return unlink(path) && (errno != EISDIR || rmdir(path)) ? -errno : 0;
}

static bool ours_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !fnmatch(OURS, slash ? slash + 1 : path, 0);
}

static void search_mounts(struct search *s)
{
	FILE *file = fopen("/proc/self/mounts", "re");
	char line[2 * PATH_MAX], at[PATH_MAX], *found[64];
	size_t count = 0;

	/* read whole before anything is unmounted; a mount upon another comes later and goes first */
	while (file && count < 64 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %4095s", at) == 1 && ours_last(at) &&
		    strncmp(at, "/run/netns/", 11) != 0 && (found[count] = strdup(at)))
			count++;
	if (file)
		fclose(file);
	while (count) {
		tell(s, "mount", found[count - 1],
		     s->remove ? done(umount2(found[count - 1], MNT_DETACH | UMOUNT_NOFOLLOW)) : 0);
		free(found[--count]);
	}
}

static int drop_loop(const char *name)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/dev/%.32s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = done(ioctl(fd, LOOP_CLR_FD, 0));
	close(fd);
	return err;
}

static void search_loops(struct search *s)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[320], backing[PATH_MAX] = "";
		FILE *file;

		if (strncmp(entry->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (!fgets(backing, sizeof(backing), file))
			backing[0] = '\0';
		fclose(file);
		backing[strcspn(backing, "\n")] = '\0';
		if (ours_last(backing))
			tell(s, "loop device", entry->d_name,
			     s->remove ? drop_loop(entry->d_name) : 0);
	}
	if (dir)
		closedir(dir);
}

/* Another copytax; 0: none. A process named so that is the caller's child or itself does not count. */
static pid_t another_copytax(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t other = 0;

	while (dir && !other && (entry = readdir(dir))) {
		char path[64], name[32] = "";
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		FILE *file;

		if (pid <= 0 || pid == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strcmp(name, "copytax\n"))
			other = pid;
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return other;
}

int leftovers(const char *dir, bool remove, struct failure *why)
{
	struct search s = { .remove = remove };
	pid_t other = another_copytax();

	if (access(dir, R_OK | X_OK))
		return fail(why, EXIT_WRONG_USE, errno, "can't look into %s: %s", dir,
			    strerror(errno));
	if (other && remove)
		return fail(why, EXIT_MACHINE_CANT, EBUSY,
			    "another copytax is running (process %ld) and may use what looks left "
			    "over: ask again when it is done",
			    (long)other);
	if (other)
		printf("another copytax is running (process %ld): what is listed may be its own\n",
		       (long)other);
	/* DIR itself, DIR/NAME and DIR/results/NAME */
	search_files(&s, dir, 2);
	search_temporary(&s);
	search_named(&s, "/run/netns", "network namespace", drop_namespace);
	search_mounts(&s);
	search_loops(&s);
	search_named(&s, "/sys/fs/bpf", "pinned BPF object", drop_pinned);
	if (!s.found)
		printf("nothing is left over in %s, nor on this machine\n", dir);
	else if (!remove)
		printf("%u found; 'copytax doctor --leftovers --remove' removes them\n", s.found);
	if (s.kept)
		return fail(why, EXIT_MACHINE_CANT, EPERM, "%u of %u could not be removed", s.kept,
			    s.found);
	return 0;
}
