// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints a value of a JSON document on stdin, or the length of an array or of an
 * object. For scripts that run where there is neither jq nor python.
 *
 * usage: jsonget POINTER    (RFC 6901, like /links/0/width; "" is the document)
 *
 * Status: 0; 1 no such value; 2 stdin is not exactly one JSON document.
 */
#include <ctype.h>
#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <stdio.h>
#include <stdlib.h>

static struct json_object *read_document(void)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *document = NULL;
	char *text = NULL;
	size_t room = 0, at;
	ssize_t length;

	length = getdelim(&text, &room, EOF, stdin);
	if (tokener && length > 0) {
		document = json_tokener_parse_ex(tokener, text, length);
		if (json_tokener_get_error(tokener) != json_tokener_success)
			document = NULL;
		for (at = json_tokener_get_parse_end(tokener); (ssize_t)at < length; at++) {
			if (document && !isspace((unsigned char)text[at])) {
				json_object_put(document);
				document = NULL;
			}
		}
	}
	json_tokener_free(tokener);
	free(text);
	return document;
}

int main(int argc, char **argv)
{
	struct json_object *document = read_document(), *value = NULL;
	int ret = 1;

	if (argc != 2 || !document) {
		fputs("jsonget: stdin is not a JSON document\n", stderr);
		return 2;
	}
	if (!json_pointer_get(document, argv[1], &value)) {
		ret = 0;
		if (json_object_is_type(value, json_type_array))
			printf("%zu\n", json_object_array_length(value));
		else if (json_object_is_type(value, json_type_object))
			printf("%d\n", json_object_object_length(value));
		else
			puts(value ? json_object_get_string(value) : "null");
	}
	json_object_put(document);
	return ret;
}
