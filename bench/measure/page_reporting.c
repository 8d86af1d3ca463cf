// SPDX-License-Identifier: MIT
#include "measure/page_reporting.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>


#define BALLOON 5 /* virtio's device number (virtio 1.2, section 5) */
#define REPORTING 5 /* and this one's feature bit, VIRTIO_BALLOON_F_REPORTING (section 5.5.3) */

/* The feature bits stand in the order of their numbers, a digit each. */
static bool reports(const char *device)
{
	char path[320], text[128] = "";
	FILE *file;
	bool yes = false;

	snprintf(path, sizeof(path), "%s/device", device);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(text, sizeof(text), file))
		yes = strtol(text, NULL, 16) == BALLOON;
	fclose(file);
	snprintf(path, sizeof(path), "%s/features", device);
	file = yes ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	yes = fgets(text, sizeof(text), file) && text[0];
	for (int i = 0; i <= REPORTING && yes; i++)
		yes = text[i] == '0' || text[i] == '1';
	yes = yes && text[REPORTING] == '1';
	fclose(file);
	return yes;
}

const char *page_reporting(void)
{
	glob_t devices;
	bool yes = false;

	if (glob("/sys/bus/virtio/devices/*", 0, NULL, &devices))
		return "off";
	for (size_t i = 0; i < devices.gl_pathc; i++)
		yes |= reports(devices.gl_pathv[i]);
	globfree(&devices);
	return yes ? "on" : "off";
}
