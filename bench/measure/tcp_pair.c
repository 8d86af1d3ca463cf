// SPDX-License-Identifier: MIT
#include "measure/tcp_pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

int tcp_pair(int ends[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, err = 0;

	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ends[1] = -1;
	if (listener < 0 || ends[0] < 0 || bind(listener, (struct sockaddr *)&at, size) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&at, &size) ||
	    connect(ends[0], (struct sockaddr *)&at, size) ||
	    setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    (ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		err = -errno;
	/* without it the system's own is as good as it is */
	if (!err)
		(void)setsockopt(ends[0], IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	if (listener >= 0)
		close(listener);
	if (err && ends[0] >= 0)
		close(ends[0]);
	if (err)
		ends[0] = ends[1] = -1;
	return err;
}
