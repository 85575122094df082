# Makes the kernel's table of source lines, which panics print, out of sorted rows
# "ADDRESS NUMBER FILE LINE": of those with one address the last holds, and one that says
# nothing new is left out. kernel/lib/ksyms.h reads the table.

function flush() {
    if (address == "" || (line == last_line && file == last_file))
        return
    if (!(file in number)) {
        number[file] = files++
        offsets = offsets "    .word " size "\n"
        names = names "    .asciz \"" file "\"\n"
        size += length(file) + 1
    }
    print "    .word 0x" substr(address, length(address) - 7) "\n    .half " line ", " number[file]
    count++
    last_line = line
    last_file = file
}

BEGIN {
    files = size = count = 0
    print "    .section .ksyms, \"a\", @progbits"
    print "    .balign 8"
    print "    .globl klines_count, klines_table, klines_files, klines_names"
    print "klines_table:"
}

# As text: some awks take 0x... for a number, of which a double holds 53 bits.
{
    if ($1 "" != address "")
        flush()
    address = $1
    file = $3
    line = $4
}

END {
    flush()
    print "    .balign 8"
    print "klines_count:\n    .dword " count
    print "klines_files:"
    printf "%s", offsets
    print "klines_names:"
    printf "%s", names
    print "    .section .note.GNU-stack, \"\", @progbits"
}
