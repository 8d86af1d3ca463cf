// SPDX-License-Identifier: MIT
#include "measure/softirqs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The column of CPU `cpu`, counted from 0, in the heading "CPU0 CPU1 …", which lacks those that are offline; -1: not there. */
static int column_of(char *heading, int cpu)
{
	char wanted[24], *rest = NULL;
	int column = 0;

	snprintf(wanted, sizeof(wanted), "CPU%d", cpu);
	for (char *name = strtok_r(heading, " \n", &rest); name;
	     name = strtok_r(NULL, " \n", &rest), column++)
		if (!strcmp(name, wanted))
			return column;
	return -1;
}

static double figure_at(const char *row, int column)
{
	char *end;
	double value = NAN;

	for (int i = 0; i <= column; i++, row = end) {
		value = (double)strtoull(row, &end, 10);
		if (end == row)
			return NAN;
	}
	return value;
}

double softirqs_net_rx(int cpu)
{
	FILE *file = cpu < 0 ? NULL : fopen("/proc/softirqs", "re");
	char *line = NULL, *row;
	double value = NAN;
	size_t size = 0;
	int column = -1;

	if (!file)
		return NAN;
	if (getline(&line, &size, file) > 0)
		column = column_of(line, cpu);
	while (column >= 0 && isnan(value) && getline(&line, &size, file) > 0) {
		row = strstr(line, "NET_RX:");
		if (row)
			value = figure_at(row + strlen("NET_RX:"), column);
	}
	free(line);
	fclose(file);
	return value;
}
