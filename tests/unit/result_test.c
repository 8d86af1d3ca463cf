// SPDX-License-Identifier: MIT
/* The result document: written and read again, and everything that is no such document. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/summary.h"
#include "result/result.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	/* every save is synced: in memory that costs nothing */
	strcpy(dir, "/dev/shm/copytax-result-XXXXXX");
	if (!mkdtemp(dir)) {
		strcpy(dir, "/tmp/copytax-result-XXXXXX");
		if (!mkdtemp(dir))
			return -1;
	}
	snprintf(path, sizeof(path), "%s/result.json", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir); /* fails when something else was left in it */
}

static char *slurp(size_t *len)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	*len = fread(text, 1, (1 << 20) - 1, file);
	text[*len] = '\0';
	fclose(file);
	return text;
}

static void put(const char *text, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* A document with something in every part. Times are whole nanoseconds, as the clocks give them. */
static struct result *sample_result(unsigned int rows)
{
	static const char *const names[] = { "read_write", "sendfile", "direct_write" };
	struct result *r = result_new();

	assert_non_null(r);
	json_object_set_new(r->tool, "version", json_string("0"));
	json_object_set_new(r->run, "interrupted", json_false());
	json_object_set_new(r->host, "cpu", json_pack("{s:o}", "model", measured(1.5, "made \"up\"\n\t\u00fc")));
	json_object_set_new(r->settings, "seed", json_integer(INT64_MAX));
	result_warn(r, "code", "text", "effect");
	json_array_append_new(r->probes, json_pack("{s:s}", "name", "none"));
	json_array_append_new(r->claims, json_string("claim"));
	json_object_set_new(r->prices, "call_s", unmeasured("not yet"));
	for (int k = 0; k < 3; k++) {
		struct case_result *c = result_add_case(r);

		assert_non_null(c);
		c->method = strdup(names[k]);
		c->cache = strdup("warm");
		c->sink = strdup("drain");
		c->link = strdup("tcp");
		c->chunk = k ? 32768 : 0;
		c->payload = 327680000;
		c->connections = 1;
		c->status = (enum case_status)k;
		if (k)
			c->reason = strdup("because of \"this\"");
		json_array_append_new(c->notes, json_string("pipe 64K"));
		json_object_set_new(c->counts, "syscalls", measured(10000, "test"));
		json_object_set_new(c->copies, "factor", measured(2.5, "test"));
		json_object_set_new(c->events, "cycles", json_null());
		json_object_set_new(c->verified, "ok", json_true());
		for (unsigned int i = 0; k < 2 && i < rows; i++) {
			long row = samples_add(&c->samples);

			assert_int_equal(row, (long)i);
			for (int f = 0; f < SAMPLE_FAULTS_MINOR; f++)
				c->samples.value[f][row] =
					(91234567 + (f + 1) * 7919 * ((int)i + 3) % 100003) / 1e9;
			/* column 4 stays unknown in every row, and one cell elsewhere */
			c->samples.value[SAMPLE_STEAL_S][row] = NAN;
			if (i == 1)
				c->samples.value[SAMPLE_SYSTEM_CPU_S][row] = NAN;
			for (int f = SAMPLE_FAULTS_MINOR; f < SAMPLE_FIELDS; f++)
				c->samples.value[f][row] = f + (int)i;
			c->samples.value[SAMPLE_GATHER_S][row] = 0.153 + i;
			c->samples.value[SAMPLE_ROUND][row] = i;
			c->samples.value[SAMPLE_WARMUP][row] = i == 0;
		}
	}
	return r;
}

static void save_sample(unsigned int rows)
{
	struct result *r = sample_result(rows);
	struct failure why = { 0 };

	assert_int_equal(result_save(r, dir, &why), 0);
	result_free(r);
}

static struct result *load_it(void)
{
	struct result *r = NULL;
	struct failure why = { 0 };
	int err = result_load(dir, &r, &why);

	if (err)
		print_error("%s\n", why.text);
	assert_int_equal(err, 0);
	assert_non_null(r);
	return r;
}

static void assert_refused(const char *says)
{
	struct result *r = NULL;
	struct failure why = { 0 };

	assert_true(result_load(path, &r, &why) < 0);
	assert_null(r);
	assert_int_equal(why.exit_code, EXIT_WRONG_USE);
	if (!strstr(why.text, says))
		print_error("expected \"%s\" in \"%s\"\n", says, why.text);
	assert_non_null(strstr(why.text, says));
	/* the reader is told which file, in one line */
	assert_non_null(strstr(why.text, path));
	assert_null(strchr(why.text, '\n'));
}

static void goes_round(void **state)
{
	struct failure why = { 0 };
	char *first, *second;
	size_t first_len, second_len;
	struct result *r;

	(void)state;
	save_sample(8);
	first = slurp(&first_len);
	r = load_it();
	assert_int_equal(result_save(r, dir, &why), 0);
	result_free(r);
	second = slurp(&second_len);
	assert_int_equal(first_len, second_len);
	assert_memory_equal(first, second, first_len);
	assert_int_equal(first[first_len - 1], '\n');
	free(first);
	free(second);
}

static void brings_everything_back(void **state)
{
	struct result *r;

	(void)state;
	save_sample(3);
	r = load_it();
	assert_int_equal(r->case_count, 3);
	assert_string_equal(r->cases[0].method, "read_write");
	assert_int_equal(r->cases[0].chunk, 0);
	assert_int_equal(r->cases[0].status, CASE_OK);
	assert_null(r->cases[0].reason);
	assert_int_equal(r->cases[1].status, CASE_SKIPPED);
	assert_string_equal(r->cases[1].reason, "because of \"this\"");
	assert_int_equal(r->cases[2].status, CASE_FAILED);
	assert_int_equal(r->cases[1].payload, 327680000);
	assert_int_equal(r->cases[0].samples.count, 3);
	assert_int_equal(r->cases[2].samples.count, 0);
	/* null is NaN, and NaN was null: neither 0 nor left out */
	assert_true(isnan(r->cases[0].samples.value[SAMPLE_STEAL_S][0]));
	assert_true(isnan(r->cases[0].samples.value[SAMPLE_SYSTEM_CPU_S][1]));
	assert_true(!isnan(r->cases[0].samples.value[SAMPLE_SYSTEM_CPU_S][2]));
	assert_near(r->cases[0].samples.value[SAMPLE_WARMUP][0], 1, 0);
	/* the last column is a time among whole numbers */
	assert_near(r->cases[0].samples.value[SAMPLE_GATHER_S][1], 1.153, 1e-12);
	assert_int_equal(json_array_size(r->warnings), 1);
	assert_int_equal(json_integer_value(json_object_get(r->settings, "seed")), INT64_MAX);
	result_free(r);
}

static void an_empty_study_is_a_document(void **state)
{
	struct result *r = result_new();
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(result_save(r, dir, &why), 0);
	result_free(r);
	r = load_it();
	assert_int_equal(r->case_count, 0);
	result_free(r);
}

static void warns_once_of_each_thing(void **state)
{
	struct result *r = result_new();

	(void)state;
	result_warn(r, "a", "text", "effect");
	result_warn(r, "b", "text", "effect");
	result_warn(r, "a", "other text", "effect");
	assert_int_equal(json_array_size(r->warnings), 2);
	result_free(r);
}

static void counts_have_two_shapes(void **state)
{
	json_t *known = measured(10000, "probe"), *unknown = unmeasured("no probe"),
	       *half = measured(0.5, "ratio");

	(void)state;
	assert_true(json_is_integer(json_object_get(known, "value")));
	assert_int_equal(json_integer_value(json_object_get(known, "value")), 10000);
	assert_true(json_is_null(json_object_get(unknown, "value")));
	assert_string_equal(json_string_value(json_object_get(unknown, "reason")), "no probe");
	assert_true(json_is_real(json_object_get(half, "value")));
	json_decref(known);
	json_decref(unknown);
	json_decref(half);
}

static void replaces_atomically(void **state)
{
	struct failure why = { 0 };
	struct result *r = sample_result(2);
	char missing[128], stale[128];
	char *text;
	size_t len;
	FILE *file;

	(void)state;
	/* what a killed run left behind is not in the way */
	snprintf(stale, sizeof(stale), "%s/.result.json.new", dir);
	file = fopen(stale, "we");
	assert_non_null(file);
	fputs("{", file);
	fclose(file);
	assert_int_equal(result_save(r, dir, &why), 0);
	assert_int_not_equal(access(stale, F_OK), 0);
	/* a folder that is not there: the old document stays, the failure is told */
	text = slurp(&len);
	snprintf(missing, sizeof(missing), "%s/missing", dir);
	assert_int_equal(result_save(r, missing, &why), -ENOENT);
	assert_int_equal(why.exit_code, EXIT_MACHINE_CANT);
	assert_non_null(strstr(why.text, "No such file or directory"));
	free(text);
	result_free(r);
}

static void refuses_every_cut(void **state)
{
	char *text;
	size_t len;

	(void)state;
	save_sample(1);
	text = slurp(&len);
	/* without its last newline it is still whole */
	for (size_t cut = 0; cut + 1 < len; cut++) {
		put(text, cut);
		assert_refused("is no whole JSON document");
	}
	put(text, len - 1);
	result_free(load_it());
	free(text);
}

static void refuses_what_is_no_document(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "is no whole JSON document" },
		{ "\n", "is no whole JSON document" },
		{ "hello", "is no whole JSON document" },
		{ "\xff\xfe{}", "is no whole JSON document" },
		{ "null", "is no whole JSON document" },
		{ "{} {}", "is no whole JSON document" },
		{ "[]", "has no \"schema\"" },
		{ "{}", "has no \"schema\"" },
		{ "{\"schema\": 1}", "has no \"schema\"" },
		{ "{\"schema\": \"copytax.result/2\"}", "has the schema \"copytax.result/2\"" },
		{ "{\"schema\": \"x\", \"schema\": \"y\"}", "duplicate object key" },
		{ "{\"schema\": \"copytax.result/1\"}", "\"tool\" is missing" },
		{ "{\"schema\": 1e999}", "is no whole JSON document" },
		{ "{\"schema\": 99999999999999999999}", "is no whole JSON document" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(bad[i].text, strlen(bad[i].text));
		assert_refused(bad[i].says);
	}
	put("{\"a\0b\": 1}", 10);
	assert_refused("is no whole JSON document");
}

static void refuses_depths(void **state)
{
	size_t len = 1 << 19;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	put(text, len);
	assert_refused("is no whole JSON document");
	free(text);
}

static void refuses_what_is_no_file(void **state)
{
	struct result *r = NULL;
	struct failure why = { 0 };

	(void)state;
	assert_refused("can't read");
	assert_true(result_load("/dev/zero", &r, &why) < 0);
	assert_non_null(strstr(why.text, "not a regular file"));
	/* a FIFO that nobody writes to must not be waited for */
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(5);
	assert_refused("not a regular file");
	alarm(0);
	unlink(path);
	/* larger than any result: told by its size, not read */
	put("{", 1);
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	assert_refused("not a regular file of a sensible size");
}

static json_t *document(void)
{
	json_error_t error;
	json_t *doc = json_load_file(path, 0, &error);

	assert_non_null(doc);
	return doc;
}

static void store(json_t *doc)
{
	assert_int_equal(json_dump_file(doc, path, JSON_ENCODE_ANY), 0);
}

static void refuses_ragged_columns(void **state)
{
	json_t *doc, *samples;

	(void)state;
	save_sample(3);
	doc = document();
	samples = json_object_get(json_array_get(json_object_get(doc, "cases"), 0), "samples");
	for (int f = 0; f < SAMPLE_FIELDS; f++) {
		json_t *column = json_object_get(samples, sample_field_name((enum sample_field)f));
		json_t *last = json_incref(json_array_get(column, 2));

		/* how connections shared is told of several only */
		if (f >= SAMPLE_SHARE_MIN && f <= SAMPLE_SHARE_JAIN) {
			assert_null(column);
			continue;
		}

		json_array_remove(column, 2);
		store(doc);
		assert_refused("differ in length");
		json_array_append(column, last);
		json_array_append_new(column, last);
		store(doc);
		assert_refused("differ in length");
		json_array_remove(column, 3);
		json_array_set_new(column, 1, json_string("1"));
		store(doc);
		assert_refused("neither a number nor null");
		json_array_set_new(column, 1, json_integer(1));
	}
	store(doc);
	result_free(load_it());
	json_decref(doc);
}

static void a_column_of_a_later_version_is_unknown(void **state)
{
	struct result *r;
	json_t *doc, *samples;

	(void)state;
	save_sample(3);
	doc = document();
	samples = json_object_get(json_array_get(json_object_get(doc, "cases"), 0), "samples");
	json_object_del(samples, sample_field_name(SAMPLE_RELEASE_CPU_S));
	json_object_set_new(samples, "unheard_of", json_array());
	store(doc);
	json_decref(doc);
	r = load_it();
	assert_true(isnan(r->cases[0].samples.value[SAMPLE_RELEASE_CPU_S][2]));
	result_free(r);
}

static void a_case_that_is_not_ok_says_why(void **state)
{
	json_t *doc, *kase;

	(void)state;
	save_sample(1);
	doc = document();
	kase = json_array_get(json_object_get(doc, "cases"), 1);
	json_object_set_new(kase, "reason", json_null());
	store(doc);
	assert_refused("without a reason");
	json_object_set_new(kase, "status", json_string("ok"));
	store(doc);
	result_free(load_it());
	json_decref(doc);
}

/* Loads what is in `path`; whatever is accepted must also be fit for use. */
static unsigned int swallow(void)
{
	struct result *r = NULL;
	struct failure why = { 0 };

	if (result_load(path, &r, &why)) {
		assert_int_equal(why.exit_code, EXIT_WRONG_USE);
		assert_true(strlen(why.text) > 10);
		return 0;
	}
	for (size_t i = 0; i < r->case_count; i++) {
		struct case_summary s;

		assert_int_equal(summarize(r, &r->cases[i], &s), 0);
		assert_true(r->cases[i].status == CASE_OK || r->cases[i].reason);
	}
	assert_int_equal(result_save(r, dir, &why), 0);
	result_free(r);
	return 1;
}

static json_t *odd_value(unsigned int i)
{
	switch (i) {
	case 0:
		return json_null();
	case 1:
		return json_true();
	case 2:
		return json_string("");
	case 3:
		return json_integer(-1);
	case 4:
		return json_integer(INT64_MAX);
	case 5:
		return json_real(1e300);
	case 6:
		return json_array();
	case 7:
		return json_object();
	default:
		return NULL;
	}
}

static unsigned int tried, accepted;

/* Every value in the document, one after the other, becomes something else, or is left out. */
static void disturb(json_t *doc, json_t *node)
{
	json_t *child, *odd;
	const char *key;
	void *iter;
	size_t k;

	if (json_is_object(node)) {
		for (iter = json_object_iter(node); iter; iter = json_object_iter_next(node, iter)) {
			child = json_incref(json_object_iter_value(iter));
			for (unsigned int i = 0; (odd = odd_value(i)); i++) {
				json_object_iter_set_new(node, iter, odd);
				store(doc);
				accepted += swallow();
				tried++;
			}
			json_object_iter_set_new(node, iter, child);
			disturb(doc, child);
		}
		json_t *whole = json_copy(node);

		json_object_foreach(whole, key, child) {
			json_object_del(node, key);
			store(doc);
			accepted += swallow();
			tried++;
			json_object_set(node, key, child);
		}
		json_decref(whole);
	}
	/* of a long column the first cell stands for all */
	for (k = 0; json_is_array(node) && k < json_array_size(node) && (k < 1 || k == 1); k++) {
		child = json_incref(json_array_get(node, k));
		for (unsigned int i = 0; (odd = odd_value(i)); i++) {
			json_array_set_new(node, k, odd);
			store(doc);
			accepted += swallow();
			tried++;
		}
		json_array_set_new(node, k, child);
		disturb(doc, child);
	}
}

static void survives_anything(void **state)
{
	json_t *doc;

	(void)state;
	save_sample(2);
	doc = document();
	disturb(doc, doc);
	assert_true(tried > 1000);
	/* facts may be anything; shape may not */
	assert_true(accepted > 0 && accepted < tried);
	store(doc);
	json_decref(doc);
	result_free(load_it());
}

int main(void)
{
#define IN_A_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		IN_A_DIR(goes_round),
		IN_A_DIR(brings_everything_back),
		IN_A_DIR(an_empty_study_is_a_document),
		cmocka_unit_test(warns_once_of_each_thing),
		cmocka_unit_test(counts_have_two_shapes),
		IN_A_DIR(replaces_atomically),
		IN_A_DIR(refuses_every_cut),
		IN_A_DIR(refuses_what_is_no_document),
		IN_A_DIR(refuses_depths),
		IN_A_DIR(refuses_what_is_no_file),
		IN_A_DIR(refuses_ragged_columns),
		IN_A_DIR(a_column_of_a_later_version_is_unknown),
		IN_A_DIR(a_case_that_is_not_ok_says_why),
		IN_A_DIR(survives_anything),
	};

	return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
