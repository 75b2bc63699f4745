/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of text: a line of headings, columns as wide as their widest cell and
 * two blanks between them. A cell without text is "-": no cell is ever empty, so
 * that a line can be cut at its blanks.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table {
	const char * const *heading;
	size_t nr_columns;
	char **cell;
	size_t nr_cells;
	size_t room;
	int failed;	/* there was not enough memory */
};

/* @heading: ends with NULL; one that begins with '>' is a column of numbers. */
void table_begin(struct table *table, const char * const *heading);

/* The next cell, line by line. An empty text becomes "-". */
__attribute__((format(printf, 2, 3)))
void table_cell(struct table *table, const char *format, ...);

/* Prints it and frees it. 0, or -ENOMEM when something had no place. */
int table_end(struct table *table, FILE *out);

#endif /* TABLE_H */
