// SPDX-License-Identifier: GPL-2.0
/*
 * What is counted per uid: handles, memory, and wrong credentials.
 *
 * Guessing a TokenValue is made slow: after eight failures of a uid every
 * import of it waits before it is looked at, 10 ms doubling up to 1 s, one at a
 * time. A success resets the count, but at most once a second: importing a
 * segment of one's own is a success too, and would buy seven guesses each time.
 * Root is a uid like others. The count survives closing the device, or guessing
 * would only cost an open().
 */
#include <linux/delay.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ub.h"

#define UB_USER_HANDLES		65536	/* of all contexts of a uid together */
#define UB_FREE_FAILURES	8
#define UB_BACKOFF_MIN_MS	10
#define UB_BACKOFF_MAX_MS	1000
#define UB_RESET_EVERY		HZ
#define UB_FORGET_AFTER		(60 * HZ) /* without a context and a failure */

/**
 * struct ub_user - a uid
 * @node:	in ub_users, under ub_users_lock
 * @uid:	who
 * @nr_ctxs:	contexts; under ub_users_lock. A user without is kept while its
 *		failures are fresh.
 * @nr_handles:	segments and imports
 * @mem_used:	bytes that the uid's segments hold
 * @failures:	wrong credentials since the last success
 * @last:	jiffies of the last failure
 * @reset:	jiffies when a success last reset @failures
 * @queue:	held while waiting: parallel guesses wait in turn
 */
struct ub_user {
	struct hlist_node node;
	kuid_t uid;
	u32 nr_ctxs;
	atomic_t nr_handles;
	atomic64_t mem_used;
	atomic_t failures;
	unsigned long last;
	unsigned long reset;
	struct mutex queue;
};

static unsigned long uid_quota_mib;
module_param(uid_quota_mib, ulong, 0644);
MODULE_PARM_DESC(uid_quota_mib,
		 "MiB that the segments of one uid may hold (0: as much as backed_cap_mib)");

static DEFINE_HASHTABLE(ub_users, 6);
static DEFINE_MUTEX(ub_users_lock);

static bool ub_user_stale(const struct ub_user *user)
{
	return !user->nr_ctxs &&
	       (!atomic_read(&user->failures) ||
		time_after(jiffies, READ_ONCE(user->last) + UB_FORGET_AFTER));
}

/* Drops users whose failures are old; so the table is bounded by those who try. */
static void ub_users_prune(void)
{
	struct hlist_node *tmp;
	struct ub_user *user;
	int bucket;

	hash_for_each_safe(ub_users, bucket, tmp, user, node) {
		if (ub_user_stale(user)) {
			hash_del(&user->node);
			kfree(user);
		}
	}
}

struct ub_user *ub_user_get(kuid_t uid)
{
	struct ub_user *user;

	mutex_lock(&ub_users_lock);
	hash_for_each_possible(ub_users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			goto found;

	ub_users_prune();
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		goto out;
	user->uid = uid;
	user->reset = jiffies - UB_RESET_EVERY;
	mutex_init(&user->queue);
	hash_add(ub_users, &user->node, __kuid_val(uid));
found:
	user->nr_ctxs++;
out:
	mutex_unlock(&ub_users_lock);
	return user;
}

void ub_user_put(struct ub_user *user)
{
	mutex_lock(&ub_users_lock);
	user->nr_ctxs--;
	if (ub_user_stale(user)) {
		hash_del(&user->node);
		kfree(user);
	}
	mutex_unlock(&ub_users_lock);
}

int ub_user_charge_handle(struct ub_user *user)
{
	if (atomic_inc_return(&user->nr_handles) <= UB_USER_HANDLES)
		return 0;
	atomic_dec(&user->nr_handles);
	return -EDQUOT;
}

void ub_user_uncharge_handle(struct ub_user *user)
{
	atomic_dec(&user->nr_handles);
}

/*
 * By default a user may hold what could be backed if nobody else were there: all of
 * a machine that is his alone, and no promise that only a SIGBUS would break.
 */
static u64 ub_user_quota(void)
{
	unsigned long mib = READ_ONCE(uid_quota_mib);

	return mib ? ub_quota(mib) : (u64)ub_backed_cap() << PAGE_SHIFT;
}

int ub_user_charge_mem(struct ub_user *user, u64 bytes)
{
	return ub_charge(&user->mem_used, bytes, ub_user_quota()) ? 0 : -EDQUOT;
}

void ub_user_uncharge_mem(struct ub_user *user, u64 bytes)
{
	atomic64_sub(bytes, &user->mem_used);
}

/**
 * ub_user_backoff - wait as long as the failures of a user demand
 * @user:	who wants to import
 *
 * Return: 0, or -EINTR after a fatal signal.
 */
int ub_user_backoff(struct ub_user *user)
{
	int over = atomic_read(&user->failures) - UB_FREE_FAILURES;
	unsigned int ms;

	if (over < 0)
		return 0;
	if (mutex_lock_killable(&user->queue))
		return -EINTR;
	/* Those before us in the queue may have changed it. */
	over = atomic_read(&user->failures) - UB_FREE_FAILURES;
	if (over >= 0) {
		ms = min(UB_BACKOFF_MIN_MS << min(over, 8), UB_BACKOFF_MAX_MS);
		schedule_timeout_killable(msecs_to_jiffies(ms));
	}
	mutex_unlock(&user->queue);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

void ub_user_denied(struct ub_user *user)
{
	/* Saturates: whoever comes so far waits the longest time anyway. */
	atomic_add_unless(&user->failures, 1, INT_MAX);
	WRITE_ONCE(user->last, jiffies);
	if (atomic_read(&user->failures) >= UB_FREE_FAILURES)
		pr_warn_ratelimited("ub: uid %u: %d wrong credentials in a row\n",
				    from_kuid(&init_user_ns, user->uid),
				    atomic_read(&user->failures));
}

void ub_user_granted(struct ub_user *user)
{
	if (!atomic_read(&user->failures) ||
	    time_before(jiffies, READ_ONCE(user->reset) + UB_RESET_EVERY))
		return;
	WRITE_ONCE(user->reset, jiffies);
	atomic_set(&user->failures, 0);
}

void ub_users_exit(void)
{
	struct hlist_node *tmp;
	struct ub_user *user;
	int bucket;

	hash_for_each_safe(ub_users, bucket, tmp, user, node) {
		hash_del(&user->node);
		kfree(user);
	}
}
