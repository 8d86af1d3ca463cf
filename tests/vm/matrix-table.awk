#!/usr/bin/awk -f
# SPDX-License-Identifier: MIT
# The rows of matrix-guest.sh, with the kernel in front instead of "row", as Markdown tables.
BEGIN { FS = "\t" }

function once(list, seen, item) {
	if (!((list, item) in seen)) {
		seen[list, item] = 1
		return 1
	}
	return 0
}

# The number of a reason; reasons are listed at the end.
function note(text) {
	if (text == "")
		return ""
	if (!(text in number)) {
		number[text] = ++notes
		reason[notes] = text
	}
	return " [" number[text] "]"
}

{
	if (once("kernel", seen, $1))
		kernels[++kernel_count] = $1
	if (once("condition " $1, seen, $2))
		conditions[$1, ++condition_count[$1]] = $2
	if ($3 != "(run)" && once("method", seen, $3)) {
		# a name of the classic ones starts a column; the others, which few conditions try, get a table of their own
		if ($3 ~ /^(read_write|mmap_write|sendfile|splice|direct_write)$/)
			methods[++method_count] = $3
		else
			others[++other_count] = $3
	}
	if ($4 == "ok")
		cell[$1, $2, $3] = ($5 == "true" ? "✓ " : "✗ ") ($6 ~ /^[0-9.]+$/ ? sprintf("%.4g", $6) : $6) ($6 == "–" ? note($11) : "")
	else
		cell[$1, $2, $3] = $4 note($11)
	rungs[$1, $2] = $7 " | " $8 " | " $9 " | " $10
}

# other_table KERNEL: the methods beside the classic ones, a row each, under the conditions that tried them
function other_table(kernel, c, m, n, name, tried, heading, line, text) {
	for (c = 1; c <= condition_count[kernel]; c++) {
		name = conditions[kernel, c]
		for (m = 1; m <= other_count; m++)
			if ((kernel, name, others[m]) in cell) {
				tried[++n] = name
				break
			}
	}
	if (!n)
		return
	heading = "| |"
	line = "| --- |"
	for (c = 1; c <= n; c++) {
		heading = heading " " tried[c] " |"
		line = line " --- |"
	}
	print "\n" heading "\n" line
	for (m = 1; m <= other_count; m++) {
		text = "| " others[m] " |"
		for (c = 1; c <= n; c++)
			text = text " " cell[kernel, tried[c], others[m]] " |"
		print text
	}
}

END {
	print "# The program on other kernels, under hardships"
	print ""
	print "Written by `tests/vm/matrix.sh`: the static program in an emulated machine with one CPU, ext4 unless another"
	print "file system is named. ✓: what arrived was verified by its hash. The number is the sender's copy factor (bytes"
	print "copied ÷ payload), exact; – is unknown, with its reason below. Then the rung by which calls and sites were counted."
	print "A smaller table has the methods beside the classic five, where they were tried."
	for (k = 1; k <= kernel_count; k++) {
		printf "\n## %s\n\n| |", kernels[k]
		for (m = 1; m <= method_count; m++)
			printf " %s |", methods[m]
		print " calls | file_to_user | user_to_socket | by_reference |"
		line = "| --- |"
		for (m = 1; m <= method_count + 4; m++)
			line = line " --- |"
		print line
		for (c = 1; c <= condition_count[kernels[k]]; c++) {
			name = conditions[kernels[k], c]
			printf "| %s |", name
			for (m = 1; m <= method_count; m++) {
				text = cell[kernels[k], name, methods[m]]
				if ((kernels[k], name, "(run)") in cell)
					text = m == 1 ? cell[kernels[k], name, "(run)"] : ""
				printf " %s |", text
			}
			print " " rungs[kernels[k], name] " |"
		}
		other_table(kernels[k])
	}
	if (notes)
		print "\n## Reasons\n"
	for (n = 1; n <= notes; n++)
		print n ". " reason[n]
}
