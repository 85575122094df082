/* Numbers that C shares with assembly and with the linker's script: nothing but numbers
 * stands here. Offsets are checked where their structure is. */
#pragma once

#define KERNEL_HALF 0xffffffc000000000 /* Sv39: the high half */
#define LOAD_ADDRESS 0x80200000        /* physical: what the kernel is linked for */
#define IMAGE_OFFSET 0x200000          /* where in RAM that is, for boot loaders */

#define SATP_MODE_SV39 8
#define SATP_MODE_SHIFT 60
#define BOOT_LEAF 0xcf /* an entry: V R W X A D, at physical 0 */

#define NHART 8
#define KSTACK_SIZE 0x2000
#define KSTACK_SLOT 0x4000  /* a stack is the upper half of its slot, */
#define KSTACK_UPPER_BIT 13 /* which this bit of an address says */

#define CSR_STIMECMP 0x14d /* by number: not every assembler has the name */

/* Calls to the firmware (sbi.h) */
#define SBI_CONSOLE 0x4442434e
#define SBI_CONSOLE_WRITE_BYTE 2
#define SBI_CONSOLE_PUTCHAR 1
#define SBI_NOT_SUPPORTED (-2)
#define SBI_RESET 0x53525354

/* struct hart */
#define HART_ID 8
#define HART_TRAPPING 24
#define HART_SEPC 32
#define HART_SCAUSE 40
#define HART_STVAL 48
#define HART_COUNTS 13
#define HART_SIZE (88 + 8 * HART_COUNTS)
