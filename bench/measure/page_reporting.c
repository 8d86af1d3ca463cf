// SPDX-License-Identifier: MIT
#include "measure/page_reporting.h"

#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BALLOON 5 /* virtio's device number (virtio 1.2, section 5) */
#define REPORTING 5 /* and this one's feature bit, VIRTIO_BALLOON_F_REPORTING (section 5.5.3) */

/* The only line of a device's attribute; empty when there is none. */
static void attribute(const char *device, const char *name, char text[128])
{
	char path[PATH_MAX];
	FILE *file;

	text[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", device, name);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(text, 128, file))
		text[0] = '\0';
	fclose(file);
}

static bool reports(const char *device)
{
	char text[128] = "";

	attribute(device, "device", text);
	if (strtol(text, NULL, 16) != BALLOON)
		return false;
	/* a digit for each bit, in the order of their numbers */
	attribute(device, "features", text);
	return strspn(text, "01") > REPORTING && text[REPORTING] == '1';
}

const char *page_reporting(const char *devices)
{
	char pattern[PATH_MAX];
	glob_t found;
	bool yes = false;

	snprintf(pattern, sizeof(pattern), "%s/*", devices);
	if (glob(pattern, 0, NULL, &found))
		return "off";
	for (size_t i = 0; i < found.gl_pathc; i++)
		yes |= reports(found.gl_pathv[i]);
	globfree(&found);
	return yes ? "on" : "off";
}
