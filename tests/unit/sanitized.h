/* sanitized.h - SANITIZED is defined under AddressSanitizer and ThreadSanitizer, of gcc and of clang.
 *
 * They bring a malloc of their own, and each step takes many more.
 *
 * SPDX-License-Identifier: MIT */
#ifndef SANITIZED_H
#define SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#endif
