// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: who may do what, bad requests, dumps, events. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <linux/genetlink.h>

#include "ub_test.h"

FIXTURE(netlink) {
	struct ub_pod pod;
	struct genl genl;
};

FIXTURE_SETUP(netlink)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-nl", 4, 64));
	ASSERT_EQ(0, genl_open(&self->genl));
}

FIXTURE_TEARDOWN(netlink)
{
	genl_close(&self->genl);
	ub_pod_drop(&self->pod);
}

struct count {
	unsigned int items, ours;
};

static void count_items(__u8 cmd, const struct genl_attrs *attrs, void *data)
{
	struct count *count = data;

	count->items++;
	count->ours += !strcmp(genl_str(attrs->first[UB_A_POD]), "t-nl");
}

/* What cannot be sent is refused like what is refused. */
static int dump(struct genl *genl, __u8 cmd, const char *pod, const char *ubpu,
		struct count *count)
{
	struct genl_msg msg;

	memset(count, 0, sizeof(*count));
	genl_msg_init(&msg, cmd);
	if (pod)
		genl_put_str(&msg, UB_A_POD, pod);
	if (ubpu)
		genl_put_str(&msg, UB_A_UBPU_NAME, ubpu);
	return genl_dump(genl, &msg, count_items, count, NULL);
}

static void dumps_are_complete(struct __test_metadata *_metadata, FIXTURE_DATA(netlink) *self)
{
	struct count count;
	struct genl_msg msg;
	struct genl genl;
	char name[16];

	ASSERT_EQ(0, genl_open(&genl));
	EXPECT_EQ(0, dump(&genl, UB_CMD_POD_GET, NULL, NULL, &count));
	EXPECT_EQ(1, count.ours);
	EXPECT_EQ(0, dump(&genl, UB_CMD_UBPU_GET, NULL, NULL, &count));
	EXPECT_EQ(4, count.ours);
	EXPECT_EQ(0, dump(&genl, UB_CMD_LINK_GET, NULL, NULL, &count));
	EXPECT_EQ(6, count.ours);
	genl_msg_init(&msg, UB_CMD_ROUTE_GET);
	snprintf(name, sizeof(name), "ub%u", self->pod.npu[0]);
	genl_put_str(&msg, UB_A_UBPU_NAME, name);
	snprintf(name, sizeof(name), "ub%u", self->pod.npu[3]);
	genl_put_str(&msg, UB_A_PEER_NAME, name);
	EXPECT_EQ(0, genl_do(&genl, &msg, NULL, NULL));
	genl_close(&genl);
}

TEST_F(netlink, dumps_are_for_everybody)
{
	pid_t pid;

	dumps_are_complete(_metadata, self);
	pid = ub_fork();
	if (!pid) {
		ASSERT_EQ(0, ub_become(65534));
		dumps_are_complete(_metadata, self);
		_exit(TEST_STATUS());
	}
	EXPECT_EQ(0, ub_join(pid));
}

static int pod_set_upi(const char *pod, __u32 upi)
{
	struct genl_msg msg;
	struct genl genl;
	int ret = genl_open(&genl);

	if (ret)
		return ret;
	genl_msg_init(&msg, UB_CMD_POD_SET);
	genl_put_str(&msg, UB_A_POD, pod);
	genl_put_u32(&msg, UB_A_UPI, upi);
	ret = genl_do(&genl, &msg, NULL, NULL);
	genl_close(&genl);
	return ret;
}

static void administration_is_refused(struct __test_metadata *_metadata,
				      FIXTURE_DATA(netlink) *self)
{
	EXPECT_EQ(-EPERM, ub_pod_add("t-nl2", 2, 0));
	EXPECT_EQ(-EPERM, ub_pod_del("t-nl", false));
	EXPECT_EQ(-EPERM, ub_pod_del("t-nl", true));
	EXPECT_EQ(-EPERM, ub_pod_del("no-such-pod", true));
	EXPECT_EQ(-EPERM, pod_set_upi("t-nl", 7));
	EXPECT_EQ(-EPERM, ub_link_set(self->pod.npu[0], 0, false));
	EXPECT_EQ(-EPERM, ub_link_set_width(self->pod.npu[0], 0, 1));
}

TEST_F(netlink, administration_is_refused_to_others)
{
	pid_t pid = ub_fork();

	if (!pid) {
		ASSERT_EQ(0, ub_become(65534));
		administration_is_refused(_metadata, self);
		_exit(TEST_STATUS());
	}
	EXPECT_EQ(0, ub_join(pid));
}

/* To be root in a user namespace of one's own is not enough. */
TEST_F(netlink, administration_is_refused_to_root_of_a_namespace)
{
	pid_t pid = ub_fork();
	int ret;

	if (!pid) {
		if (ub_become(1000) || unshare(CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		administration_is_refused(_metadata, self);
		/* And with a network of one's own, where one is its admin. */
		if (!unshare(CLONE_NEWNET)) {
			administration_is_refused(_metadata, self);
			dumps_are_complete(_metadata, self);
		}
		_exit(TEST_STATUS());
	}
	ret = ub_join(pid);
	if (ret == KSFT_SKIP)
		SKIP(return, "user namespaces are not to be had here");
	EXPECT_EQ(0, ret);
}

static int pod_new(struct genl *genl, const char *name, const char *backend,
		   const char *preset, const char *key, const char *value)
{
	struct genl_msg msg;
	size_t nest;

	genl_msg_init(&msg, UB_CMD_POD_NEW);
	if (name)
		genl_put_str(&msg, UB_A_POD, name);
	if (backend)
		genl_put_str(&msg, UB_A_BACKEND, backend);
	if (preset)
		genl_put_str(&msg, UB_A_PRESET, preset);
	if (key) {
		nest = genl_nest_start(&msg, UB_A_PARAM);
		genl_put_str(&msg, UB_A_KEY, key);
		if (value)
			genl_put_str(&msg, UB_A_VALUE, value);
		genl_nest_end(&msg, nest);
	}
	return genl_do(genl, &msg, NULL, NULL);
}

TEST_F(netlink, names_of_pods)
{
	static const char * const bad[] = {
		"", " ", "a b", "a/b", "..", "a.b", "a\n", "\xc3\xa4", "1234567890123456",
		"12345678901234567890123456789012345678901234567890",
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_GT(0, pod_new(&self->genl, bad[i], NULL, "mesh1d", "npus", "2"));
	EXPECT_EQ(-EEXIST, pod_new(&self->genl, "t-nl", NULL, "mesh1d", "npus", "2"));
	EXPECT_EQ(0, pod_new(&self->genl, "123456789-_abcD", NULL, "mesh1d", "npus", "2"));
	EXPECT_EQ(0, ub_pod_del("123456789-_abcD", false));
	EXPECT_EQ(-ENOENT, ub_pod_del("123456789-_abcD", false));
}

TEST_F(netlink, parameters_of_pods)
{
	static const struct { const char *key, *value; int ret; } bad[] = {
		{ "npus", "1", -ERANGE }, { "npus", "65", -ERANGE }, { "npus", "-1", -ERANGE },
		{ "npus", "", -ERANGE }, { "npus", "2x", -ERANGE }, { "npus", "4294967298", -ERANGE },
		{ "lanes", "3", -EINVAL }, { "lanes", "0", -ERANGE }, { "lanes", "16", -ERANGE },
		{ "mem_mib", "0", -ERANGE }, { "mem_mib", "99999999", -ERANGE },
		{ "nonsense", "1", -EINVAL }, { "", "1", -EINVAL }, { "npus", NULL, -EINVAL },
	};
	struct genl_msg msg;
	size_t nest;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_EQ(bad[i].ret, pod_new(&self->genl, "t-nl2", NULL, "mesh1d", bad[i].key,
					      bad[i].value));
	EXPECT_EQ(-EOPNOTSUPP, pod_new(&self->genl, "t-nl2", NULL, "torus9d", NULL, NULL));
	EXPECT_EQ(-EINVAL, pod_new(&self->genl, "t-nl2", NULL, NULL, NULL, NULL));
	EXPECT_EQ(-EINVAL, pod_new(&self->genl, NULL, NULL, "mesh1d", NULL, NULL));
	EXPECT_EQ(-ENODEV, pod_new(&self->genl, "t-nl2", "hard", "mesh1d", NULL, NULL));
	genl_msg_init(&msg, UB_CMD_POD_NEW);
	genl_put_str(&msg, UB_A_POD, "t-nl2");
	genl_put_str(&msg, UB_A_PRESET, "mesh1d");
	for (i = 0; i < 17; i++) {
		nest = genl_nest_start(&msg, UB_A_PARAM);
		genl_put_str(&msg, UB_A_KEY, "npus");
		genl_put_str(&msg, UB_A_VALUE, "2");
		genl_nest_end(&msg, nest);
	}
	EXPECT_EQ(-E2BIG, genl_do(&self->genl, &msg, NULL, NULL));
	EXPECT_EQ(-ENOENT, ub_pod_del("t-nl2", false));
}

TEST_F(netlink, bad_attributes_are_refused)
{
	struct genl_msg msg;
	__u16 type;
	__u32 u = 1;
	char unterminated[8] = { 't', '-', 'n', 'l', 'x', 'x', 'x', 'x' };

	/* Without what a command needs. */
	for (type = UB_CMD_POD_NEW; type <= UB_CMD_ROUTE_GET; type++) {
		if (type == UB_CMD_UBPU_GET || type == UB_CMD_LINK_GET)
			continue;
		genl_msg_init(&msg, type);
		EXPECT_EQ(-EINVAL, genl_do(&self->genl, &msg, NULL, NULL));
	}
	/* What only answers carry, and what nobody knows. */
	for (type = 1; type < 60; type++) {
		if (type == UB_A_POD || type == UB_A_FORCE || type == UB_A_PAD)
			continue;
		genl_msg_init(&msg, UB_CMD_POD_DEL);
		genl_put(&msg, type, unterminated, 3);
		EXPECT_GT(0, genl_do(&self->genl, &msg, NULL, NULL));
	}
	genl_msg_init(&msg, UB_CMD_POD_DEL);
	genl_put(&msg, UB_A_POD, unterminated, sizeof(unterminated));
	EXPECT_GT(0, genl_do(&self->genl, &msg, NULL, NULL));
	genl_msg_init(&msg, UB_CMD_POD_SET);
	genl_put_str(&msg, UB_A_POD, "t-nl");
	genl_put(&msg, UB_A_UPI, &u, 2);
	EXPECT_GT(0, genl_do(&self->genl, &msg, NULL, NULL));
	EXPECT_EQ(-ERANGE, pod_set_upi("t-nl", 0));
	EXPECT_EQ(-ERANGE, pod_set_upi("t-nl", 0x8000));
	EXPECT_EQ(-ENOENT, pod_set_upi("t-nl2", 1));
	EXPECT_EQ(0, pod_set_upi("t-nl", 0x7fff));
	/* Commands that there are not. */
	genl_msg_init(&msg, UB_CMD_LINK_NTF);
	EXPECT_EQ(-EOPNOTSUPP, genl_do(&self->genl, &msg, NULL, NULL));
	genl_msg_init(&msg, 200);
	EXPECT_EQ(-EOPNOTSUPP, genl_do(&self->genl, &msg, NULL, NULL));
}

TEST_F(netlink, links_are_set_within_bounds)
{
	unsigned int npu = self->pod.npu[0];
	struct genl_msg msg;
	char name[16];
	__u32 state;

	EXPECT_EQ(-ENXIO, ub_link_set(npu, 3, false));
	EXPECT_EQ(-ENXIO, ub_link_set(npu, ~0U, false));
	EXPECT_EQ(-ENXIO, ub_link_set(4095, 0, false));
	EXPECT_EQ(-ERANGE, ub_link_set_width(npu, 0, 0));
	EXPECT_EQ(-ERANGE, ub_link_set_width(npu, 0, 5));
	EXPECT_EQ(-ERANGE, ub_link_set_width(npu, 0, ~0U));
	EXPECT_EQ(-ERANGE, ub_link_set_width(npu, 0, 257));
	EXPECT_EQ(0, ub_link_set_width(npu, 0, 1));
	snprintf(name, sizeof(name), "ub%u", npu);
	for (state = 0; state < 6; state++) {
		if (state == UB_LINK_DOWN || state == UB_LINK_UP)
			continue;
		genl_msg_init(&msg, UB_CMD_LINK_SET);
		genl_put_str(&msg, UB_A_UBPU_NAME, name);
		genl_put_u32(&msg, UB_A_PORT, 0);
		if (state != 5)	/* else neither, and both below */
			genl_put_u32(&msg, UB_A_STATE, state);
		if (state == 4)
			genl_put_u32(&msg, UB_A_WIDTH, 1);
		EXPECT_EQ(-EINVAL, genl_do(&self->genl, &msg, NULL, NULL));
	}
}

TEST_F(netlink, dumps_are_filtered)
{
	struct count count;
	char name[16];

	EXPECT_EQ(0, dump(&self->genl, UB_CMD_UBPU_GET, "t-nl", NULL, &count));
	EXPECT_EQ(4, count.items);
	EXPECT_EQ(0, dump(&self->genl, UB_CMD_LINK_GET, "t-nl", NULL, &count));
	EXPECT_EQ(6, count.items);
	EXPECT_EQ(0, dump(&self->genl, UB_CMD_LINK_GET, "no-such", NULL, &count));
	EXPECT_EQ(0, count.items);
	snprintf(name, sizeof(name), "ub%u", self->pod.npu[2]);
	EXPECT_EQ(0, dump(&self->genl, UB_CMD_LINK_GET, NULL, name, &count));
	EXPECT_EQ(3, count.items);
	EXPECT_EQ(3, count.ours);
	EXPECT_EQ(0, dump(&self->genl, UB_CMD_LINK_GET, "t-nl", name, &count));
	EXPECT_EQ(3, count.items);
}

/* A pod that comes or goes between two parts marks the rest. */
TEST_F(netlink, an_interrupted_dump_says_so)
{
	struct count count = { 0 };
	bool interrupted = false;
	struct genl_msg msg;
	int ret;

	ASSERT_EQ(0, ub_pod_add("t-nl-big", 32, 0));
	genl_msg_init(&msg, UB_CMD_LINK_GET);
	ASSERT_EQ(0, genl_dump_start(&self->genl, &msg));
	ret = genl_dump_more(&self->genl, 4096, count_items, &count, &interrupted);
	ASSERT_EQ(0, ret);
	ASSERT_FALSE(interrupted);
	ASSERT_EQ(0, ub_pod_add("t-nl2", 2, 0));
	while (!ret)
		ret = genl_dump_more(&self->genl, 0, count_items, &count, &interrupted);
	EXPECT_EQ(1, ret);
	EXPECT_TRUE(interrupted);
	/* And one that nothing disturbs does not. */
	interrupted = false;
	count.items = 0;
	genl_msg_init(&msg, UB_CMD_LINK_GET);
	genl_put_str(&msg, UB_A_POD, "t-nl-big");
	EXPECT_EQ(0, genl_dump(&self->genl, &msg, count_items, &count, &interrupted));
	EXPECT_FALSE(interrupted);
	EXPECT_EQ(32 * 31 / 2, count.items);
	/* The pod goes in the middle of its own dump. */
	genl_msg_init(&msg, UB_CMD_LINK_GET);
	genl_put_str(&msg, UB_A_POD, "t-nl-big");
	ASSERT_EQ(0, genl_dump_start(&self->genl, &msg));
	ret = genl_dump_more(&self->genl, 4096, count_items, &count, &interrupted);
	EXPECT_EQ(0, ub_pod_del("t-nl-big", false));
	while (!ret)
		ret = genl_dump_more(&self->genl, 0, count_items, &count, &interrupted);
	EXPECT_EQ(1, ret);
	EXPECT_TRUE(interrupted);
	EXPECT_EQ(0, ub_pod_del("t-nl2", false));
}

static void note_event(__u8 cmd, const struct genl_attrs *attrs, void *data)
{
	int *seen = data;

	seen[0] += cmd == UB_CMD_LINK_NTF && genl_u32(attrs->first[UB_A_STATE]) == UB_LINK_DOWN;
	seen[1] += cmd == UB_CMD_POD_NTF && !attrs->first[UB_A_GONE];
	seen[2] += cmd == UB_CMD_POD_NTF && attrs->first[UB_A_GONE];
}

TEST_F(netlink, events_are_for_everybody)
{
	struct timeval limit = { UB_LIVENESS_S, 0 };
	int seen[3] = { 0 }, i;
	struct genl genl;

	ASSERT_EQ(0, genl_open(&genl));
	ASSERT_EQ(0, setsockopt(genl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &genl.group,
				sizeof(genl.group)));
	setsockopt(genl.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	genl.seq = 0; /* that of events */
	ASSERT_EQ(0, ub_link_set(self->pod.npu[0], 0, false));
	ASSERT_EQ(0, ub_pod_add("t-nl2", 2, 0));
	ASSERT_EQ(0, ub_pod_del("t-nl2", false));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, genl_dump_more(&genl, 0, note_event, seen, NULL));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1, seen[i]);
	genl_close(&genl);
}

TEST_F(netlink, random_requests_do_no_harm)
{
	int rounds = ub_long() ? 200000 : ub_debug_kernel() ? 1000 : 5000;
	unsigned int seed = ub_seed();
	struct genl_msg msg;
	struct count count;
	int i, k, n;

	for (i = 0; i < rounds; i++) {
		char junk[40];

		/* A pod of random name or parameters is made now and then: that is fine. */
		genl_msg_init(&msg, rand_r(&seed) % 14);
		if (rand_r(&seed) & 1)
			genl_put_str(&msg, UB_A_POD, rand_r(&seed) & 1 ? "t-nl" : "t-nl-junk");
		for (k = rand_r(&seed) % 5; k; k--) {
			for (n = 0; n < (int)sizeof(junk); n++)
				junk[n] = rand_r(&seed) >> 5;
			genl_put(&msg, rand_r(&seed) % 48 | (rand_r(&seed) & 1 ? NLA_F_NESTED : 0),
				 junk, rand_r(&seed) % sizeof(junk));
		}
		if (rand_r(&seed) & 1)
			genl_do(&self->genl, &msg, NULL, NULL);
		else
			genl_dump(&self->genl, &msg, NULL, NULL, NULL);
	}
	ub_pod_del("t-nl-junk", true);
	EXPECT_EQ(0, dump(&self->genl, UB_CMD_POD_GET, NULL, NULL, &count));
}

TEST_HARNESS_MAIN
