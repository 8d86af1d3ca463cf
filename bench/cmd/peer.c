// SPDX-License-Identifier: MIT
#include "cmd/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

int peer_open(const struct conditions *c, bool wanted, const volatile sig_atomic_t *stop,
	      struct remote **out, struct failure *why)
{
	struct remote *remote;
	int err;

	*out = NULL;
	if (!wanted) {
		if (c->peer || c->secret_file)
			return fail(why, EXIT_WRONG_USE, EINVAL,
				    "--peer and --secret-file are for --link remote");
		return 0;
	}
	if (!c->peer)
		return fail(why, EXIT_WRONG_USE, EINVAL, PEER_MISSING);
	remote = calloc(1, sizeof(*remote));
	if (!remote)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	err = remote_init(remote, c->peer, c->secret_file, COPYTAX_VERSION, COPYTAX_COMMIT, why);
	if (!err)
		err = remote_open(remote, stop, why);
	if (err) {
		peer_close(remote);
		return err;
	}
	*out = remote;
	return 0;
}

void peer_close(struct remote *remote)
{
	if (!remote)
		return;
	remote_close(remote);
	secret_forget(&remote->secret);
	free(remote);
}

json_t *peer_json(const struct remote *remote)
{
	const struct protocol_welcome *w = &remote->welcome;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b}", "address", remote->name, "version",
			 remote->other.tool, "commit", remote->other.commit, "kernel", w->kernel,
			 "machine", w->machine, "cpu", w->cpu, "authenticated",
			 remote->secret.length > 0);
}

void peer_place(const struct remote *remote, struct placement_choice *place)
{
	char sender[48] = "not pinned", receiver[48] = "not pinned";

	if (place->sender_cpu >= 0)
		snprintf(sender, sizeof(sender), "on CPU %d", place->sender_cpu);
	if (remote->welcome.cpu >= 0)
		snprintf(receiver, sizeof(receiver), "on CPU %d", remote->welcome.cpu);
	snprintf(place->text, sizeof(place->text), "sender %s; receiver on another host, %s there",
		 sender, receiver);
	place->receiver_cpu = remote->welcome.cpu;
}
