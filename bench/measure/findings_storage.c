// SPDX-License-Identifier: MIT
/* Room, the file and its device, and the pipe. */
#include "measure/findings_ground.h"

#include <stdio.h>
#include <string.h>

#include "measure/fact.h"

/* Nobody to ask, or nobody at work: fine. */
void judge_proactive_reclaim(const struct ground *g, struct finding *f)
{
	const char *state = ground_text(g, "memory.damon");

	f->effect = "Pages of the payload that nobody touched for a while leave the page cache "
		    "during the run. copytax then reads the payload anew before the sample, into "
		    "folios of other sizes, which changes mmap's faults and sendfile's pieces.";
	/* "off" is the reason when there is no monitor to ask; any other is of a state that is not known */
	if (!state[0] && strcmp(fact_reason(g->host, "memory.damon"), "off") != 0) {
		(void)ground_need(g, f, "memory.damon");
		return;
	}
	if (strcmp(state, "on") != 0) {
		finding_say(f, FINDING_OK, "no DAMON monitor reclaims memory");
		return;
	}
	finding_say(f, FINDING_NOTE, "a DAMON monitor is on and may reclaim page cache");
	finding_change(f, "echo off > /sys/kernel/mm/damon/admin/kdamonds/0/state");
}

void judge_free_page_reporting(const struct ground *g, struct finding *f)
{
	f->effect = "What is allocated next waits until the host has found memory again, on its own CPU "
		    "time: a file that is read into the page cache cost five times as much for it. copytax touches "
		    "as much memory before each cold sample and lets it go just before the clock; programs "
		    "that don't, pay.";
	if (!ground_need(g, f, "memory.free_page_reporting"))
		return;
	if (strcmp(ground_text(g, "memory.free_page_reporting"), "on") != 0) {
		f->effect = "";
		finding_say(f, FINDING_OK, "no virtio balloon reports it to a host");
		return;
	}
	finding_say(f, FINDING_NOTE, "the host takes it back two seconds after it was freed (virtio balloon, free page reporting)");
	finding_change(f, "on the host: a balloon without free-page-reporting");
}

void judge_page_cache_room(const struct ground *g, struct finding *f)
{
	const json_t *limit = fact_value(g->host, "memory.limit_bytes");
	double need_bytes = (double)g->plan->payload_bytes, room;
	const char *where = "available";

	f->effect = "A warm case needs the whole payload in the page cache. What is evicted is "
		    "read from the disk in mid-transfer.";
	if (!ground_need_number(g, f, "memory.available_bytes", &room))
		return;
	if (json_is_number(limit) && json_number_value(limit) < room) {
		room = json_number_value(limit);
		where = "allowed by the control group";
	}
	/* a fifth for everything else: below that, reclaim starts to work */
	if (need_bytes <= 0.8 * room) {
		finding_say(f, FINDING_OK, "payload of %.0f MiB, %.0f MiB %s", need_bytes / MIB, room / MIB,
		    where);
		return;
	}
	finding_say(f, FINDING_WARN, "payload of %.0f MiB, but only %.0f MiB %s", need_bytes / MIB,
	    room / MIB, where);
	finding_change(f, "--size %.0fM, or leave out the warm cases: --cache cold", 0.5 * room / MIB);
}

void judge_disk_room(const struct ground *g, struct finding *f)
{
	double need_bytes =
		       (double)(g->plan->disk_bytes ? g->plan->disk_bytes : g->plan->payload_bytes),
	       room;
	const json_t *there = fact_value(g->host, "storage.payload_bytes");

	f->effect = "The payload can't be made.";
	if (there && json_number_value(there) >= (double)g->plan->payload_bytes) {
		finding_say(f, FINDING_OK, "none needed: the payload is there");
		return;
	}
	if (!ground_need_number(g, f, "storage.free_bytes", &room))
		return;
	if (room >= need_bytes) {
		finding_say(f, FINDING_OK, "%.0f MiB free, %.0f MiB will be written", room / MIB,
		    need_bytes / MIB);
		return;
	}
	finding_say(f, FINDING_WARN, "%.0f MiB free, but %.0f MiB would have to be written", room / MIB,
	    need_bytes / MIB);
	finding_change(f, "--size %.0fM, or a file system with more room",
	       0.8 * room / need_bytes * (double)g->plan->payload_bytes / MIB);
}

void judge_file_system(const struct ground *g, struct finding *f)
{
	static const char *const plain[] = { "ext4", "xfs",  "btrfs",	"f2fs",
					     "ext3", "ext2", "bcachefs" };
	static const char *const memory[] = { "tmpfs", "ramfs", "hugetlbfs" };
	const json_t *options = fact_value(g->host, "storage.mount_options");
	const char *name = ground_need_text(g, f, "storage.file_system");
	size_t i;

	f->effect = "";
	if (!name)
		return;
	for (i = 0; i < json_array_size(options); i++) {
		const char *option = json_string_value(json_array_get(options, i));

		if (!option ||
		    (strncmp(option, "compress", 8) != 0 && strncmp(option, "dax", 3) != 0) ||
		    !strcmp(option, "dax=never") || !strcmp(option, "dax=inode"))
			continue;
		f->effect = option[0] == 'c'
				    ? "Cold reads decompress, and direct reads of compressed data "
				      "go through the page cache after all."
				    : "There is no page cache: file data is read from the medium "
				      "itself, and warm and cold mean nothing.";
		finding_say(f, FINDING_WARN, "%s, mounted with %s", name, option);
		finding_change(f, "--dir on a file system mounted without %s", option);
		return;
	}
	if (ground_one_of(name, plain, COUNT(plain))) {
		finding_say(f, FINDING_OK, "%s", name);
		return;
	}
	finding_change(f, "--dir on ext4 or xfs");
	if (ground_one_of(name, memory, COUNT(memory))) {
		f->effect = "The file is the page cache: it can't be cold, direct I/O is refused "
			    "or only pretended, and reads take another path through the kernel "
			    "than from a disk.";
		finding_say(f, FINDING_WARN, "%s", name);
	} else if (!strcmp(name, "zfs")) {
		f->effect = "ZFS keeps a cache of its own beside the page cache: read copies from "
			    "there, mmap and sendfile first fill the page cache, and dropping the "
			    "latter makes nothing cold.";
		finding_say(f, FINDING_WARN, "zfs");
	} else if (!strncmp(name, "nfs", 3) || !strncmp(name, "fuse", 4) ||
		   !strncmp(name, "9p", 2) || !strcmp(name, "cifs") || !strcmp(name, "smb3") ||
		   !strcmp(name, "virtiofs") || !strcmp(name, "ceph")) {
		f->effect = "Another machine or process answers for the file: cold and direct "
			    "cases measure that, and how much is cached here is that file system's "
			    "own choice.";
		finding_say(f, FINDING_WARN, "%s", name);
	} else {
		f->effect =
			"Some layered file systems pass reads on to another one: each call then "
			"goes through two, and sendfile and splice may fall back to copying.";
		finding_say(f, FINDING_NOTE, "%s", name);
	}
}

void judge_direct_io(const struct ground *g, struct finding *f)
{
	const char *state = ground_need_text(g, f, "storage.direct_io");
	const json_t *bypasses = fact_value(g->host, "storage.direct_io_bypasses_cache");
	double align = json_number_value(fact_value(g->host, "storage.direct_io_alignment"));

	f->effect = "direct_write can't be measured here.";
	if (!state)
		return;
	if (strcmp(state, "works") != 0) {
		finding_say(f, FINDING_WARN, "O_DIRECT %s on %s", state, ground_text(g, "storage.file_system"));
		finding_change(f, "--dir on ext4 or xfs");
	} else if (json_is_false(bypasses)) {
		f->effect = "A direct read left pages in the page cache: direct_write here is a "
			    "slower read + write, not a way around the cache.";
		finding_say(f, FINDING_WARN, "O_DIRECT is accepted, and goes through the page cache");
		finding_change(f, "--dir on ext4 or xfs");
	} else {
		finding_say(f, FINDING_OK, "works, aligned to %.0f bytes%s", align,
		    bypasses ? ", and leaves the page cache alone" : "");
	}
}

void judge_cold_cache(const struct ground *g, struct finding *f)
{
	const char *device = ground_need_text(g, f, "storage.device");
	double ahead = json_number_value(fact_value(g->host, "storage.read_ahead_bytes"));
	const json_t *spins = fact_value(g->host, "storage.rotational");

	f->effect =
		"Cold cases measure the device and its read-ahead as much as the method. In a "
		"guest \"cold\" means cold here: the host may still hold the file in its memory.";
	if (!device)
		return;
	finding_say(f, FINDING_NOTE, "%s (%s), read-ahead %.0f KiB%s", device,
	    fact_value(g->host, "storage.device_model") ? ground_text(g, "storage.device_model")
							: "no model told",
	    ahead / 1024,
	    !json_is_true(spins) ? ""
	    : ground_is_guest(g)	 ? ", says it rotates (virtual disks often do without rotating)"
				 : ", rotating");
	finding_change(f, "blockdev --setra 256 /dev/%s    # 128 KiB, the kernel's default", device);
	if (ahead == 128 * 1024)
		f->change[0] = '\0';
}

void judge_pipe_size(const struct ground *g, struct finding *f)
{
	const json_t *caps = fact_value(g->host, "security.capabilities");
	double most;

	f->effect = "splice moves at most a pipe's content per call: larger chunks are cut into "
		    "that many, and the number of calls no longer falls with the chunk.";
	if (!ground_need_number(g, f, "limits.pipe_max_bytes", &most))
		return;
	if (most >= MIB || ground_has_word(caps, "sys_resource")) {
		finding_say(f, FINDING_OK, "pipes up to %.0f KiB%s", most / 1024,
		    ground_has_word(caps, "sys_resource") ? ", more for this process (CAP_SYS_RESOURCE)"
						   : "");
		return;
	}
	finding_say(f, FINDING_NOTE, "pipes up to %.0f KiB", most / 1024);
	finding_change(f, "sysctl -w fs.pipe-max-size=1048576");
}
