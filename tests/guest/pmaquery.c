// SPDX-License-Identifier: BSD-2-Clause
/*
 * Asks the performance management agent (PMA) of a port by a MAD over RoCE, which
 * perfquery cannot: it takes targets by LID. Goes through libibumad.
 *
 * usage: pmaquery DEVICE GID info|counters|extended|ATTRIBUTE [get|set] [PORT]
 *
 * DEVICE asks, GID is of who answers: as /sys/class/infiniband/D/ports/1/gids/0 has it.
 * ATTRIBUTE is a number. Prints a line NAME VALUE for each field, and "status S" first.
 *
 * Status: 0 answered, whatever the answer's status; 1 no answer; 2 usage.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <infiniband/umad.h>
#include <infiniband/umad_types.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PMA_CLASS = 4, PMA_INFO = 0x01, PMA_COUNTERS = 0x12, PMA_EXTENDED = 0x1d };

/* A MAD of the class: 40 bytes behind the header are reserved. */
struct pma_mad {
	struct umad_hdr hdr;
	uint8_t reserved[40];
	uint8_t data[192];
};

/* Where a field lies in the data, in bytes. IBTA volume 1, 16.1.3 and 16.1.4. */
struct field {
	const char *name;
	unsigned int at;
	unsigned int size;
};

static const struct field info[] = {
	{ "base_version", 0, 1 }, { "class_version", 1, 1 }, { "capability_mask", 2, 2 }, {},
};

static const struct field counters[] = {
	{ "link_downed", 7, 1 },	{ "port_xmit_data", 24, 4 }, { "port_rcv_data", 28, 4 },
	{ "port_xmit_packets", 32, 4 }, { "port_rcv_packets", 36, 4 }, {},
};

static const struct field extended[] = {
	{ "port_xmit_data", 8, 8 },	{ "port_rcv_data", 16, 8 },
	{ "port_xmit_packets", 24, 8 }, { "port_rcv_packets", 32, 8 }, {},
};

static const struct attribute {
	const char *name;
	unsigned int id;
	const struct field *fields;
} attributes[] = {
	{ "info", PMA_INFO, info },
	{ "counters", PMA_COUNTERS, counters },
	{ "extended", PMA_EXTENDED, extended },
};

/* Big-endian, of any size. */
static uint64_t field_value(const uint8_t *data, const struct field *field)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < field->size; i++)
		value = value << 8 | data[field->at + i];
	return value;
}

static void print_answer(const struct pma_mad *mad, const struct field *field)
{
	printf("status %u\n", ntohs(mad->hdr.status));
	for (; field && field->name; field++)
		printf("%s %llu\n", field->name,
		       (unsigned long long)field_value(mad->data, field));
}

static void fill_request(struct pma_mad *mad, unsigned int attribute, int set, unsigned int port)
{
	mad->hdr.base_version = 1;
	mad->hdr.mgmt_class = PMA_CLASS;
	mad->hdr.class_version = 1;
	mad->hdr.method = set ? 2 : 1;
	mad->hdr.tid = htobe64(0x7562);
	mad->hdr.attr_id = htons(attribute);
	if (attribute != PMA_INFO)
		mad->data[1] = port;
}

/* QP 1 of the port that has @gid; its key is the well-known one. */
static int set_target(void *umad, const char *gid)
{
	ib_mad_addr_t address = { .hop_limit = 1 };

	if (inet_pton(AF_INET6, gid, address.gid) != 1)
		return -EINVAL;
	umad_set_addr(umad, 0, 1, 0, 0x80010000);
	return umad_set_grh(umad, &address);
}

/* Sends what is in @umad and waits for the answer, which takes its place. */
static int ask(int port, void *umad)
{
	int agent = umad_register(port, PMA_CLASS, 1, 0, NULL);
	int length = sizeof(struct pma_mad);
	int ret;

	ret = agent < 0 ? agent : umad_send(port, agent, umad, length, 5000, 0);
	if (!ret)
		ret = umad_recv(port, umad, &length, 10000);
	return ret < 0 ? ret : -umad_status(umad);
}

int main(int argc, char **argv)
{
	const struct attribute *attribute = NULL;
	const struct field *fields = NULL;
	unsigned int i, id;
	void *umad;
	int port, ret;

	if (argc < 4 || argc > 6) {
		fputs("usage: pmaquery DEVICE GID info|counters|extended|ATTRIBUTE [get|set] [PORT]\n",
		      stderr);
		return 2;
	}
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (!strcmp(argv[3], attributes[i].name))
			attribute = &attributes[i];
	id = attribute ? attribute->id : strtoul(argv[3], NULL, 0);
	if (attribute)
		fields = attribute->fields;
	/* First: where a MAD begins depends on what the kernel of the port knows. */
	port = umad_open_port(argv[1], 1);
	if (port < 0) {
		fprintf(stderr, "pmaquery: %s: %s\n", argv[1], strerror(-port));
		return 1;
	}
	umad = umad_alloc(1, umad_size() + sizeof(struct pma_mad));
	if (!umad)
		return 1;
	fill_request(umad_get_mad(umad), id, argc > 4 && !strcmp(argv[4], "set"),
		     argc > 5 ? strtoul(argv[5], NULL, 0) : 1);
	ret = set_target(umad, argv[2]) ?: ask(port, umad);
	if (ret)
		fprintf(stderr, "pmaquery: %s has no answer of %s: %s\n", argv[1], argv[2],
			strerror(-ret));
	else
		print_answer(umad_get_mad(umad), fields);
	free(umad);
	umad_close_port(port);
	return ret ? 1 : 0;
}
