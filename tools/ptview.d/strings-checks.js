// The texts of the checks, of what the parser could not read, and of the help, in both
// languages. check.KEY is what a finding says, define.KEY its definition.
"use strict";

PT.addStrings({
    "findings": ["Findings: {0}", "检查结果：{0}"],
    "findings.none": ["None of the known mistakes.", "未发现已知错误。"],
    "severity.error": ["error", "错误"],
    "severity.warning": ["warning", "警告"],
    "severity.note": ["note", "提示"],
    "result.none": ["no page table", "没有页表"],
    "result.dumps": ["{0} {0:dump|dumps}", "页表 {0} 份"],
    "result.clean": ["nothing found", "未发现问题"],
    "result.problems": ["{0} {0:line|lines} could not be read as printed", "{0} 行无法如实读取"],
    "findings.more": ["and {0} more {0:range|ranges}", "另有 {0} 个区间"],

    "check.writeExecute": ["Writable and executable", "可写又可执行"],
    "define.writeExecute": ["A leaf has W and X, and not all of user memory has.",
        "叶子项同时有 W 和 X，且并非所有用户内存都如此。"],
    "check.allWriteExecute": ["All of user memory is writable and executable",
        "全部用户内存可写又可执行"],
    "define.allWriteExecute": [
        "Every leaf below the last GiB, but those whose virtual and physical address are the " +
        "same, has W and X, as in xv6 until 2021: its way, and no slip.",
        "最后 1 GiB 以下的每个叶子项（不计恒等映射）都同时有 W 和 X，2021 年及以前的 xv6 即如此：是其惯例，并非疏漏。"],
    "check.noTrampoline": ["No trampoline", "没有跳板页"],
    "define.noTrampoline": [
        "Nothing is mapped at 0x3ffffff000, in a table of three levels without a high half that " +
        "maps user pages or a kernel's text at its own address, but not both: the next trap or " +
        "return changes satp and finds no code. Not reported when lines of the dump are missing; " +
        "in a list of single pages when that page is printed as not valid.",
        "三级页表中没有高半区，映射了用户页或恒等映射的内核代码（二者不同时有），而 0x3ffffff000 处没有映射：" +
        "下一次陷阱或返回切换 satp 后无代码可执行。" +
        "该份输出有缺行则不报告；单页列表中，仅当该页被打印为无效时报告。"],
    "check.keptUser": ["A mirrored page kept U", "镜像页仍带 U"],
    "define.keptUser": [
        "A leaf with U below the last GiB in a table that the kernel runs on: a kernel's view " +
        "that goes through none of the tables of the user's view before it, or, where no " +
        "design is named, a table that maps a kernel's text at its own address. With SUM " +
        "clear the kernel faults there.",
        "内核所用页表（不经过前面用户视图中任何页表的内核视图；未注明设计时，为恒等映射了内核代码的页表）中，" +
        "最后 1 GiB 以下的叶子项带 U：SUM 未置位时内核访问即产生异常。"],
    "check.freewalk": ["The leaf on which freewalk panics", "使 freewalk 崩溃的叶子项"],
    "define.freewalk": [
        "The log says `panic: freewalk: leaf` after this dump and before the next. Whoever frees " +
        "a table unmaps the trampoline, the trapframe and the pages from 0 to the size of the " +
        "process first; these leaves are neither. Where " +
        "some of them lie in the last GiB, it is those.",
        "日志在此份页表之后、下一份之前有 `panic: freewalk: leaf`。释放页表前应先取消跳板页、陷阱帧以及从 0 到进程大小的映射；" +
        "这些叶子项不在其中。若其中有位于最后 1 GiB 的，则为这些。"],
    "check.fill": ["A table full of one byte", "页表被同一字节填满"],
    "define.fill": [
        "An entry is one byte eight times, as xv6's kfree (0x01) and kalloc (0x05) fill a frame: " +
        "the table has been freed, or was never cleared. Nothing else is reported of the entry.",
        "表项是同一字节重复八次，xv6 的 kfree(0x01) 和 kalloc(0x05) 这样填充页框：页表已被释放，或从未清零。不再报告该表项的其他问题。"],
    "check.writeOnly": ["Writable but not readable", "可写却不可读"],
    "define.writeOnly": [
        "A leaf has W without R, which the specification reserves: every access faults.",
        "叶子项有 W 无 R；规范保留此组合，任何访问都会产生异常。"],
    "check.misaligned": ["Misaligned large leaf", "大页未对齐"],
    "define.misaligned": [
        "A leaf above level 0 whose frame is no multiple of its size (2 MiB, 1 GiB): every " +
        "access faults.",
        "0 级以上的叶子项，其物理地址不是页大小(2 MiB、1 GiB)的整数倍：任何访问都会产生异常。"],
    "check.notRam": ["A leaf that is no frame of RAM", "叶子项指向的不是内存页框"],
    "define.notRam": [
        "The frame lies below 0x80000000 or, where the size of RAM is known, beyond its end. " +
        "The size is what was typed in above, else what the log's boot line says. Not " +
        "reported: leaves without U whose virtual and physical address are the same, and the " +
        "high half; there the kernel maps devices.",
        "页框低于 0x80000000，或（已知内存大小时）超出内存末尾。大小取自上方输入，否则取自日志的启动行。不报告：虚拟地址与物理地址相同且无 U 的叶子项，以及高半区；" +
        "内核在那里映射设备。"],
    "check.trampolineUser": ["Trampoline or trapframe with U", "跳板页或陷阱帧带 U"],
    "define.trampolineUser": [
        "A leaf at 0x3ffffff000 or 0x3fffffe000 has U: user code could run or change what the " +
        "trap runs on.",
        "0x3ffffff000 或 0x3fffffe000 处的叶子项带 U：用户代码可执行或修改陷阱所用的页。"],
    "check.noAccessed": ["A is missing", "缺少 A"],
    "define.noAccessed": [
        "A leaf without A. Hardware may fault instead of setting it; QEMU sets it, so a kernel " +
        "that relies on that hangs elsewhere.",
        "叶子项没有 A。硬件可以不置位，而是产生异常；QEMU 会置位，依赖它的内核在别处会卡死。"],
    "check.noDirty": ["D is missing", "缺少 D"],
    "define.noDirty": ["A leaf with W and without D. As with A.", "叶子项有 W 无 D。理由同 A。"],

    "check.tableBits": ["U, A or D on a non-leaf", "非叶子项带 U、A 或 D"],
    "define.tableBits": [
        "An entry that points to a table has U, A or D: they are reserved there. G is allowed.",
        "指向页表的表项带 U、A 或 D：这些位在此保留。允许 G。"],
    "check.tableAtBottom": ["A level-0 entry without R, W and X", "0 级表项无 R、W、X"],
    "define.tableAtBottom": ["At level 0 no table can follow: every access faults.",
        "0 级之下没有页表：任何访问都会产生异常。"],
    "check.kept": ["Kept: may not be touched", "保留：不可访问"],
    "define.kept": [
        "An entry of level 0 with V alone, in a dump of a kernel that names its design: so " +
        "Trellis keeps the frame of a page that mprotect has closed (PROT_NONE). Every access " +
        "faults.",
        "说明了设计的内核的页表中，0 级表项只有 V：Trellis 以此保留被 mprotect 关闭(PROT_NONE)的页的页框。" +
        "任何访问都会产生异常。"],
    "check.tableNotRam": ["A table that is no frame of RAM", "页表不在内存中"],
    "define.tableNotRam": [
        "An entry points to a table outside of RAM (see the leaf that is no frame of RAM).",
        "表项指向内存之外的页表（参见“叶子项指向的不是内存页框”）。"],
    "check.emptyTable": ["An empty table", "空页表"],
    "define.emptyTable": [
        "A table without any valid entry: a frame that nobody uses. Not reported when lines of " +
        "the dump are missing.",
        "页表中没有任何有效项：白白占用一个页框。若该份输出有缺行则不报告。"],

    "check.twoPages": ["Two pages on one frame", "两页映射到同一页框"],
    "define.twoPages": [
        "Two leaves of one dump map the same frame. Not counted: leaves without U whose " +
        "virtual and physical address are the same, and the high half: all of memory is in " +
        "those.",
        "同一份页表中两个叶子项映射同一页框。不计：虚拟地址与物理地址相同且无 U 的叶子项，以及高半区；它们包含全部内存。"],
    "check.kernelText": ["Kernel text is writable", "内核代码可写"],
    "define.kernelText": [
        "A leaf with W maps a frame that the kernel executes: one that is mapped with X and " +
        "without U at the trampoline, at its own physical address or in the high half.",
        "带 W 的叶子项映射了内核要执行的页框，即在跳板页、恒等地址或高半区以 X 且无 U 映射的页框。"],
    "check.userMapsTable": ["User memory maps a page table", "用户内存映射了页表"],
    "define.userMapsTable": [
        "A leaf with U maps a frame that is a table of the same dump: the program can change " +
        "its own page table.",
        "带 U 的叶子项映射了同一份页表所用的页框：程序可以修改自己的页表。"],
    "check.noGuard": ["No guard page below the stack", "栈下没有保护页"],
    "define.noGuard": [
        "All leaves with U below the last GiB lie in one unbroken piece of two pages or more, " +
        "which begins at 0. A program and its stack are two pages at least, and a guard " +
        "(unmapped, or without U) would break the piece. Not reported when lines of the dump are " +
        "missing; in a list of single pages when the page behind the piece is printed as not " +
        "valid. A dump cannot tell the stack from the heap, so a guard that is missing beside " +
        "another gap is not found.",
        "最后 1 GiB 以下所有带 U 的叶子项从 0 起连成一片且不少于两页。程序加栈至少两页，保护页（未映射或无 U）会将其隔开。" +
        "该份输出有缺行则不报告；单页列表中，仅当其后一页被打印为无效时报告。仅凭页表无法区分栈和堆，因此若别处还有空隙，" +
        "缺少的保护页不会被发现。"],
    "check.noStackGuard": ["No guard page between kernel stacks", "内核栈之间没有保护页"],
    "define.noStackGuard": [
        "Three neighbouring pages or more without U in the last GiB below the trapframe. A " +
        "kernel stack is one page in xv6 and two in Trellis, with unmapped ones below.",
        "最后 1 GiB 中、陷阱帧以下，有三页或更多相邻且无 U 的页。xv6 的内核栈为一页，Trellis 为两页，其下应有未映射的页。"],
    "check.wrapped": ["Addresses were computed in an int", "地址按 int 计算而溢出"],
    "define.wrapped": [
        "All addresses printed are numbers of 32 bits with their sign, and the last page is the " +
        "trampoline at 0xfffffffffffff000: 255 << 30 does not fit an int. What begins at " +
        "0xffffffffc0000000 is shown where it is, from 0x3fc0000000 on. So is what begins at " +
        "0xc0000000 in a list of single pages that has no number of more than 32 bits.",
        "打印的地址都是带符号扩展的 32 位数，且最后一页是位于 0xfffffffffffff000 的跳板页：int 放不下 255 << 30。" +
        "从 0xffffffffc0000000 起的部分按其实际位置显示，即从 0x3fc0000000 起。" +
        "单页列表中若没有超过 32 位的数，从 0xc0000000 起的部分也是如此。"],
    "check.views": [
        "The kernel's view disagrees with the user's (dump {0}), or the process ran in between",
        "内核视图与用户视图（第 {0} 份）不一致，或进程在两次打印之间运行过"],
    "define.views": [
        "For a dump titled `kernel view of process P (NAME), DESIGN`, after the user's view of " +
        "the same process (`kernel view of all processes`: of any). Below the last GiB, without " +
        "leaves whose virtual and physical address are the same: a view of all processes has " +
        "none; one that goes through a table of the user's has the very same leaves; one that " +
        "has tables of its own has every leaf with U, at the same frame, without U and X, and " +
        "no other. " +
        "A, D and the bits for software may differ. A process that runs while it is printed can " +
        "change between the two: print it again.",
        "针对标题为 `kernel view of process P (NAME), DESIGN` 且前面有同一进程用户视图的页表" +
        "（`kernel view of all processes`：任一进程的）。在最后 1 GiB 以下，不计恒等映射：" +
        "所有进程共用的视图中没有叶子项；经过用户页表的视图中完全相同；" +
        "有自己页表的视图中每个带 U 的叶子项都在，页框相同，去掉 U 和 X，且没有其他项。" +
        "A、D 和软件位可以不同。正在运行的进程可能在两次打印之间变化：请再打印一次。"],
    "check.reserved": ["Reserved bits are set", "保留位被置位"],
    "define.reserved": [
        "One of the bits 60 to 54 is 1, or N or PBMT in an entry that points to a table.",
        "位 60 到 54 之一为 1，或指向页表的表项中 N、PBMT 不为 0。"],

    "problems": ["What could not be read", "无法读取的内容"],
    "problem.lostRoot": [
        "the line `page table 0x…` is missing or cut off", "缺少 `page table 0x…` 行或该行被截断"],
    "problem.badRoot": [
        "the root is no address of a page; the line may be cut off", "根不是页地址；该行可能被截断"],
    "problem.noEntries": [
        "no entry could be read below it: the log is cut off, or has another format",
        "其下没有能读取的表项：日志被截断，或格式不同"],
    "problem.gone": ["the table went away while it was printed", "打印期间该页表已消失"],
    "problem.cutLine": ["the line is cut off", "该行被截断"],
    "problem.badWord": [
        "{0} does not belong here: a digit is wrong, or the line has another format",
        "{0} 不应出现在此处：数字有误，或该行格式不同"],
    "problem.badEntry": ["the index or the entry is no possible one", "索引或表项不可能存在"],
    "problem.lostParent": ["the line of the table above it is missing", "缺少其上级页表的行"],
    "problem.tooDeep": ["deeper than five levels", "深度超过五级"],
    "problem.notValid": ["the entry is not valid (V is 0)", "表项无效(V 为 0)"],
    "problem.outOfOrder": ["out of order: lines may be missing or mixed", "顺序不对：可能缺行或混杂"],
    "problem.wrongFrame": [
        "pa is not what the pte says; the pte is believed", "pa 与 pte 不符；以 pte 为准"],
    "problem.wrongLetters": [
        "the flags beside it are not what the pte says; the pte is believed",
        "其旁的标志与 pte 不符；以 pte 为准"],
    "problem.wrongAddress": [
        "the address is not what the place in the tree says; lines may be " +
        "missing", "地址与树中位置不符；可能缺行"],

    "help.heading": ["ptview: page tables in a console log", "ptview：控制台日志中的页表"],
    "help.intro": [
        "Reads what vmprint prints: Trellis's, or that of any kernel in the format of the " +
        "page-table lab. Nothing leaves this page; it needs no network.",
        "读取 vmprint 的输出：Trellis 的，或任何采用页表实验格式的内核的。数据不会离开本页，无需网络。"],
    "help.keys": ["Keys", "按键"],
    "help.key.tree": ["↑ ↓ in the tree: move; → ←: unfold, fold; Home, End; Enter: select",
        "树中 ↑ ↓：移动；→ ←：展开、折叠；Home、End；回车：选中"],
    "help.key.map": [
        "+ and -: zoom the map about the selection; 0: all of it; with the map in focus ← →: " +
        "move, Enter: select",
        "+ 和 -：以选中处为中心缩放布局图；0：全部；焦点在布局图时 ← →：移动，回车：选中"],
    "help.key.mouse": ["Map: the wheel zooms, dragging moves, a click selects the page",
        "布局图：滚轮缩放，拖动平移，单击选中页"],
    "help.key.rest": ["[ and ]: the dump before and after; g: go to an address; ?: this help",
        "[ 和 ]：上一份、下一份页表；g：转到地址；?：本帮助"],
    "help.checks": ["What is checked, precisely", "检查的准确定义"],
});
