// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubstat's command line and what it prints. The expected output is in golden/;
 * UB_UPDATE=1 writes it anew, to be read before it is committed.
 */
#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canned.h"

#define MAX_WORDS 10

/* Parses a line of words; *said: the sentence, to be freed. */
static int parse(const char *line, struct ubstat_request *req, char **said)
{
	static char text[256];
	char *argv[MAX_WORDS + 1] = { NULL }, *save = NULL, *word;
	static char *kept[MAX_WORDS + 1];
	size_t length;
	int argc = 0, ret;
	FILE *err;

	snprintf(text, sizeof(text), "%s", line);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	memcpy(kept, argv, sizeof(kept));	/* req keeps pointers into it */
	err = open_memstream(said, &length);
	ret = ubstat_parse(argc, kept, req, err);
	fclose(err);
	return ret;
}

static char *read_golden(const char *name)
{
	char path[512], *text = NULL;
	size_t length = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
	file = fopen(path, "r");
	assert_non_null(file);
	if (getdelim(&text, &length, EOF, file) < 0)
		text[0] = 0;
	fclose(file);
	return text;
}

static void compare_golden(const char *name, const char *text)
{
	char *golden;

	if (getenv("UB_UPDATE")) {
		char path[512];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(text, file);
		fclose(file);
	}
	golden = read_golden(name);
	assert_string_equal(text, golden);
	free(golden);
}

/* What `ubstat LINE` prints of the canned snapshot. */
static char *show(const char *line)
{
	char command[256], *said, *text;
	struct ubstat_request req;
	size_t length;
	FILE *out;

	snprintf(command, sizeof(command), "ubstat %s", line);
	assert_int_equal(parse(command, &req, &said), 0);
	assert_string_equal(said, "");
	free(said);
	assert_int_equal(ubstat_check_names(&req, &canned, stderr), 0);
	out = open_memstream(&text, &length);
	assert_int_equal(req.json ? ubstat_show_json(&req, &canned, out) :
				    ubstat_show_table(&req, &canned, out), 0);
	fclose(out);
	return text;
}

static void golden(const char *line, const char *name)
{
	char *text = show(line);

	compare_golden(name, text);
	free(text);
}

static void tables_are_golden(void **state)
{
	golden("", "device.txt");
	golden("port", "port.txt");
	golden("link", "link.txt");
	golden("topo", "topo.txt");
	golden("npu", "npu.txt");
	golden("pod", "pod.txt");
}

static void json_is_golden(void **state)
{
	golden("-j", "device.json");
	golden("-j port", "port.json");
	golden("-j link", "link.json");
	golden("-j topo", "topo.json");
	golden("-j npu", "npu.json");
	golden("-j pod", "pod.json");
}

static void filters_are_golden(void **state)
{
	golden("link ub0/1", "link-ub0-1.txt");
	golden("port pod0-sw0 ub1/0", "port-sw0-ub1-0.txt");
	golden("topo ub1", "topo-ub1.txt");
	golden("device --pod old", "device-old.txt");
}

/* What is absent is null; the number in its place never gets out. */
static void absent_is_never_a_number(void **state)
{
	static const char * const lines[] = {
		"", "port", "link", "topo", "npu", "pod",
		"-j", "-j port", "-j link", "-j topo", "-j npu", "-j pod",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *text = show(lines[i]);

		assert_null(strstr(text, "4711"));
		free(text);
	}
}

static void large_pods_are_a_list(void **state)
{
	struct ubnl_pod pod = { ~0ULL, "big", "soft", 1, 1, 17, 17, 1, false };
	struct ubnl_ubpu ubpu[17] = {};
	struct ubnl_link link = canned.link[0];
	struct ubnl_snapshot snap = { &pod, ubpu, &link, 1, 17, 1 };
	struct ubstat_request req = { .verb = UBSTAT_TOPO };
	size_t i, length;
	char *text;
	FILE *out;

	strcpy(link.pod, "big");
	for (i = 0; i < 17; i++) {
		strcpy(ubpu[i].pod, "big");
		snprintf(ubpu[i].name, sizeof(ubpu[i].name), "ub%zu", i);
	}
	out = open_memstream(&text, &length);
	assert_int_equal(ubstat_show_topo(&req, &snap, out), 0);
	fclose(out);
	assert_string_equal(text, "# pod big, backend: soft\n"
			    "ub0  0:ub1/0:x4\nub1  0:ub0/0:x4\n");
	free(text);
}

static void check_event(bool json, const struct ubnl_event *event, const char *wanted)
{
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	assert_int_equal(ubstat_show_event(json, event, "12:00", out), 0);
	fclose(out);
	if (json) {
		struct json_object *top = json_tokener_parse(text);

		assert_non_null(top);
		json_object_put(top);
		assert_non_null(strstr(text, wanted));
		assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	} else {
		assert_string_equal(text, wanted);
	}
	free(text);
}

static void events_are_lines(void **state)
{
	struct ubnl_event link = { .is_link = true, .link = canned.link[1] };
	struct ubnl_event pod = { .pod = canned.pod[0] };

	check_event(false, &link, "12:00 link ub0/1 pod0-sw0/0 down width 4/4 (pod pod0)\n");
	check_event(false, &pod, "12:00 pod pod0 npus 2 links 3 upi 7 backend soft\n");
	pod.pod.gone = true;
	check_event(false, &pod, "12:00 pod pod0 gone\n");
	check_event(true, &link, "\"backend\":\"soft\"");
	check_event(true, &pod, "\"gone\":true");
}

/* ---- the command line ------------------------------------------------------- */

static void refused(const char *line, const char *sentence)
{
	struct ubstat_request req;
	char *said;

	assert_int_equal(parse(line, &req, &said), -EINVAL);
	assert_string_equal(said, sentence);
	free(said);
}

static void bad_lines_get_a_sentence(void **state)
{
	refused("ubstat --colour", "ubstat: there is no option '--colour'; see ubstat --help\n");
	refused("ubstat -jx", "ubstat: there is no option '-x'; see ubstat --help\n");
	refused("ubstat --pod", "ubstat: --pod needs an argument; see ubstat --help\n");
	refused("ubstat --pod a234567890123456",
		"ubstat: a pod's name has 1 to 15 characters\n");
	refused("ubstat events --count 0",
		"ubstat: --count takes a number from 1 on, not '0'\n");
	refused("ubstat po", "ubstat: 'po' is short for several verbs: port, pod\n");
	refused("ubstat diagnose", "ubstat: there is no verb 'diagnose'; there is device, port, "
		"link, topo, npu, pod, events; for a device: ubstat device DEV\n");
	refused("ubstat port ub0/",
		"ubstat: 'ub0/' is no device like ub0 and no port like ub0/3\n");
	refused("ubstat port ub0/-1",
		"ubstat: 'ub0/-1' is no device like ub0 and no port like ub0/3\n");
	refused("ubstat port /3",
		"ubstat: '/3' is no device like ub0 and no port like ub0/3\n");
	refused("ubstat pod pod0", "ubstat: for one pod: ubstat pod --pod POD\n");
}

static void verbs_may_be_abbreviated(void **state)
{
	struct ubstat_request req;
	char *said;

	assert_int_equal(parse("ubstat li ub0 --json ub1/3 --pod p", &req, &said), 0);
	assert_int_equal(req.verb, UBSTAT_LINK);
	assert_true(req.json);
	assert_int_equal(req.nr_names, 2);
	assert_string_equal(req.name[1], "ub1/3");
	assert_string_equal(req.pod, "p");
	free(said);
	assert_int_equal(parse("ubstat e -f --count 3", &req, &said), 0);
	assert_int_equal(req.verb, UBSTAT_EVENTS);
	assert_int_equal(req.count, 3);
	free(said);
}

static void unknown(const char *line, const char *sentence)
{
	struct ubstat_request req;
	char *said, *text;
	size_t length;
	FILE *err;

	assert_int_equal(parse(line, &req, &said), 0);
	free(said);
	err = open_memstream(&text, &length);
	assert_int_equal(ubstat_check_names(&req, &canned, err), -ENOENT);
	fclose(err);
	assert_string_equal(text, sentence);
	free(text);
}

static void unknown_names_get_a_sentence(void **state)
{
	unknown("ubstat link ub7", "ubstat: there is no device 'ub7'; `ubstat` lists all\n");
	unknown("ubstat port ub0 --pod old",
		"ubstat: there is no device 'ub0' in pod old; `ubstat` lists all\n");
	unknown("ubstat --pod x", "ubstat: there is no pod 'x'; `ubstat pod` lists all\n");
	unknown("ubstat port ub0/2",
		"ubstat: ub0 has no port 2; `ubstat port ub0` lists all\n");
	unknown("ubstat npu pod0-sw0",
		"ubstat: pod0-sw0 is no NPU; `ubstat device pod0-sw0` shows it\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_golden),
		cmocka_unit_test(json_is_golden),
		cmocka_unit_test(filters_are_golden),
		cmocka_unit_test(absent_is_never_a_number),
		cmocka_unit_test(large_pods_are_a_list),
		cmocka_unit_test(events_are_lines),
		cmocka_unit_test(bad_lines_get_a_sentence),
		cmocka_unit_test(verbs_may_be_abbreviated),
		cmocka_unit_test(unknown_names_get_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
