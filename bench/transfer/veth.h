/* SPDX-License-Identifier: MIT */
/*
 * The link `veth`: two network namespaces and a pair of virtual Ethernet devices between them, made for
 * one run and removed after it. Their names start with "copytax-" and hold the process id of the run, so
 * what a killed run left can be told and removed: ip netns del NAME takes the devices with it.
 */
#ifndef COPYTAX_TRANSFER_VETH_H
#define COPYTAX_TRANSFER_VETH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/* Reserved for documentation (RFC 5737): they mean something inside the two namespaces only. */
#define VETH_SENDER_ADDRESS "192.0.2.1"
#define VETH_RECEIVER_ADDRESS "192.0.2.2"
/* The devices' names, by which the kernel side tells them (bpf/copies.bpf.c). */
#define VETH_SENDER_DEVICE "copytax-s"
#define VETH_RECEIVER_DEVICE "copytax-r"
#define VETH_NAME_MAX 48
#define VETH_MTU_DEFAULT 1500

enum veth_end { VETH_SENDER, VETH_RECEIVER, VETH_ENDS };

struct veth_settings {
	uint32_t mtu; /* bytes */
	bool offload; /* segmentation by the device: TSO, and GSO below it */
	bool scatter_gather; /* the device takes packets in pieces; without it the kernel must copy */
};

struct veth {
	char name[VETH_ENDS][VETH_NAME_MAX]; /* of the namespaces; "": not made */
	int space[VETH_ENDS]; /* descriptors of the namespaces; -1: none */
	struct veth_settings set; /* as last set */
};

/* Makes both. Returns 0 or -errno with `why` (exit code 3); veth_close() also after a failure. */
int veth_open(struct veth *veth, struct failure *why);
void veth_close(struct veth *veth);

/* Sets both devices, and reads back what the kernel took. Returns 0 or -errno with `why`. */
int veth_set(struct veth *veth, const struct veth_settings *settings, struct failure *why);

/* A TCP socket in the namespace of an end. Returns a descriptor, or -1 with errno. */
int veth_socket(const struct veth *veth, enum veth_end end);

#endif
