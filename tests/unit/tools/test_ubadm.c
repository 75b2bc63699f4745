// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubadm's command line, and a route printed.
 */
#include <arpa/inet.h>
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

static void interfaces(void **state)
{
	struct ubadm_request req;

	accepted("ubadm net up pod0", &req);
	assert_int_equal(req.op, UBADM_NET_UP);
	assert_string_equal(req.pod, "pod0");
	accepted("ubadm n d p", &req);
	assert_int_equal(req.op, UBADM_NET_DOWN);
}

/* The plan for NPU @name with pod and number as in the EID, "interface ipv4 ipv6". */
static int plan(const char *name, uint32_t pod, uint32_t number, char *said, size_t size)
{
	struct ubnl_ubpu npu = { .has = UBNL_BIT(UB_A_EID), .eid = { 0xfd, 0x55, 0x42 } };
	char ipv4[INET_ADDRSTRLEN], ipv6[INET6_ADDRSTRLEN];
	struct ubadm_net_plan made;
	int ret;

	snprintf(npu.name, sizeof(npu.name), "%s", name);
	pod = htonl(pod);
	number = htonl(number);
	memcpy(npu.eid + 4, &pod, sizeof(pod));
	memcpy(npu.eid + 12, &number, sizeof(number));
	ret = ubadm_net_plan(&npu, &made);
	if (ret)
		return ret;
	inet_ntop(AF_INET, &made.ipv4, ipv4, sizeof(ipv4));
	inet_ntop(AF_INET6, made.ipv6, ipv6, sizeof(ipv6));
	snprintf(said, size, "%s %s %s", made.interface, ipv4, ipv6);
	return 0;
}

static void addresses(void **state)
{
	char said[128];

	assert_int_equal(plan("ub0", 0, 1, said, sizeof(said)), 0);
	assert_string_equal(said, "ubn0 10.85.0.1 fd55:4200::1");
	assert_int_equal(plan("ub12", 1, 5, said, sizeof(said)), 0);
	assert_string_equal(said, "ubn12 10.85.2.5 fd55:4200:0:1::5");
	assert_int_equal(plan("ub384", 2, 384, said, sizeof(said)), 0);
	assert_string_equal(said, "ubn384 10.85.5.128 fd55:4200:0:2::180");
	assert_int_equal(plan("ub9", 127, 510, said, sizeof(said)), 0);
	assert_string_equal(said, "ubn9 10.85.255.254 fd55:4200:0:7f::1fe");
	assert_int_equal(plan("ub9", 128, 1, said, sizeof(said)), -ERANGE);
	assert_int_equal(plan("ub9", 0, 511, said, sizeof(said)), -ERANGE);
	assert_int_equal(plan("ub9", 0, 0, said, sizeof(said)), -ERANGE);
	assert_int_equal(plan("pod0-sw1", 0, 1, said, sizeof(said)), -EINVAL);
}

static void bad_lines_get_a_sentence(void **state)
{
	char line[600] = "ubadm pod add p preset x";
	int i;

	refused("ubadm", "ubadm: object is missing: pod, link, route, net\n");
	refused("ubadm mtu", "ubadm: 'mtu' is no object; there is pod, link, route, net\n");
	refused("ubadm net", "ubadm: verb of net is missing: up, down\n");
	refused("ubadm net up", "ubadm: the pod's name is missing; see ubadm --help\n");
	refused("ubadm net down a b", "ubadm: 'b' is too much; see ubadm --help\n");
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
		cmocka_unit_test(interfaces),
		cmocka_unit_test(addresses),
		cmocka_unit_test(bad_lines_get_a_sentence),
		cmocka_unit_test(routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
