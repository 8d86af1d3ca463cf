/* SPDX-License-Identifier: MIT */
/* The page's style sheet: light and dark, paper and phone. */
#ifndef COPYTAX_REPORT_STYLE_H
#define COPYTAX_REPORT_STYLE_H

extern const char style_sheet[];

#endif
