// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables of text; table.h says what they look like.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

void table_begin(struct table *table, const char * const *heading)
{
	*table = (struct table){ .heading = heading };
	while (heading[table->nr_columns])
		table->nr_columns++;
}

void table_cell(struct table *table, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (table->nr_cells == table->room) {
		size_t room = table->room ? 2 * table->room : 128;
		char **cell = reallocarray(table->cell, room, sizeof(*cell));

		if (!cell) {
			table->failed = 1;
			return;
		}
		table->cell = cell;
		table->room = room;
	}
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		table->failed = 1;
	table->cell[table->nr_cells++] = text;
}

static const char *table_text(const struct table *table, size_t cell)
{
	const char *text = table->cell[cell];

	return text && text[0] ? text : "-";
}

static bool table_is_number(const struct table *table, size_t column)
{
	return table->heading[column][0] == '>';
}

static const char *table_heading(const struct table *table, size_t column)
{
	return table->heading[column] + table_is_number(table, column);
}

static int table_width(const struct table *table, size_t column)
{
	size_t i, width = strlen(table_heading(table, column));

	for (i = column; i < table->nr_cells; i += table->nr_columns) {
		size_t length = strlen(table_text(table, i));

		if (length > width)
			width = length;
	}
	return width;
}

/* Nothing follows the last text of a line. */
static void table_put(const struct table *table, FILE *out, size_t column, int width,
		      const char *text)
{
	bool last = column + 1 == table->nr_columns;

	if (table_is_number(table, column))
		fprintf(out, "%*s", width, text);
	else
		fprintf(out, "%-*s", last ? 0 : width, text);
	fputs(last ? "\n" : "  ", out);
}

static void table_print(const struct table *table, FILE *out, const int *width)
{
	size_t i;

	for (i = 0; i < table->nr_columns; i++)
		table_put(table, out, i, width[i], table_heading(table, i));
	for (i = 0; i < table->nr_cells; i++)
		table_put(table, out, i % table->nr_columns, width[i % table->nr_columns],
			  table_text(table, i));
}

int table_end(struct table *table, FILE *out)
{
	int *width = calloc(table->nr_columns, sizeof(*width));
	int ret = -ENOMEM;
	size_t i;

	if (width && !table->failed) {
		for (i = 0; i < table->nr_columns; i++)
			width[i] = table_width(table, i);
		table_print(table, out, width);
		ret = 0;
	}
	for (i = 0; i < table->nr_cells; i++)
		free(table->cell[i]);
	free(table->cell);
	free(width);
	return ret;
}
