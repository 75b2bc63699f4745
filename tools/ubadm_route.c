// SPDX-License-Identifier: BSD-2-Clause
/*
 * A route, as text or JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

#include "ubadm.h"

static int route_json(const struct ubadm_request *req, const struct ubnl_route *route,
		      FILE *out)
{
	struct json_object *top = json_object_new_object();
	struct json_object *hops = json_object_new_array();
	const char *text;
	uint32_t i;

	json_object_object_add(top, "schema", json_object_new_int(1));
	json_object_object_add(top, "from", json_object_new_string(req->device));
	json_object_object_add(top, "to", json_object_new_string(req->peer));
	for (i = 0; i < route->nr; i++) {
		const struct ubnl_hop *hop = &route->hop[i];
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "device", json_object_new_string(hop->name));
		json_object_object_add(to, "port", json_object_new_uint64(hop->port));
		json_object_object_add(to, "link", hop->has & UBNL_BIT(UB_A_LINK_INDEX) ?
				       json_object_new_uint64(hop->link) : NULL);
		json_object_array_add(hops, to);
	}
	json_object_object_add(top, "hops", hops);
	text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(top);
	return text ? 0 : -ENOMEM;
}

int ubadm_show_route(const struct ubadm_request *req, const struct ubnl_route *route,
		     FILE *out)
{
	uint32_t i;

	if (req->json)
		return route_json(req, route, out);
	for (i = 0; i < route->nr; i++)
		fprintf(out, "%s/%" PRIu32 " -> ", route->hop[i].name, route->hop[i].port);
	fprintf(out, "%s\n", req->peer);
	return 0;
}
