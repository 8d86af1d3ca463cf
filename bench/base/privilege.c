// SPDX-License-Identifier: MIT
#include "base/privilege.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* What preparing a transfer may take; of these, what the caller has is kept until the method is prepared. */
static const cap_value_t preparing[] = { CAP_DAC_READ_SEARCH, CAP_IPC_LOCK, CAP_SYS_RESOURCE };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool permitted(cap_t caps, cap_value_t value)
{
	cap_flag_value_t flag = CAP_CLEAR;

	return !cap_get_flag(caps, value, CAP_PERMITTED, &flag) && flag == CAP_SET;
}

/* Only the named ones of those that are there. */
static int reduce_to(const cap_value_t *keep, size_t count)
{
	cap_t have = cap_get_proc(), want = cap_init();
	int err = have && want ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++)
		if (permitted(have, keep[i]) &&
		    (cap_set_flag(want, CAP_PERMITTED, 1, &keep[i], CAP_SET) ||
		     cap_set_flag(want, CAP_EFFECTIVE, 1, &keep[i], CAP_SET)))
			err = -errno;
	if (!err && cap_set_proc(want))
		err = -errno;
	cap_free(have);
	cap_free(want);
	return err;
}

/*
 * Pinned pages of MSG_ZEROCOPY and io_uring count against RLIMIT_MEMLOCK, from which CAP_IPC_LOCK exempts. The
 * worker sends without it, so who had no limit keeps having none.
 */
static void keep_unlimited_locked_memory(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	cap_t caps = cap_get_proc();

	if (caps && permitted(caps, CAP_IPC_LOCK))
		(void)setrlimit(RLIMIT_MEMLOCK, &none); /* takes CAP_SYS_RESOURCE, too */
	cap_free(caps);
}

int privilege_keep_for_preparing(void)
{
	/* the bounding set stays: under no_new_privs no program gets anything out of it */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	keep_unlimited_locked_memory();
	(void)cap_reset_ambient();
	return reduce_to(preparing, COUNT(preparing));
}

int privilege_drop_all(void)
{
	return reduce_to(NULL, 0);
}
