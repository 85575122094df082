// Every text that the page and the pictures show, in English and in Chinese. {0}, {1} stand for
// arguments, {0:page|pages} for a word that depends on how many there are. The checks' and the
// parser's texts are in strings-checks.js.
"use strict";

PT.strings = {en: {}, zh: {}};
PT.addStrings = function (table) {
    for (const [key, [en, zh]] of Object.entries(table)) {
        PT.strings.en[key] = en;
        PT.strings.zh[key] = zh;
    }
};

// A function that gives the text of a key in a language; a key without one is a mistake.
PT.translator = language => function (key, ...args) {
    const text = PT.strings[language][key];
    if (text === undefined)
        throw new Error(`no text for ${key} in ${language}`);
    return text.replace(/\{(\d)(?::(.*?)\|(.*?))?\}/g, (whole, i, one, more) =>
        one === undefined ? args[i] : args[i] === 1 ? one : more);
};

PT.addStrings({
    "language.other": ["中文", "English"],
    "open": ["Open logs", "打开日志"],
    "paste": ["Paste", "粘贴"],
    "add": ["add, not replace", "添加而不替换"],
    "add.title": ["What is opened, dropped or pasted is added to the logs shown, not put in " +
                  "their place", "打开、拖入或粘贴的日志添加到已显示的日志之后，而不是替换它们"],
    "ram": ["RAM", "内存"],
    "ram.title": ["Size of RAM, from 0x80000000 on, such as 128M; empty: whatever lies there",
                  "内存大小（从 0x80000000 开始），例如 128M；留空：其上皆视为内存"],
    "ram.bad": ["RAM: not a size; use 128M or 2G, for example",
                "内存：不是有效的大小，例如 128M 或 2G"],
    "save.tree": ["Tree as SVG", "导出树 SVG"],
    "save.map": ["Map as SVG", "导出布局图 SVG"],
    "help": ["? Help", "? 帮助"],
    "help.title": ["Keys and checks (?)", "按键与检查(?)"],
    "close": ["Close", "关闭"],
    "cancel": ["Back", "返回"],

    "empty.drop": ["Drop a console log here, or several, or open them.",
                   "把一个或多个控制台日志拖到这里，或打开文件。"],
    "empty.paste": ["Or paste a log in which a kernel has printed page tables (vmprint):",
                    "或粘贴内核打印了页表(vmprint)的日志："],
    "empty.text": ["The log", "日志"],
    "empty.show": ["Show", "显示"],
    "empty.release": ["Drop to load", "松开以载入"],
    "status.loaded": ["{0}: {2} {2:line|lines}, {1} {1:dump|dumps}", "{0}：{2} 行，页表 {1} 份"],
    "status.none": ["{0}: no page table (lines: {1}). A dump begins with: page table 0x…",
                    "{0}：{1} 行中没有页表。页表以 page table 0x… 开头"],
    "status.gone": ["{0} cannot be read: it is a folder, or is no longer there",
                    "无法读取 {0}：它是文件夹，或已不存在"],
    "status.cannotRead": ["{0} cannot be read: it may not be opened, or is too large",
                          "无法读取 {0}：没有权限，或文件太大"],
    "status.noDump": ["Dump {0} was asked for, and the number of dumps is {1}",
                      "要显示第 {0} 份页表，但只有 {1} 份"],
    "status.pasted": ["pasted text", "粘贴的文本"],
    "status.saved": ["Saved {0}", "已保存 {0}"],

    "dumps": ["Dumps", "各份页表"],
    "dump.root": ["page table {0}", "页表 {0}"],
    "dump.noRoot": ["page table, its first line is missing", "页表（缺少首行）"],
    "dump.flat": ["single pages, without their tables", "单个页面，没有页表"],
    "dump.pages": ["{0} {0:leaf maps|leaves map} {1}", "{0} 个叶子项映射 {1}"],
    "view.user": ["user view of {0}", "用户视图：{0}"],
    "view.kernel": ["kernel view of {0}", "内核视图：{0}"],
    "view.both": ["user and kernel view of {0}", "用户与内核视图：{0}"],
    "view.process": ["process {0}", "进程 {0}"],
    "view.all": ["all processes", "所有进程"],
    "view.design": ["{0}, {1}", "{0}，{1}"],
    "dump.line": ["line {0}", "第 {0} 行"],
    "dump.summary": ["{0} {0:leaf maps|leaves map} {1} through {2} {2:table|tables}",
                     "{0} 个叶子项经 {2} 张页表映射 {1}"],

    "map.name": ["Map of the address space", "地址空间布局图"],
    "map.mode": ["How the map is drawn", "布局图画法"],
    "map.mode.gaps": ["gaps compressed", "压缩空隙"],
    "map.mode.scale": ["to scale", "按比例"],
    "map.compressed": ["Not to scale: gaps are compressed, sizes are logarithmic.",
                       "未按比例：空隙已压缩，大小取对数。"],
    "map.two": ["Two address spaces compared", "两个地址空间的对比"],
    "map.before": ["Before: {0}", "之前：{0}"],
    "map.after": ["After: {0}", "之后：{0}"],
    "map.toScale": ["To scale.", "按比例。"],
    "map.gap": ["{0} unmapped", "{0} 未映射"],
    "map.gap.flat": ["{0}: unmapped or not printed", "{0}：未映射或未打印"],
    "map.keys": ["The map: + and - zoom, left and right move, 0 shows all, Enter selects",
                 "布局图：+ 和 - 缩放，左右键移动，0 全部显示，回车选中"],
    "zoom.in": ["Zoom in (+)", "放大(+)"],
    "zoom.out": ["Zoom out (-)", "缩小(-)"],
    "zoom.all": ["All", "全部"],
    "zoom.to": ["Selection", "选中处"],
    "goto": ["Go to", "转到"],
    "goto.bad": ["{0} is no address of this table", "{0} 不是此页表的地址"],
    "legend.user": ["user (U)", "用户(U)"],
    "legend.kernel": ["kernel only", "仅内核"],

    "role.trampoline": ["trampoline", "跳板页"],
    "role.trapframe": ["trapframe", "陷阱帧"],
    "role.kernel": ["kernel half", "内核半区"],
    "role.user": ["user memory", "用户内存"],
    "role.device": ["device", "设备"],
    "role.direct": ["RAM, same address", "内存（恒等）"],
    "role.stack": ["kernel stack", "内核栈"],
    "role.noUser": ["page without U", "无 U 的页"],
    "role.mirrored": ["user page, mirrored", "镜像的用户页"],

    "table.root": ["Root table", "根页表"],
    "table.flat": ["Pages printed", "打印的页"],
    "table.level": ["Table, level {0}", "页表，第 {0} 级"],
    "table.more": ["and {0} more", "另有 {0} 行"],
    "region.scattered": ["{0} frames", "{0} 个页框"],

    "tree": ["Tree", "树"],
    "tree.table": ["table", "页表"],
    "tree.kept": ["kept", "保留"],
    "tree.run": ["{0} leaves", "{0} 个叶子项"],
    "tree.flag": ["There is a finding about it", "此处有检查结果"],

    "compare": ["Compare with (before)", "对比（之前）"],
    "compare.none": ["nothing", "不对比"],
    "compare.same": ["The two map the same pages in the same way.", "两份页表的映射完全相同。"],
    "compare.came": ["came", "新增"],
    "compare.went": ["went", "消失"],
    "compare.changed": ["changed", "变化"],
    "compare.moved": ["other frame", "换了页框"],
    "compare.bits": ["other software or high bits", "软件位或高位不同"],

    "detail.none": ["Select a page in the map or in the tree.", "在布局图或树中选择一页。"],
    "detail.address": ["Address", "地址"],
    "detail.offset": ["offset", "页内偏移"],
    "detail.index": ["index {0}", "索引 {0}"],
    "detail.bits": ["bits {0}", "位 {0}"],
    "detail.path": ["The way through the tables", "查表路径"],
    "detail.level": ["Level", "级"],
    "detail.entryAt": ["Entry at", "表项地址"],
    "detail.entry": ["Entry", "表项"],
    "detail.says": ["Says", "含义"],
    "detail.toTable": ["table at {0}", "页表在 {0}"],
    "detail.kept": ["page at {0}, kept: may not be touched", "页在 {0}，保留：不可访问"],
    "detail.toPage": ["page at {0}", "页在 {0}"],
    "detail.toLarge": ["{1} leaf at {0}", "{1} 大页，在 {0}"],
    "detail.unmapped": ["not valid: the access faults here", "无效：访问在此产生缺页异常"],
    "detail.unprinted": ["not printed", "未打印"],
    "detail.physical": ["Physical address", "物理地址"],
    "detail.decoded": ["Every bit of the entry", "表项的每一位"],
    "detail.line": ["line {0}", "日志第 {0} 行"],
    "detail.bit": ["Bit", "位"],
    "detail.value": ["Value", "值"],
    "detail.meaning": ["Meaning", "含义"],

    "bit.V": ["valid", "有效"],
    "bit.R": ["may be read", "可读"],
    "bit.W": ["may be written", "可写"],
    "bit.X": ["may be executed", "可执行"],
    "bit.U": ["user mode may use it; the kernel only with SUM, and never execute it",
              "用户态可用；内核仅在 SUM 置位时可访问，且不可执行"],
    "bit.G": ["global: in every address space", "全局：存在于所有地址空间"],
    "bit.A": ["accessed since A was last cleared", "自 A 上次清零后被访问过"],
    "bit.D": ["dirty: written since D was last cleared", "脏：自 D 上次清零后被写过"],
    "bit.RSW": ["left to software", "留给软件使用"],
    "bit.PPN": ["part of the physical page number", "物理页号的一部分"],
    "detail.reserved": ["reserved", "保留"],
    "bit.reserved": ["has to be 0", "必须为 0"],
    "bit.PBMT": ["memory type (Svpbmt): 0 as the hardware says, 1 not cached, 2 I/O",
                 "内存类型(Svpbmt)：0 由硬件决定，1 不缓存，2 I/O"],
    "bit.N": ["part of a larger page (Svnapot)", "更大页的一部分(Svnapot)"],
    "bit.pointer": ["R, W and X are all 0: the entry points to the next table",
                    "R、W、X 全为 0：表项指向下一级页表"],
    "bit.kept": ["R, W and X are all 0, and no table can follow: every access faults",
                 "R、W、X 全为 0，且其下没有页表：任何访问都会产生异常"],
});
