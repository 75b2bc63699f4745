/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a transfer looks on a link: the one place that says so.
 *
 * A packet carries at most 4 KiB of payload. A flit is 20 bytes, as in public
 * descriptions of UnifiedBus' data link layer; headers are not modelled. A message
 * without payload is a packet and a flit.
 */
#ifndef _UB_CORE_WIRE_H
#define _UB_CORE_WIRE_H

#define UB_PACKET_PAYLOAD	4096
#define UB_FLIT_BYTES		20

#define UB_PACKETS(bytes) \
	((bytes) ? ((bytes) + UB_PACKET_PAYLOAD - 1) / UB_PACKET_PAYLOAD : 1)
#define UB_FLITS(bytes) \
	((bytes) ? ((bytes) + UB_FLIT_BYTES - 1) / UB_FLIT_BYTES : 1)

#endif /* _UB_CORE_WIRE_H */
