/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A checksum of 64 bits. Any change within eight bytes that lie together is found for certain, any other
 * one but for a chance of one in 2^64. Against accidents, not against forgers.
 */
#ifndef MACHINE_CHECKSUM_H
#define MACHINE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from sum, which is 0 for a beginning. What is summed in pieces must be cut at multiples of
 * eight bytes to come to the same. */
uint64_t checksum(uint64_t sum, const void *bytes, size_t size);

#endif
