/* SPDX-License-Identifier: MIT */
/* The fixed parts of flame.c's page. */
#ifndef COPYTAX_REPORT_FLAME_PAGE_H
#define COPYTAX_REPORT_FLAME_PAGE_H

#define FLAME_ROW_PIXELS 18

extern const char flame_style[];
extern const char flame_script[];

#endif
