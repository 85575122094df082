# Makes the kernel's table of function names, which panics print, out of what
# "nm -n" says of the first link: lines of address, type, name, by address.
# kernel/lib/ksyms.h reads it.

$2 ~ /^[tT]$/ && $3 !~ /^(\$|\.L|kernel_start$)/ {
    table = table "    .dword 0x" $1 "\n    .word " offset ", 0\n"
    names = names "    .asciz \"" $3 "\"\n"
    offset += length($3) + 1
    count++
}

BEGIN {
    offset = count = 0
}

END {
    print "    .section .ksyms, \"a\", @progbits"
    print "    .balign 8"
    print "    .globl ksyms_count, ksyms_table, ksyms_names"
    print "ksyms_count:\n    .dword " count
    print "ksyms_table:"
    printf "%s", table
    print "ksyms_names:"
    printf "%s", names
    print "    .section .note.GNU-stack, \"\", @progbits"
}
