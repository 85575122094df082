// Every text of the page, in English and in Chinese. {0}, {1} stand for arguments. What the
// machine says itself, its findings and errors, is English.
"use strict";

const LIVE = {};
LIVE.STRINGS = {
    "language.other": ["中文", "English"],
    "run": ["Run", "运行"],
    "pause": ["Pause", "暂停"],
    "run.title": ["Run or pause (F8)", "运行或暂停 (F8)"],
    "step": ["Step", "单步"],
    "step.title": ["Execute one instruction (F10)", "执行一条指令 (F10)"],
    "step.many": ["Step by", "多步"],
    "step.many.title": ["Execute so many instructions, of all harts together",
                        "执行指定数目的指令（所有 hart 合计）"],
    "count": ["Number of instructions", "指令数"],
    "reset": ["Reset", "重启"],
    "reset.title": ["Begin again, with the settings", "按照设置重新开始"],
    "settings": ["Settings and files", "设置与文件"],
    "settings.when": ["Settings take effect at the next reset. The same settings, input and seed " +
                      "give the same run.",
                      "设置在下次重启时生效。设置、输入和种子相同，运行过程就相同。"],
    "design": ["Design", "设计"],
    "harts": ["Harts", "hart 数"],
    "seed": ["Seed", "种子"],
    "mib": ["RAM (MiB)", "内存 (MiB)"],
    "append": ["Kernel arguments", "内核参数"],
    "mode": ["Mode at the start", "起始特权级"],
    "mode.file": ["as the kernel's address says", "由内核地址决定"],
    "legacy": ["legacy virtio disk", "旧版 virtio 磁盘"],
    "kernel": ["Kernel", "内核"],
    "disk": ["Disk", "磁盘"],
    "none": ["none", "无"],
    "open.kernel": ["Choose a kernel", "选择内核"],
    "open.disk": ["Choose a disk", "选择磁盘"],
    "back": ["Back to Trellis", "回到 Trellis"],
    "drop": ["or drop files on the page: an ELF file is a kernel, any other a disk image",
             "也可以把文件拖到页面上：ELF 文件作为内核，其余作为磁盘镜像"],
    "drop.release": ["Let go to run it", "松开即可运行"],
    "console": ["Console", "控制台"],
    "keys": ["Keys for the machine", "输入到机器的按键"],
    "findings": ["Findings: {0}", "发现的问题：{0}"],
    "findings.none": ["Findings: none", "发现的问题：无"],
    "tables": ["Page tables", "页表"],
    "tables.va": ["virtual address", "虚拟地址"],
    "tables.pages": ["pages", "页数"],
    "tables.pa": ["physical address", "物理地址"],
    "tables.flags": ["flags", "标志"],
    "tables.none": ["Addresses are not translated", "没有地址转换"],
    "tables.about": ["Sv{0}, root 0x{1}, ASID {2}; tables: {3}",
                     "Sv{0}，根 0x{1}，ASID {2}；页表数：{3}"],
    "tables.left": ["; {0} entries are not shown", "；{0} 个表项未显示"],
    "tables.nowhere": ["no RAM is there", "那里没有内存"],
    "hart": ["Hart", "hart"],
    "state.starts": ["Starting", "正在启动"],
    "state.runs": ["Running", "运行中"],
    "state.paused": ["Paused", "已暂停"],
    "state.paused.waits": ["Paused: all harts wait for input", "已暂停：所有 hart 都在等待输入"],
    "state.waits": ["Running: all harts wait", "运行中：所有 hart 都在等待"],
    "state.off": ["Powered off", "已关机"],
    "state.reset": ["The kernel asked for a reset", "内核请求重启"],
    "state.failed": ["Ended with status {0}", "已结束，状态 {0}"],
    "status": ["{0} · {1} instructions · {2} s · hart {3}: {4}",
               "{0} · {1} 条指令 · {2} 秒 · hart {3}：{4}"],
    "wrong.seed": ["The seed {0} is no number from 0 to 2^64 - 1",
                   "种子 {0} 不是 0 到 2^64 - 1 的数"],
    "wrong.harts": ["{0} harts: a machine has 1 to 8", "hart 数 {0}：机器有 1 到 8 个"],
    "wrong.browser": ["This browser cannot run the page: {0}", "此浏览器不能运行本页面：{0}"],
};

// A function that gives the text of a key; a key without one is a mistake.
LIVE.translator = language => function (key, ...args) {
    const texts = LIVE.STRINGS[key];
    if (!texts)
        throw new Error(`no text for ${key}`);
    return texts[language === "zh" ? 1 : 0].replace(/\{(\d)\}/g, (whole, i) => args[i]);
};
