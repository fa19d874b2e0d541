/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where ACPI's fixed hardware is: the FADT tells the guest. */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#define ACPI_PM_EVENT	0x600 /* status and enable, 16 bits each */
#define ACPI_PM_CONTROL 0x604
#define ACPI_PM_TIMER	0x608 /* 32 bits */
#define ACPI_PM_SIZE	12

#define ACPI_SLEEP_OFF	0 /* what SLP_TYP is for S5: \_S5 tells the guest */

#endif
