// SPDX-License-Identifier: GPL-2.0
/*
 * Transactions in software: at once, memory to memory. UnifiedBus calls it TP
 * bypass: no packet is built, but every link that it would cross counts it.
 */
#include "soft.h"

int ub_soft_admit(struct ub_txn *txn)
{
	return ub_txn_prepare(txn);
}

void ub_soft_execute(struct ub_txn *txn)
{
	ub_route_account(txn->pod, &txn->in, txn->length);
	ub_route_account(txn->pod, &txn->out, txn->length);
	ub_txn_perform(txn);
}
