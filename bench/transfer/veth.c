// SPDX-License-Identifier: MIT
#include "transfer/veth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"

#define DEVICE(end) ((end) == VETH_SENDER ? VETH_SENDER_DEVICE : VETH_RECEIVER_DEVICE)
#define ARGUMENTS_MAX 20
#define LINE_MAX_BYTES 256

/*
 * Runs `ip` (iproute2) with the words of a line. Returns 0 or -errno. A Ctrl-C goes to every process of the
 * terminal: one that ended `ip` halfway would leave half a namespace, so it does not get to know.
 */
static int ip(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int ip(const char *format, ...)
{
	char line[LINE_MAX_BYTES], *words[ARGUMENTS_MAX], *save = NULL;
	char program[] = "ip", *plain[] = { (char *)"PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL };
	int count = 0, status = 0, err;
	const sigset_t held = signals_that_end();
	posix_spawn_file_actions_t quiet;
	posix_spawnattr_t undisturbed;
	va_list args;
	pid_t pid;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	words[count++] = program;
	for (char *w = strtok_r(line, " ", &save); w && count < ARGUMENTS_MAX - 1;
	     w = strtok_r(NULL, " ", &save))
		words[count++] = w;
	words[count] = NULL;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&undisturbed);
	posix_spawnattr_setsigmask(&undisturbed, &held);
	posix_spawnattr_setflags(&undisturbed, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawn(&pid, "/usr/sbin/ip", &quiet, &undisturbed, words, plain);
	if (err == ENOENT)
		err = posix_spawn(&pid, "/sbin/ip", &quiet, &undisturbed, words, plain);
	if (err == ENOENT)
		err = posix_spawn(&pid, "/usr/bin/ip", &quiet, &undisturbed, words, plain);
	posix_spawnattr_destroy(&undisturbed);
	posix_spawn_file_actions_destroy(&quiet);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EIO : 0;
}

static int add_namespace(struct veth *v, enum veth_end end)
{
	char path[VETH_NAME_MAX + 32];
	int err;

	snprintf(v->name[end], sizeof(v->name[end]), "copytax-%ld-%s", (long)getpid(),
		 end == VETH_SENDER ? "sender" : "receiver");
	err = ip("netns add %s", v->name[end]);
	if (err) {
		v->name[end][0] = '\0';
		return err;
	}
	snprintf(path, sizeof(path), "/run/netns/%s", v->name[end]);
	v->space[end] = open(path, O_RDONLY | O_CLOEXEC);
	return v->space[end] < 0 ? -errno : 0;
}

static int bring_up(const struct veth *v, enum veth_end end, const char *address)
{
	const char *format = end == VETH_SENDER ?
				     "-n %s addr add %s/30 dev " VETH_SENDER_DEVICE :
				     "-n %s addr add %s/30 dev " VETH_RECEIVER_DEVICE;
	int err = ip(format, v->name[end], address);

	return err ? err : ip("-n %s link set dev %s up", v->name[end], DEVICE(end));
}

int veth_open(struct veth *v, struct failure *why)
{
	const char *step = "make a network namespace";
	int err;

	*v = (struct veth){ .space = { -1, -1 } };
	if (geteuid())
		return fail(why, EXIT_MACHINE_CANT, EPERM,
			    "the link 'veth' needs root: it makes two network namespaces");
	err = add_namespace(v, VETH_SENDER);
	if (!err)
		err = add_namespace(v, VETH_RECEIVER);
	if (!err) {
		step = "make a pair of veth devices";
		err = ip("link add " VETH_SENDER_DEVICE
			 " netns %s type veth peer name " VETH_RECEIVER_DEVICE " netns %s",
			 v->name[VETH_SENDER], v->name[VETH_RECEIVER]);
	}
	if (!err) {
		step = "bring up a veth device";
		err = bring_up(v, VETH_SENDER, VETH_SENDER_ADDRESS);
	}
	if (!err)
		err = bring_up(v, VETH_RECEIVER, VETH_RECEIVER_ADDRESS);
	if (!err)
		return 0;
	return fail(why, EXIT_MACHINE_CANT, -err,
		    "can't %s: %s%s; the link 'veth' needs CAP_SYS_ADMIN, a kernel with veth, and ip (iproute2)",
		    step, err == -EIO ? "ip refused" : strerror(-err),
		    err == -ENOENT ? " (is iproute2 installed?)" : "");
}

void veth_close(struct veth *v)
{
	for (int end = 0; end < VETH_ENDS; end++) {
		/* a namespace lives as long as a descriptor of it */
		if (v->space[end] >= 0)
			close(v->space[end]);
		v->space[end] = -1;
		if (v->name[end][0])
			(void)ip("netns del %s", v->name[end]);
		v->name[end][0] = '\0';
	}
}

int veth_socket(const struct veth *v, enum veth_end end)
{
	int own, s, saved;

	if (!v || v->space[end] < 0) {
		errno = ENONET;
		return -1;
	}
	own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return -1;
	s = setns(v->space[end], CLONE_NEWNET) ? -1 :
						  socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	saved = errno;
	/* a thread that can't come back would make every later socket in the wrong place */
	if (setns(own, CLONE_NEWNET) && s >= 0) {
		saved = errno;
		close(s);
		s = -1;
	}
	close(own);
	errno = saved;
	return s;
}

static int device_switch(int s, const char *device, uint32_t command, bool on)
{
	struct ethtool_value value = { .cmd = command, .data = on };
	struct ifreq request = { .ifr_data = (char *)&value };

	strcpy(request.ifr_name, device);
	return ioctl(s, SIOCETHTOOL, &request) ? -errno : 0;
}

static int device_asks(int s, const char *device, uint32_t command, bool *on)
{
	struct ethtool_value value = { .cmd = command };
	struct ifreq request = { .ifr_data = (char *)&value };

	strcpy(request.ifr_name, device);
	if (ioctl(s, SIOCETHTOOL, &request))
		return -errno;
	*on = value.data;
	return 0;
}

static int set_device(int s, const char *device, const struct veth_settings *set)
{
	struct ifreq request = { .ifr_mtu = (int)set->mtu };
	bool gathers = false;
	int err;

	strcpy(request.ifr_name, device);
	err = ioctl(s, SIOCSIFMTU, &request) ? -errno : 0;
	/* the kernel turns segmentation off with scatter-gather, so that comes first */
	err = err ? err : device_switch(s, device, ETHTOOL_SSG, set->scatter_gather);
	err = err ? err : device_switch(s, device, ETHTOOL_STSO, set->offload && set->scatter_gather);
	err = err ? err : device_switch(s, device, ETHTOOL_SGSO, set->offload && set->scatter_gather);
	err = err ? err : device_asks(s, device, ETHTOOL_GSG, &gathers);
	return err ? err : gathers == set->scatter_gather ? 0 : -EOPNOTSUPP;
}

int veth_set(struct veth *v, const struct veth_settings *set, struct failure *why)
{
	int err = 0;

	if (v->set.mtu == set->mtu && v->set.offload == set->offload &&
	    v->set.scatter_gather == set->scatter_gather)
		return 0;
	for (int end = 0; end < VETH_ENDS && !err; end++) {
		int s = veth_socket(v, (enum veth_end)end);

		err = s < 0 ? -errno : set_device(s, DEVICE(end), set);
		if (s >= 0)
			close(s);
	}
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err,
			    "can't set the veth devices to MTU %u, offload %s, scatter-gather %s: %s",
			    set->mtu, set->offload ? "on" : "off", set->scatter_gather ? "on" : "off",
			    strerror(-err));
	v->set = *set;
	return 0;
}
