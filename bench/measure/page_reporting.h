/* SPDX-License-Identifier: MIT */
/* Does the host take this guest's free memory back? */
#ifndef COPYTAX_MEASURE_PAGE_REPORTING_H
#define COPYTAX_MEASURE_PAGE_REPORTING_H

#define PAGE_REPORTING_DEVICES "/sys/bus/virtio/devices"

/*
 * "on": a virtio balloon reports free pages to the host (VIRTIO_BALLOON_F_REPORTING), which takes their memory away some two
 * seconds after they were freed; whoever is given them next waits, on its own CPU time, until the host has found
 * memory again. "off": there is no such balloon; other hypervisors' ways are not looked for. `devices` is the folder of
 * virtio devices: PAGE_REPORTING_DEVICES but in tests.
 */
const char *page_reporting(const char *devices);

#endif
