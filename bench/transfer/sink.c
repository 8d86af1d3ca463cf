// SPDX-License-Identifier: MIT
#include "transfer/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

const char *const sink_names[SINKS] = {
	[SINK_DRAIN] = "drain",
	[SINK_TRUNCATE] = "truncate",
	[SINK_SPLICE] = "splice",
	[SINK_VERIFY] = "verify",
	[SINK_ZEROCOPY] = "zerocopy",
};

const char *const sink_summaries[SINKS] = {
	[SINK_DRAIN] = "recv into memory: what a receiver that wants the bytes does",
	[SINK_TRUNCATE] = "recv with MSG_TRUNC: no copy on the receiving side, an upper bound",
	[SINK_SPLICE] = "splice through a pipe to /dev/null: no copy, page references only",
	[SINK_VERIFY] = "recv and hash: proves that the bytes are right; never timed",
	[SINK_ZEROCOPY] = "TCP_ZEROCOPY_RECEIVE: pages mapped instead of copied, where the kernel can",
};

int sink_open(struct sink_state *state, enum sink sink, const struct sink_state *first)
{
	void *buffer = NULL;
	int err;

	*state = (struct sink_state){ .sink = sink, .pipe = { -1, -1 }, .null = -1 };
	if (sink == SINK_SPLICE) {
		state->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (state->null < 0 || pipe2(state->pipe, O_CLOEXEC))
			return -errno;
		/* refused above fs.pipe-max-size; the default 64 KiB works too, with more calls */
		(void)fcntl(state->pipe[1], F_SETPIPE_SZ, SINK_BUFFER_BYTES);
		return 0;
	}
	if (sink == SINK_VERIFY) {
		state->hash = XXH3_createState();
		if (!state->hash || XXH3_64bits_reset(state->hash) != XXH_OK)
			return -ENOMEM;
	}
	if (first && sink != SINK_VERIFY) {
		state->buffer = first->buffer;
		state->shares = true;
		return 0;
	}
	err = posix_memalign(&buffer, 4096, SINK_BUFFER_BYTES);
	if (err)
		return -err;
	memset(buffer, 0x5a, SINK_BUFFER_BYTES);
	state->buffer = buffer;
	return 0;
}

void sink_close(struct sink_state *state)
{
	for (int i = 0; i < 2; i++)
		if (state->pipe[i] >= 0)
			close(state->pipe[i]);
	if (state->null >= 0)
		close(state->null);
	if (state->window)
		munmap(state->window, SINK_BUFFER_BYTES);
	if (!state->shares)
		free(state->buffer);
	XXH3_freeState(state->hash);
}

static size_t wanted(uint64_t size, uint64_t got)
{
	return size - got < SINK_BUFFER_BYTES ? (size_t)(size - got) : SINK_BUFFER_BYTES;
}

static int take_by_recv(struct sink_state *state, int socket, uint64_t size, uint64_t *received)
{
	int flags = state->sink == SINK_TRUNCATE ? MSG_TRUNC : 0;
	XXH3_state_t *hash = state->sink == SINK_VERIFY ? state->hash : NULL;
	uint64_t got = 0;
	int err = 0;

	while (got < size) {
		ssize_t n = recv(socket, state->buffer, wanted(size, got), flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : 0;
			break;
		}
		if (hash)
			XXH3_64bits_update(hash, state->buffer, (size_t)n);
		got += (uint64_t)n;
	}
	*received = got;
	return err;
}

static int empty_pipe(struct sink_state *state, size_t len)
{
	while (len) {
		ssize_t n = splice(state->pipe[0], NULL, state->null, NULL, len, SPLICE_F_MOVE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		len -= (size_t)n;
	}
	return 0;
}

static int take_by_splice(struct sink_state *state, int socket, uint64_t size, uint64_t *received)
{
	uint64_t got = 0;
	int err = 0;

	while (got < size && !err) {
		ssize_t n = splice(socket, NULL, state->pipe[1], NULL, wanted(size, got),
				   SPLICE_F_MOVE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : 0;
			break;
		}
		err = empty_pipe(state, (size_t)n);
		got += (uint64_t)n;
	}
	*received = got;
	return err;
}

int sink_ready(struct sink_state *state, int socket)
{
	void *window;

	if (state->sink != SINK_ZEROCOPY)
		return 0;
	window = mmap(NULL, SINK_BUFFER_BYTES, PROT_READ, MAP_SHARED, socket, 0);
	if (window == MAP_FAILED)
		return -EOPNOTSUPP;
	state->window = window;
	return 0;
}

/* One recv of what can't be mapped. Returns bytes, 0 at the end, or -errno. */
static ssize_t copy_some(const struct sink_state *state, int socket, size_t wanted_bytes)
{
	ssize_t n;

	do
		n = recv(socket, state->buffer, wanted_bytes, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/*
 * The kernel maps whole pages of what has arrived, and says in recv_skip_hint how many bytes come next that
 * it can't map. When neither is said nothing is there yet.
 */
static int take_by_mapping(struct sink_state *state, int socket, uint64_t size, uint64_t *received)
{
	bool waited = false;
	uint64_t got = 0;
	int err = 0;

	while (got < size) {
		struct tcp_zerocopy_receive ask = { .address = (uint64_t)(uintptr_t)state->window,
						    .length = (uint32_t)wanted(size, got) };
		socklen_t len = sizeof(ask);
		ssize_t n;

		if (ask.length >= (uint32_t)sysconf(_SC_PAGESIZE) &&
		    getsockopt(socket, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &ask, &len)) {
			err = -errno;
			break;
		}
		if (ask.length && ask.length < (uint32_t)sysconf(_SC_PAGESIZE))
			ask.length = 0;
		got += ask.length;
		state->mapped += ask.length;
		if (ask.length && !ask.recv_skip_hint)
			continue;
		if (!ask.length && !ask.recv_skip_hint && !waited) {
			struct pollfd p = { .fd = socket, .events = POLLIN };

			waited = poll(&p, 1, -1) > 0;
			continue;
		}
		waited = false;
		n = copy_some(state, socket,
			      ask.recv_skip_hint && ask.recv_skip_hint < wanted(size, got) ?
				      ask.recv_skip_hint :
				      wanted(size, got));
		if (n <= 0) {
			err = (int)n;
			break;
		}
		got += (uint64_t)n;
	}
	*received = got;
	return err;
}

int sink_take(struct sink_state *state, int socket, uint64_t size, uint64_t *received)
{
	if (state->sink == SINK_SPLICE)
		return take_by_splice(state, socket, size, received);
	if (state->sink == SINK_ZEROCOPY)
		return take_by_mapping(state, socket, size, received);
	return take_by_recv(state, socket, size, received);
}

uint64_t sink_hash(const struct sink_state *state)
{
	return XXH3_64bits_digest(state->hash);
}
