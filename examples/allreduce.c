// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sum a vector over all ranks.
 *
 *	cc allreduce.c -o allreduce $(pkg-config --cflags --libs libub)
 *	./allreduce				alone: rank 0 of 1
 *	mpirun --oversubscribe -n 4 ./allreduce
 *	torchrun --no-python --nproc-per-node 4 ./allreduce
 */
#include <stdio.h>
#include <ub/ub.h>

#define COUNT	(1 << 20)

static int check(const float *sum, int nranks)
{
	float want = nranks * (nranks + 1) / 2.0f;

	for (int i = 0; i < COUNT; i++)
		if (sum[i] != want)
			return fprintf(stderr, "element %d is %g, not %g\n", i, sum[i], want);
	return 0;
}

int main(void)
{
	struct ub_comm *comm;
	float *send, *recv;
	int err;

	if (ub_comm_create(&comm, NULL)) {
		fprintf(stderr, "%s\n", ub_comm_error(NULL));
		return 1;
	}
	if (ub_alloc(ub_comm_device(comm), COUNT * sizeof(float), (void **)&send) ||
	    ub_alloc(ub_comm_device(comm), COUNT * sizeof(float), (void **)&recv)) {
		fprintf(stderr, "no memory\n");
		return 1;
	}
	for (int i = 0; i < COUNT; i++)
		send[i] = ub_comm_rank(comm) + 1;

	err = ub_allreduce(send, recv, COUNT, UB_FLOAT32, UB_SUM, comm, NULL);
	if (err)
		fprintf(stderr, "allreduce: %s\n", ub_comm_error(comm));
	else if (!check(recv, ub_comm_size(comm)) && ub_comm_rank(comm) == 0)
		printf("%d ranks, %d elements: all sums are %g\n",
		       ub_comm_size(comm), COUNT, recv[0]);
	else if (ub_comm_rank(comm) == 0)
		err = 1;

	ub_comm_destroy(comm);
	ub_free(send);
	ub_free(recv);
	return err != 0;
}
