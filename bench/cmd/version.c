// SPDX-License-Identifier: MIT
#include <bpf/libbpf.h>
#include <cmark-gfm.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <hwloc.h>
#include <jansson.h>
#include <nettle/version.h>
#include <perfmon/pfmlib.h>
#include <stdio.h>
#include <xxhash.h>
#include <zlib.h>

#include "cmd/cmd.h"
#include "result/result.h"

/* As they run, not as they were compiled against: a dynamic program gets the system's own. */
void version_print(void)
{
	unsigned int hwloc = hwloc_get_api_version(), hash = XXH_versionNumber();
	int pfm = pfm_get_version();

	puts("copytax " COPYTAX_VERSION " (" COPYTAX_COMMIT ")");
	printf("with libbpf %u.%u, libpfm %d.%d, hwloc %u.%u, jansson %s, GSL %s, xxHash %u.%u.%u,\n"
	       "cmark-gfm %s, nettle %d.%d, zlib %s, the C library %s; schema " RESULT_SCHEMA "\n",
	       libbpf_major_version(), libbpf_minor_version(), PFM_MAJ_VERSION(pfm),
	       PFM_MIN_VERSION(pfm), hwloc >> 16, hwloc >> 8 & 0xff, jansson_version_str(), gsl_version,
	       hash / 10000, hash / 100 % 100, hash % 100, cmark_version_string(),
	       nettle_version_major(), nettle_version_minor(), zlibVersion(),
	       gnu_get_libc_version());
}
