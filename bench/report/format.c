// SPDX-License-Identifier: MIT
#include "report/format.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

/* Digits after the point that show three significant ones. */
static int decimals_for(double value)
{
	char text[FORMAT_MAX];
	int exponent;

	/* printf rounds first: 0.9996 is 1.00, not 1.000 */
	snprintf(text, sizeof(text), "%.2e", value);
	exponent = atoi(strchr(text, 'e') + 1);
	return exponent >= 2 ? 0 : exponent < -6 ? 8 : 2 - exponent;
}

const char *format_count(double value, char out[static FORMAT_MAX])
{
	char digits[FORMAT_MAX];
	size_t len, at = 0;

	if (!isfinite(value))
		return strcpy(out, UNKNOWN);
	if (fabs(value) >= 1e15) {
		snprintf(out, FORMAT_MAX, "%.3g", value);
		return out;
	}
	len = (size_t)snprintf(digits, sizeof(digits), "%.0f", fabs(value));
	if (value <= -0.5)
		out[at++] = '-';
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = 0;
	return out;
}

/* `value` with as many digits as `like` gets, so that the ends of an interval match its median. */
static const char *format_like(double value, double like, char out[static FORMAT_MAX])
{
	if (!isfinite(value))
		return strcpy(out, UNKNOWN);
	if (value == 0 && like == 0)
		return strcpy(out, "0");
	if (fabs(like) >= 999.5 || fabs(value) >= 1e9)
		return format_count(value, out);
	snprintf(out, FORMAT_MAX, "%.*f", like == 0 ? 3 : decimals_for(like), value);
	return out;
}

const char *format_number(double value, char out[static FORMAT_MAX])
{
	return format_like(value, value, out);
}

/* The further end of the interval as a share of the median, in per cent; negative: can't be said. */
static double spread(const struct interval *i)
{
	if (i->n < 2 || !(i->median > 0))
		return -1;
	return 100 * fmax(i->high - i->median, i->median - i->low) / i->median;
}

const char *format_spread(const struct interval *i, char out[static FORMAT_MAX])
{
	char number[FORMAT_MAX];
	double share = spread(i);

	if (!i->n)
		return strcpy(out, UNKNOWN);
	format_number(i->median, number);
	if (share < 0)
		snprintf(out, FORMAT_MAX, "%.40s %s", number, i->n < 2 ? "±?" : "");
	else if (share < 9.95)
		snprintf(out, FORMAT_MAX, "%.40s ±%.1f%%", number, ceil(share * 10 - 1e-9) / 10);
	else
		snprintf(out, FORMAT_MAX, "%.40s ±%3.0f%%", number, ceil(share - 1e-9));
	return out;
}

const char *format_spread_short(const struct interval *i, char out[static FORMAT_MAX])
{
	char number[FORMAT_MAX];
	double share = spread(i);

	if (!i->n)
		return strcpy(out, UNKNOWN);
	format_number(i->median, number);
	if (share < 0)
		snprintf(out, FORMAT_MAX, "%.40s%s", number, i->n < 2 ? "±?" : "");
	else
		snprintf(out, FORMAT_MAX, "%.40s±%.0f%%", number, ceil(share - 1e-9));
	return out;
}

const char *format_ends(const struct interval *i, char out[static FORMAT_MAX])
{
	char low[FORMAT_MAX], high[FORMAT_MAX];

	if (!i->n)
		return strcpy(out, UNKNOWN);
	snprintf(out, FORMAT_MAX, "%.40s–%.40s", format_like(i->low, i->median, low),
		 format_like(i->high, i->median, high));
	return out;
}

const char *format_range(const struct interval *i, char out[static FORMAT_MAX])
{
	char median[FORMAT_MAX], ends[FORMAT_MAX];

	if (!i->n)
		return strcpy(out, UNKNOWN);
	format_number(i->median, median);
	if (i->n < 2)
		snprintf(out, FORMAT_MAX, "%.40s (?)", median);
	else
		snprintf(out, FORMAT_MAX, "%.30s (%.60s)", median, format_ends(i, ends));
	return out;
}

const char *format_chunk(uint64_t chunk, char out[static FORMAT_MAX])
{
	if (!chunk)
		return strcpy(out, "whole");
	return size_format(chunk, out);
}

struct interval interval_times(struct interval i, double factor)
{
	i.median *= factor;
	i.low *= factor;
	i.high *= factor;
	return i;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/*
 * Bytes of the control character at `c`, 0 when it is none. C1 controls (U+0080 to U+009F) drive some
 * terminals as ESC does; the bidirectional overrides let a text pose as another.
 */
static size_t control(const unsigned char *c)
{
	if (c[0] < 0x20 || c[0] == 0x7f)
		return 1;
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return 2;
	if (c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae)
		return 3;
	if (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)
		return 3;
	return 0;
}

/* Writes one character with `before` in front; a blank for white space, '?' for other controls. */
static size_t put_char(FILE *out, const char *text, const char *before)
{
	size_t skip = control((const unsigned char *)text);

	if (skip) {
		putc(isspace((unsigned char)*text) ? ' ' : '?', out);
		return skip;
	}
	fputs(before, out);
	putc(*text, out);
	return 1;
}

void put_plain(FILE *out, const char *text)
{
	while (*text)
		text += put_char(out, text, "");
}

void put_tsv(FILE *out, const char *text)
{
	put_plain(out, text);
}

void put_gnuplot(FILE *out, const char *text)
{
	putc('\'', out);
	while (*text)
		text += put_char(out, text, *text == '\'' ? "'" : "");
	putc('\'', out);
}

void put_html(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			text += put_char(out, text, "") - 1;
		}
	}
}

static bool special(const char *start, const char *at)
{
	bool word_before = at > start && isalnum((unsigned char)at[-1]);

	if (strchr("\\`*<>[]|&~", *at))
		return true;
	/* inside a word it is literal: read_write stays readable in the source */
	if (*at == '_')
		return !(word_before && isalnum((unsigned char)at[1]));
	/* what would open a heading, a list or a rule */
	if (at == start)
		return strchr("#+-=", *at) != NULL;
	/* "12. " or "12) " at the start: an ordered list */
	if ((*at == '.' || *at == ')') && (!at[1] || isspace((unsigned char)at[1])))
		return strspn(start, "0123456789") == (size_t)(at - start);
	return false;
}

void put_markdown(FILE *out, const char *text)
{
	const char *start = text + strspn(text, " \t\r\n");

	for (text = start; *text;)
		text += put_char(out, text, special(start, text) ? "\\" : "");
}

void put_text(FILE *out, enum style style, const char *text)
{
	if (style == STYLE_MARKDOWN)
		put_markdown(out, text);
	else
		put_plain(out, text);
}

void put_wrapped(FILE *out, const char *text, size_t indent, size_t width)
{
	size_t column = indent;

	while (*text) {
		size_t len, columns = 0;
		char *word;

		text += strspn(text, " \n\t");
		len = strcspn(text, " \n\t");
		if (!len)
			break;
		word = strndup(text, len);
		if (!word) {
			/* unwrapped beats unsaid */
			put_plain(out, text);
			return;
		}
		columns = text_width(word);
		if (column > indent && column + 1 + columns > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putc(' ', out);
			column++;
		}
		put_plain(out, word);
		column += columns;
		free(word);
		text += len;
	}
}

void put_tsv_field(FILE *out, const char *text)
{
	putc('\t', out);
	put_tsv(out, text ? text : "");
}

void put_tsv_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "\t%.9g", value);
	else
		fputs("\tNaN", out);
}

void put_label(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s = ", name);
	put_gnuplot(out, text);
	putc('\n', out);
}
