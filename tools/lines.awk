# Rows "ADDRESS NUMBER FILE LINE" out of the kernel's debugging information: what
# "readelf --debug-dump=decodedline" says of it, or "llvm-dwarfdump --debug-line".
# Sorted, they are what tools/linetable.awk reads.

# binutils:  FILE  LINE  0xADDRESS  ...
$1 ~ /\.[chS]$/ && $2 ~ /^[0-9]+$/ && $3 ~ /^0xf/ { row($3, $1, $2) }

# LLVM: names by number for each table, then  0xADDRESS  LINE  COLUMN  FILE  ...
$1 ~ /^file_names\[/ { file = $0; gsub(/[^0-9]/, "", file) }
$1 == "name:" { gsub(/"/, "", $2); sub(/.*\//, "", $2); name[file] = $2 }
$1 ~ /^0xf/ && $2 ~ /^[0-9]+$/ && $4 ~ /^[0-9]+$/ && !/end_sequence/ { row($1, name[$4], $2) }

function row(address, file, line) {
    printf "%s %07d %s %d\n", address, ++rows, file, line
}
