"""The device tree of QEMU's microchip-icicle-kit, which QEMU does not make itself.

What Trellis and its firmware look for, no more: the addresses and interrupts are those of
PolarFire SoC's manual. Hart 0, an E51, has no supervisor mode, so its node says nothing of
an MMU; the others are U54s.
"""
from devicetree import blob, cells64

TIMEBASE = 1000000
DRAM_LOW, DRAM_LOW_BYTES, DRAM_HIGH = 0x80000000, 1 << 30, 0x1000000000
CLINT, PLIC, MMUART0 = 0x2000000, 0xc000000, 0x20000000
PLIC_SOURCES, MMUART0_IRQ = 186, 90
PLIC_PHANDLE = 100  # above those of the harts' own interrupt controllers, hart id + 1
MACHINE_SOFTWARE, MACHINE_TIMER, SUPERVISOR_EXTERNAL, MACHINE_EXTERNAL = 3, 7, 9, 11


def cpu(hartid):
    properties = {"device_type": "cpu", "reg": hartid, "compatible": "riscv", "status": "okay",
                  "riscv,isa": "rv64imafdc" if hartid else "rv64imac"}
    if hartid:
        properties["mmu-type"] = "riscv,sv39"
    controller = ("interrupt-controller",
                  {"#interrupt-cells": 1, "interrupt-controller": None,
                   "compatible": "riscv,cpu-intc", "phandle": hartid + 1}, [])
    return (f"cpu@{hartid}", properties, [controller])


def memory(start, size):
    return (f"memory@{start:x}", {"device_type": "memory", "reg": cells64(start, size)}, [])


def soc(harts):
    clint, plic = [], []
    for hartid in range(harts):
        clint += [hartid + 1, MACHINE_SOFTWARE, hartid + 1, MACHINE_TIMER]
        if hartid:
            plic += [hartid + 1, MACHINE_EXTERNAL, hartid + 1, SUPERVISOR_EXTERNAL]
        else:
            plic += [hartid + 1, MACHINE_EXTERNAL]
    return ("soc", {"#address-cells": 2, "#size-cells": 2, "compatible": "simple-bus",
                    "ranges": None}, [
        (f"clint@{CLINT:x}", {"compatible": "sifive,clint0", "reg": cells64(CLINT, 0x10000),
                              "interrupts-extended": clint}, []),
        (f"interrupt-controller@{PLIC:x}",
         {"compatible": "sifive,plic-1.0.0", "reg": cells64(PLIC, 0x4000000),
          "#interrupt-cells": 1, "#address-cells": 0, "interrupt-controller": None,
          "riscv,ndev": PLIC_SOURCES, "interrupts-extended": plic, "phandle": PLIC_PHANDLE}, []),
        (f"serial@{MMUART0:x}",
         {"compatible": "ns16550a", "reg": cells64(MMUART0, 0x400), "reg-io-width": 4,
          "reg-shift": 2, "clock-frequency": 150000000, "current-speed": 115200,
          "interrupt-parent": PLIC_PHANDLE, "interrupts": MMUART0_IRQ}, [])])


def tree(harts, mib):
    """harts: with the E51."""
    cpus = ("cpus", {"#address-cells": 1, "#size-cells": 0, "timebase-frequency": TIMEBASE},
            [cpu(hartid) for hartid in range(harts)])
    chosen = ("chosen", {"stdout-path": f"/soc/serial@{MMUART0:x}"}, [])
    return blob(("", {"#address-cells": 2, "#size-cells": 2, "model": "microchip-icicle-kit",
                      "compatible": "microchip,mpfs-icicle-kit"},
                 [chosen, cpus, memory(DRAM_LOW, DRAM_LOW_BYTES),
                  memory(DRAM_HIGH, (mib << 20) - DRAM_LOW_BYTES), soc(harts)]))
