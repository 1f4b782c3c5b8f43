/* self.h - the calling thread's native id, asked of the kernel once.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_SELF_H
#define BOB_SELF_H

extern __thread int bob_self_id_ __attribute__((tls_model("initial-exec"))); /* 0: not asked yet */
int bob_self_id_slow_(void);

static inline int
bob_self_(void)
{
    return __builtin_expect(bob_self_id_ != 0, 1) ? bob_self_id_ : bob_self_id_slow_();
}

#endif
