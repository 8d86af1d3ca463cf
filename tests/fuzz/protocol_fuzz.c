// SPDX-License-Identifier: MIT
/*
 * What a stranger may send to copytax serve: whatever the bytes, a message, "not yet" or an error, and no byte
 * outside them is looked at. What was parsed can be written, and reads back as the same.
 */
#include <string.h>

#include "fuzz.h"
#include "transfer/protocol.h"

/* From memory of exactly that size, so that a look behind its end is seen. */
static int parse(const uint8_t *data, size_t size, struct protocol_message *out)
{
	uint8_t *exact = malloc(size ? size : 1);
	int taken;

	fuzz_must(exact != NULL);
	memcpy(exact, data, size);
	taken = protocol_parse(exact, size, out);
	free(exact);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t once[PROTOCOL_MESSAGE_MAX], twice[PROTOCOL_MESSAGE_MAX];
	struct protocol_message message = { 0 }, again = { 0 };
	int taken = parse(data, size, &message);
	size_t length;

	fuzz_must(taken <= (int)PROTOCOL_MESSAGE_MAX && taken <= (int)size);
	if (taken <= 0)
		return 0;
	fuzz_must(protocol_type_name(message.type) != NULL);
	/* a message that is not whole yet is no error */
	for (int part = 0; part < taken; part++)
		fuzz_must(parse(data, (size_t)part, &again) == 0);
	/* of another version nothing is known but that */
	if ((message.type == PROTOCOL_HELLO || message.type == PROTOCOL_CHALLENGE) &&
	    message.hello.version != PROTOCOL_VERSION)
		return 0;
	length = protocol_write(&message, once);
	fuzz_must(length <= sizeof(once) && parse(once, length, &again) == (int)length);
	fuzz_must(protocol_write(&again, twice) == length && !memcmp(once, twice, length));
	return 0;
}
