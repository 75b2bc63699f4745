// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words of a command line; word.h says what they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "word.h"

int word_find(const char * const *words, const char *given)
{
	size_t length = strlen(given);
	int i, found = -ENOENT;

	if (!length)
		return -ENOENT;
	for (i = 0; words[i]; i++) {
		if (!strcmp(words[i], given))
			return i;
		if (!strncmp(words[i], given, length))
			found = found == -ENOENT ? i : -E2BIG;
	}
	return found;
}

void word_list(FILE *out, const char * const *words, const char *prefix)
{
	size_t length = prefix ? strlen(prefix) : 0;
	const char *comma = "";

	for (; *words; words++) {
		if (length && strncmp(*words, prefix, length))
			continue;
		fprintf(out, "%s%s", comma, *words);
		comma = ", ";
	}
}

int word_u32(const char *given, uint32_t *value)
{
	unsigned long long number;
	char *end;

	/* strtoull() takes blanks and signs, we do not. */
	if (*given < '0' || *given > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(given, &end, strncasecmp(given, "0x", 2) ? 10 : 16);
	if (errno || *end || number > UINT32_MAX)
		return -EINVAL;
	*value = number;
	return 0;
}

int word_port(const char *given, char name[UBNL_NAME_LEN], int64_t *port)
{
	const char *slash = strchr(given, '/');
	size_t length = slash ? (size_t)(slash - given) : strlen(given);
	uint32_t number;

	if (!length || length >= UBNL_NAME_LEN)
		return -EINVAL;
	memcpy(name, given, length);
	name[length] = 0;
	*port = -1;
	if (!slash)
		return 0;
	if (word_u32(slash + 1, &number))
		return -EINVAL;
	*port = number;
	return 0;
}
