/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reset control register: the FADT tells the guest where it is and what to write. */
#ifndef DEVICES_RESET_PORT_H
#define DEVICES_RESET_PORT_H

#define RESET_PORT	 0xcf9
#define RESET_PORT_HARD	 0x02
#define RESET_PORT_NOW	 0x04
#define RESET_PORT_RESET (RESET_PORT_HARD | RESET_PORT_NOW)

#endif
