// SPDX-License-Identifier: MIT
/* Messages between hosts: whatever the bytes, a message or a refusal; and a message is written as it was read. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "transfer/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct protocol_message m, again;
	uint8_t bytes[PROTOCOL_MESSAGE_MAX];
	int taken = protocol_parse(data, size, &m);
	size_t written;

	if (taken <= 0) {
		fuzz_must(!taken || taken == -EPROTO || taken == -EMSGSIZE || taken == -EBADMSG);
		/* what has not become a message by then never does */
		fuzz_must(taken || size < PROTOCOL_MESSAGE_MAX);
		return 0;
	}
	fuzz_must((size_t)taken >= PROTOCOL_HEADER && (size_t)taken <= size);
	written = protocol_write(&m, bytes);
	fuzz_must(protocol_parse(bytes, written, &again) == (int)written && again.type == m.type);
	/* of another version only the number is read */
	if ((m.type == PROTOCOL_HELLO || m.type == PROTOCOL_CHALLENGE) &&
	    m.hello.version != PROTOCOL_VERSION)
		return 0;
	fuzz_must(written == (size_t)taken && !memcmp(bytes, data, written));
	return 0;
}
