/* squares.c - the squares of a row of numbers, by a pool of threads; the results come in the order of the numbers.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <stdio.h>

enum { N = 12 };

static enum bob_err
square(void *arg, void **ret_value)
{
    long *number = arg;

    *number *= *number;
    *ret_value = number;
    return BOB_OK;
}

int
main(void)
{
    long numbers[N];
    void *args[N], *values[N];
    struct bob_executor *x =
        bob_executor_new("squares", NULL); /* as many threads as fit the machine */

    if (!x)
        return 1;
    for (int i = 0; i < N; i++) {
        numbers[i] = i;
        args[i] = &numbers[i];
    }
    enum bob_err err = bob_executor_map(x, square, args, N, values, NULL);
    if (err) {
        fprintf(stderr, "%s\n", bob_strerror(err));
        return 1;
    }
    for (int i = 0; i < N; i++)
        printf("%ld%s", *(long *)values[i], i + 1 < N ? " " : "\n");
    bob_executor_free(x);
    return 0;
}
