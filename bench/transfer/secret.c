// SPDX-License-Identifier: MIT
#include "transfer/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, struct secret *secret)
{
	ssize_t n;

	while (secret->length < sizeof(secret->bytes)) {
		n = read(fd, secret->bytes + secret->length,
			 sizeof(secret->bytes) - secret->length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		secret->length += (size_t)n;
	}
	return -EFBIG;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

int secret_load(const char *path, struct secret *secret, struct failure *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;

	secret->length = 0;
	if (fd < 0)
		return fail(why, EXIT_WRONG_USE, errno, "can't open the secret file %s: %s", path,
			    strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		err = fail(why, EXIT_WRONG_USE, EINVAL, "the secret file %s is no regular file",
			   path);
	} else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		err = fail(why, EXIT_WRONG_USE, EACCES,
			   "others may read or change the secret file %s: chmod 600 it, and make a "
			   "new secret if they did",
			   path);
	} else {
		err = read_all(fd, secret);
		if (err)
			err = fail(why, EXIT_WRONG_USE, -err, "can't read the secret file %s: %s",
				   path,
				   err == -EFBIG ? "it holds 4096 bytes or more" : strerror(-err));
	}
	close(fd);
	while (secret->length && is_blank(secret->bytes[secret->length - 1]))
		secret->length--;
	if (!err && secret->length < SECRET_LEAST)
		err = fail(why, EXIT_WRONG_USE, EINVAL,
			   "the secret in %s is too short: %zu bytes, and 16 is the least; make "
			   "one with: (umask 077; head -c 32 /dev/urandom | base64 > %s)",
			   path, secret->length, path);
	if (err)
		secret_forget(secret);
	return err;
}

void secret_prove(const struct secret *secret, enum secret_side side,
		  const uint8_t client[static PROTOCOL_NONCE],
		  const uint8_t server[static PROTOCOL_NONCE], uint8_t mac[static PROTOCOL_MAC])
{
	/* of one length, so that no two inputs run into each other */
	static const uint8_t labels[][17] = {
		[SECRET_CLIENT] = "copytax-1 client", [SECRET_SERVER] = "copytax-1 server"
	};
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, secret->length, secret->bytes);
	hmac_sha256_update(&hmac, sizeof(labels[side]), labels[side]);
	hmac_sha256_update(&hmac, PROTOCOL_NONCE, client);
	hmac_sha256_update(&hmac, PROTOCOL_NONCE, server);
	hmac_sha256_digest(&hmac, PROTOCOL_MAC, mac);
	explicit_bzero(&hmac, sizeof(hmac));
}

bool secret_same(const void *a, const void *b, size_t bytes)
{
	return memeql_sec(a, b, bytes);
}

int secret_random(void *to, size_t bytes)
{
	/* up to 256 bytes come whole and uninterrupted (getrandom(2)) */
	return getrandom(to, bytes, 0) == (ssize_t)bytes ? 0 : -EIO;
}

void secret_forget(struct secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}
