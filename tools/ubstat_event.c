// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubstat events: a line per change, for people or as JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

#include "ubstat.h"

static void event_text(const struct ubnl_event *event, FILE *out)
{
	const struct ubnl_link *link = &event->link;
	const struct ubnl_pod *pod = &event->pod;

	if (event->is_link)
		fprintf(out, "link %s/%" PRIu32 " %s/%" PRIu32 " %s width %" PRIu32 "/%" PRIu32
			" (pod %s)\n", link->end[0].name, link->end[0].port,
			link->end[1].name, link->end[1].port, ubstat_state(link) ?: "-",
			link->width, link->width_max, link->pod);
	else if (pod->gone)
		fprintf(out, "pod %s gone\n", pod->name);
	else
		fprintf(out, "pod %s npus %" PRIu32 " links %" PRIu32 " upi %" PRIu32
			" backend %s\n", pod->name, pod->nr_npus, pod->nr_links, pod->upi,
			pod->backend);
}

/* JSON lines: one object each. */
static int event_json(const struct ubnl_event *event, const char *time, FILE *out)
{
	struct json_object *top = json_object_new_object();
	const char *text;

	json_object_object_add(top, "schema", json_object_new_int(UBSTAT_SCHEMA));
	json_object_object_add(top, "time", *time ? json_object_new_string(time) : NULL);
	if (event->is_link) {
		json_object_object_add(top, "event", json_object_new_string("link"));
		json_object_object_add(top, "link", ubstat_json_link(&event->link));
	} else {
		json_object_object_add(top, "event", json_object_new_string("pod"));
		json_object_object_add(top, "gone", json_object_new_boolean(event->pod.gone));
		json_object_object_add(top, "pod", ubstat_json_pod(&event->pod));
	}
	text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(top);
	return text ? 0 : -ENOMEM;
}

int ubstat_show_event(bool json, const struct ubnl_event *event, const char *time, FILE *out)
{
	if (json)
		return event_json(event, time, out);
	if (*time)
		fprintf(out, "%s ", time);
	event_text(event, out);
	return 0;
}
