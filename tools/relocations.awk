# Makes the table of addresses in the kernel's image, which entry.S corrects when the image is
# not where it was linked for, out of the first link: "nm -n" of it, then "readelf -r". The
# second link makes the read-only data longer, and moves the data behind it.

$3 == "kernel_start" {
    start = low($1)
}

$3 == "kernel_rodata_end" {
    data = low($1)
}

/^Relocation section/ {
    section = $3
    gsub(/['.]/, "", section)
    sub(/^rela/, "", section)
}

$3 == "R_RISCV_64" && (section == "text" || section == "rodata") {
    table = table "    .word " low($1) " - " start "\n"
}

$3 == "R_RISCV_64" && section == "data" {
    table = table "    .word kernel_rodata_end - kernel_start + " low($1) " - " data "\n"
}

# As text: a double does not hold 64 bits.
function low(address) {
    return "0x" substr(address, length(address) - 7)
}

END {
    print "    .section .relocations, \"a\", @progbits"
    printf "%s", table
    print "    .section .note.GNU-stack, \"\", @progbits"
}
