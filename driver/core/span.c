// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in pieces, and what a chunk of a transaction does with it.
 *
 * After ub_txn_prepare() nothing can fail: a chunk is performed and counted whole or
 * not at all. Programs poll the last byte of a message, so what is before its last
 * aligned 8 bytes is visible before these are, and these come at once.
 */
#include <linux/atomic.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "ub.h"

/* With highmem each page needs a mapping of its own. */
static bool ub_piece_grows(const struct bio_vec *piece, const struct page *page, u32 offset)
{
	if (IS_ENABLED(CONFIG_HIGHMEM))
		return false;
	return page_to_phys(piece->bv_page) + piece->bv_offset + piece->bv_len ==
	       page_to_phys(page) + offset;
}

/**
 * ub_span_add - add memory within a page
 * @span:	to it
 * @page:	the page
 * @offset:	in the page
 * @length:	bytes
 *
 * Return: false if there is no room.
 */
bool ub_span_add(struct ub_span *span, struct page *page, u32 offset, u32 length)
{
	struct bio_vec *piece = &span->piece[span->nr];

	if (span->nr && ub_piece_grows(piece - 1, page, offset)) {
		piece[-1].bv_len += length;
	} else if (span->nr < UB_SPAN_MAX) {
		piece->bv_page = page;
		piece->bv_offset = offset;
		piece->bv_len = length;
		span->nr++;
	} else {
		return false;
	}
	span->length += length;
	return true;
}

/* The same for kernel memory of the linear mapping, across pages. */
bool ub_span_add_kernel(struct ub_span *span, const void *addr, u32 length)
{
	u32 n;

	for (; length; addr += n, length -= n) {
		n = min_t(u32, length, PAGE_SIZE - offset_in_page(addr));
		if (!ub_span_add(span, virt_to_page(addr), offset_in_page(addr), n))
			return false;
	}
	return true;
}

/**
 * struct ub_cursor - a place in a span
 * @piece:	the piece
 * @at:		bytes into it
 */
struct ub_cursor {
	const struct bio_vec *piece;
	u32 at;
};

static void ub_cursor_advance(struct ub_cursor *cursor, u32 n)
{
	cursor->at += n;
	if (cursor->at == cursor->piece->bv_len) {
		cursor->piece++;
		cursor->at = 0;
	}
}

static u32 ub_cursor_left(const struct ub_cursor *cursor)
{
	return cursor->piece->bv_len - cursor->at;
}

static void *ub_cursor_map(const struct ub_cursor *cursor)
{
	return kmap_local_page(cursor->piece->bv_page) + cursor->piece->bv_offset + cursor->at;
}

/* A piece of the end: aligned power-of-two sizes are stored at once. */
static void ub_store(void *dst, const void *src, u32 n)
{
	u64 word;

	memcpy(&word, src, n);
	switch (n) {
	case 8:
		WRITE_ONCE(*(u64 *)dst, word);
		break;
	case 4:
		WRITE_ONCE(*(u32 *)dst, *(u32 *)&word);
		break;
	case 2:
		WRITE_ONCE(*(u16 *)dst, *(u16 *)&word);
		break;
	default:
		WRITE_ONCE(*(u8 *)dst, *(u8 *)&word);
	}
}

/* The end of a message, of at most 8 bytes in one aligned word, in order. */
static void ub_store_end(void *dst, const void *src, u32 length)
{
	u32 n;

	for (; length; dst += n, src += n, length -= n) {
		n = 1U << __fls(length);
		while (!IS_ALIGNED((unsigned long)dst, n))
			n >>= 1;
		ub_store(dst, src, n);
		smp_wmb(); /* a reader of the last byte sees what is before it */
	}
}

/*
 * Bytes at the end of a piece of @n that are the last of the message and lie in one
 * aligned word.
 */
static u32 ub_end_of(const void *dst, u32 n)
{
	return min_t(u32, n, ((unsigned long)dst + n - 1) % 8 + 1);
}

static void ub_move_piece(void *dst, const void *src, u32 n, bool end)
{
	u32 tail = end ? ub_end_of(dst, n) : 0;

	memcpy(dst, src, n - tail);
	if (!end)
		return;
	smp_wmb(); /* pairs with the barrier of who polls the end */
	ub_store_end(dst + n - tail, src + n - tail, tail);
}

static void ub_txn_move(const struct ub_txn *txn)
{
	struct ub_cursor from = { .piece = txn->src->piece };
	struct ub_cursor to = { .piece = txn->dst->piece };
	u32 left, n;
	void *dst;
	void *src;

	for (left = txn->length; left; left -= n) {
		n = min3(left, ub_cursor_left(&from), ub_cursor_left(&to));
		dst = ub_cursor_map(&to);
		src = ub_cursor_map(&from);
		ub_move_piece(dst, src, n, txn->last && n == left);
		kunmap_local(src);
		kunmap_local(dst);
		ub_cursor_advance(&from, n);
		ub_cursor_advance(&to, n);
	}
}

/* The word is 8 bytes, aligned, so in one piece. */
static void ub_txn_atomic(struct ub_txn *txn)
{
	struct ub_cursor at = { .piece = txn->dst->piece };
	u64 *word = ub_cursor_map(&at);

	if (txn->op == UB_TXN_COMPARE_SWAP)
		txn->result = cmpxchg64(word, txn->compare, txn->operand);
	else
		txn->result = atomic64_fetch_add(txn->operand, (atomic64_t *)word);
	kunmap_local(word);
}

/**
 * ub_txn_prepare - get everything that performing a chunk needs
 * @txn:	the chunk
 *
 * Return: 0 or -ENOMEM.
 */
int ub_txn_prepare(struct ub_txn *txn)
{
	return ub_route_prepare(txn->pod, &txn->in) ?: ub_route_prepare(txn->pod, &txn->out);
}
EXPORT_SYMBOL_GPL(ub_txn_prepare);

/* Does what a chunk that was prepared says. */
void ub_txn_perform(struct ub_txn *txn)
{
	if (txn->op == UB_TXN_MOVE)
		ub_txn_move(txn);
	else
		ub_txn_atomic(txn);
}
EXPORT_SYMBOL_GPL(ub_txn_perform);

/* Writes @length bytes to the start of a span. */
void ub_span_write(const struct ub_span *span, const void *from, u32 length)
{
	struct ub_cursor to = { .piece = span->piece };
	void *dst;
	u32 n;

	for (; length; from += n, length -= n) {
		n = min(length, ub_cursor_left(&to));
		dst = ub_cursor_map(&to);
		memcpy(dst, from, n);
		kunmap_local(dst);
		ub_cursor_advance(&to, n);
	}
}
