// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubadm's command line, and a route printed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ubadm.h"

#define MAX_WORDS 48

static char text[1024];
static char *words[MAX_WORDS + 1];

/* Parses a line of words; *said: the sentence, to be freed. */
static int parse(const char *line, struct ubadm_request *req, char **said)
{
	char *save = NULL, *word;
	size_t length;
	int argc = 0, ret;
	FILE *err;

	snprintf(text, sizeof(text), "%s", line);
	memset(words, 0, sizeof(words));
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		words[argc++] = word;
	err = open_memstream(said, &length);
	ret = ubadm_parse(argc, words, req, err);
	fclose(err);
	return ret;
}

static void accepted(const char *line, struct ubadm_request *req)
{
	char *said;

	assert_int_equal(parse(line, req, &said), 0);
	assert_string_equal(said, "");
	free(said);
}

static void refused(const char *line, const char *sentence)
{
	struct ubadm_request req;
	char *said;

	assert_int_equal(parse(line, &req, &said), -EINVAL);
	assert_string_equal(said, sentence);
	free(said);
}

static void pods(void **state)
{
	struct ubadm_request req;

	accepted("ubadm pod add p backend soft preset mesh1d npus 4 lanes 2", &req);
	assert_int_equal(req.op, UBADM_POD_ADD);
	assert_string_equal(req.pod, "p");
	assert_string_equal(req.backend, "soft");
	assert_string_equal(req.preset, "mesh1d");
	assert_int_equal(req.nr_params, 2);
	assert_string_equal(req.param[1].key, "lanes");
	assert_string_equal(req.param[1].value, "2");

	accepted("ubadm p d p", &req);
	assert_int_equal(req.op, UBADM_POD_DEL);
	assert_false(req.force);
	accepted("ubadm pod del --force p", &req);
	assert_true(req.force);
	accepted("ubadm pod del p force", &req);
	assert_true(req.force);

	accepted("ubadm pod set p upi 0x7fff", &req);
	assert_int_equal(req.op, UBADM_POD_SET_UPI);
	assert_int_equal(req.value, 32767);
}

static void links(void **state)
{
	struct ubadm_request req;

	accepted("ubadm link set pod0-sw1/12 down", &req);
	assert_int_equal(req.op, UBADM_LINK_SET_STATE);
	assert_string_equal(req.device, "pod0-sw1");
	assert_int_equal(req.port, 12);
	assert_int_equal(req.value, UB_LINK_DOWN);
	accepted("ubadm l s ub0/0 u", &req);
	assert_int_equal(req.value, UB_LINK_UP);
	accepted("ubadm link set ub0/0 width 3", &req);
	assert_int_equal(req.op, UBADM_LINK_SET_WIDTH);
	assert_int_equal(req.value, 3);
}

static void bad_lines_get_a_sentence(void **state)
{
	char line[600] = "ubadm pod add p preset x";
	int i;

	refused("ubadm", "ubadm: object is missing: pod, link, route\n");
	refused("ubadm net up", "ubadm: 'net' is no object; there is pod, link, route\n");
	refused("ubadm pod", "ubadm: verb of pod is missing: add, del, set\n");
	refused("ubadm pod add p npus",  "ubadm: the value of 'npus' is missing\n");
	refused("ubadm pod add p npus 3",
		"ubadm: the preset is missing: pod add p preset mesh1d\n");
	refused("ubadm pod add p2345678901234567 preset x",
		"ubadm: a pod's name has 1 to 15 characters\n");
	refused("ubadm pod del", "ubadm: the pod's name is missing; see ubadm --help\n");
	refused("ubadm pod del a b", "ubadm: 'b' is no option; there is force\n");
	refused("ubadm pod set p upi 32768",
		"ubadm: upi is a number from 1 to 32767, not '32768'\n");
	refused("ubadm link set ub0 up",
		"ubadm: 'ub0' is no port like ub0/3; `ubstat port` lists all\n");
	refused("ubadm link set ub0/0 width 0",
		"ubadm: a width is a number from 1 to 255, not '0'\n");
	refused("ubadm link set ub0/4294967296 up",
		"ubadm: 'ub0/4294967296' is no port like ub0/3; `ubstat port` lists all\n");
	refused("ubadm link set ub0/0 up down", "ubadm: 'down' is too much; see ubadm --help\n");
	refused("ubadm route get ub0", "ubadm: the device it leads to is missing; see ubadm --help\n");
	refused("ubadm route get ub0/1 ub1",
		"ubadm: 'ub0/1' is no device like ub0; `ubstat` lists all\n");
	refused("ubadm route get ub0 ub1 --force", "ubadm: --force is for pod del\n");
	refused("ubadm -j pod del p", "ubadm: --json is for route get; nothing else has an answer\n");
	refused("ubadm --colour", "ubadm: there is no option '--colour'; see ubadm --help\n");
	for (i = 0; i < 17; i++)
		strcat(line, " key value");
	refused(line, "ubadm: more than 16 parameters\n");
}

static void show(bool json, const struct ubnl_route *route, const char *wanted)
{
	struct ubadm_request req = { .json = json, .device = "ub0", .peer = "ub5" };
	size_t length;
	char *got;
	FILE *out = open_memstream(&got, &length);

	assert_int_equal(ubadm_show_route(&req, route, out), 0);
	fclose(out);
	assert_string_equal(got, wanted);
	free(got);
}

static void routes(void **state)
{
	struct ubnl_route route = {
		.nr = 2,
		.hop = { { ~0ULL, 3, "ub0", 2 }, { 0, 4711, "ub3", 4 } },
	};

	show(false, &route, "ub0/2 -> ub3/4 -> ub5\n");
	show(true, &route,
	     "{\n  \"schema\":1,\n  \"from\":\"ub0\",\n  \"to\":\"ub5\",\n  \"hops\":[\n"
	     "    {\n      \"device\":\"ub0\",\n      \"port\":2,\n      \"link\":3\n    },\n"
	     "    {\n      \"device\":\"ub3\",\n      \"port\":4,\n      \"link\":null\n    }\n"
	     "  ]\n}\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods),
		cmocka_unit_test(links),
		cmocka_unit_test(bad_lines_get_a_sentence),
		cmocka_unit_test(routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
