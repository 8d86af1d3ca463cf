// SPDX-License-Identifier: MIT
/* What the sockets do to the numbers: congestion control, buffers, loopback. */
#include "measure/findings_ground.h"

#include <stdio.h>
#include <string.h>

#include "measure/fact.h"

void judge_congestion_control(const struct ground *g, struct finding *f)
{
	const char *name = ground_need_text(g, f, "net.congestion_control");
	const char *set = g->plan->congestion_control;

	f->effect = "A control that paces its sending puts timers between the packets even over "
		    "loopback: sendfile and splice then cost several times what they would, and "
		    "their lead over read + write all but vanishes. copytax sets its own sockets "
		    "(--cc); what it is compared with keeps the default.";
	if (!name)
		return;
	if (strncmp(name, "bbr", 3) != 0) {
		finding_say(f, FINDING_OK, "%s", name);
		return;
	}
	finding_change(f, "sysctl -w net.ipv4.tcp_congestion_control=%s",
	       ground_has_word(fact_value(g->host, "net.congestion_controls_available"), "cubic")
		       ? "cubic"
		       : "reno");
	if (set && strncmp(set, "bbr", 3) != 0)
		finding_say(f, FINDING_NOTE, "%s by default, which paces; these sockets are set to %s",
		    name, set);
	else
		finding_say(f, FINDING_WARN, "%s by default, which paces", name);
}

void judge_socket_buffers(const struct ground *g, struct finding *f)
{
	bool forced = ground_has_word(fact_value(g->host, "security.capabilities"), "net_admin");
	double send_asked = g->plan->send_buffer, receive_asked = g->plan->receive_buffer, send,
	       receive;

	f->effect = "What is asked for with SO_SNDBUF or SO_RCVBUF beyond the limit is cut off "
		    "without a word. Smaller buffers mean more wake-ups per GB.";
	if (!ground_need_number(g, f, "net.wmem_max_bytes", &send) ||
	    !ground_need_number(g, f, "net.rmem_max_bytes", &receive))
		return;
	if (!forced && (send_asked > send || receive_asked > receive)) {
		finding_say(f, FINDING_WARN,
		    "%.0f and %.0f KiB to send and receive will be asked for, %.0f and %.0f KiB "
		    "allowed",
		    send_asked / 1024, receive_asked / 1024, send / 1024, receive / 1024);
		finding_change(f, "sysctl -w net.core.wmem_max=%.0f net.core.rmem_max=%.0f",
		       send_asked > send ? send_asked : send,
		       receive_asked > receive ? receive_asked : receive);
		return;
	}
	finding_say(f, FINDING_OK, "up to %.0f and %.0f KiB to send and receive%s", send / 1024,
	    receive / 1024, forced ? ", more for this process (CAP_NET_ADMIN)" : "");
}

void judge_loopback(const struct ground *g, struct finding *f)
{
	const json_t *tso = fact_value(g->host, "net.loopback_tso");
	double mtu;

	f->effect = "Smaller packets mean more trips through the stack per GB: the stack's share "
		    "grows, and the price of copying looks smaller beside it.";
	if (!ground_need_number(g, f, "net.loopback_mtu", &mtu))
		return;
	if (g->plan->remote) {
		finding_say(f, FINDING_OK, "not in use: the receiver is on another host");
		return;
	}
	if (mtu < 65536) {
		finding_say(f, FINDING_WARN, "MTU %.0f instead of 65536", mtu);
		finding_change(f, "ip link set lo mtu 65536");
	} else if (json_is_false(tso)) {
		finding_say(f, FINDING_WARN, "MTU %.0f, segmentation offload is off", mtu);
		finding_change(f, "ethtool -K lo tso on gso on");
	} else {
		finding_say(f, FINDING_OK, "MTU %.0f%s", mtu, tso ? ", segmentation offload on" : "");
	}
}

void judge_optmem(const struct ground *g, struct finding *f)
{
	double most;

	f->effect = "Each MSG_ZEROCOPY send takes from this until its completion is read: with "
		    "little of it, sends fail with ENOBUFS and must be retried, which costs calls.";
	if (!ground_need_number(g, f, "net.optmem_max_bytes", &most))
		return;
	if (most >= 128 * 1024) {
		finding_say(f, FINDING_OK, "%.0f KiB", most / 1024);
		return;
	}
	finding_say(f, FINDING_NOTE, "%.0f KiB", most / 1024);
	finding_change(f, "sysctl -w net.core.optmem_max=131072    # the default since Linux 6.7");
}
