# SPDX-License-Identifier: MIT
# The bill of each method as a waterfall: a panel per method, from top to bottom the lines of its bill, each bar
# where the one above it ended, then what the prices don't explain (hatched), then what was measured.
# Run in this folder: gnuplot -c bill.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'The bill of each method, ms of sender CPU per transfer'
load data.'/labels.gp'
columns = 2
lines = (bill_count + columns - 1) / columns
# in pixels of the SVG: a line of a panel, the axis and the name of one, and what stands above and below them all
panel_height = 26 * bill_most
page_height = 105 + 75 + lines * (panel_height + 84)
load 'page.gp'
set label 2 bill_compared_text

set label 4 'Bars: count × price, one after the other. Hatched: what the prices do not explain (negative: they ask too much).' at screen 0.02,note_1 left font small textcolor rgb '#555555'
set label 5 'Every panel has its own scale. The last bar is the median that was measured.' at screen 0.02,note_2 left font small textcolor rgb '#555555'

unset key
set border 1 linecolor rgb '#444444'
unset grid
set grid xtics linecolor rgb '#dddddd' linetype 1 linewidth 0.7
set xtics font small norotate
set style fill solid 1.0 border -1
bars = data.'/bill.tsv'

set multiplot
do for [i = 1:bill_count] {
	column_of = (i - 1) % columns
	line_of = (i - 1) / columns
	top = 1 - (105.0 + line_of * (panel_height + 84)) / page_height
	set lmargin at screen 0.115 + column_of * 0.50
	set rmargin at screen 0.455 + column_of * 0.50
	set tmargin at screen top
	set bmargin at screen top - panel_height * 1.0 / page_height
	set yrange [bill_rows[i] + 0.6:0.4]
	set ytics () scale 0 font small
	set for [k = 1:bill_rows[i]] ytics add (bill_line[(i - 1) * bill_rows_max + k] k)
	set xrange [*:*]
	set autoscale xfixmin
	set offsets 0,graph 0.16,0,0
	set label 6 bill_method[i] at graph 0,1.0 left offset 0,0.6 font middling
	plot bars skip 1 using ($1 == i && $7 == 0 ? ($5 + $6) / 2 : NaN):3:5:6:($3 - 0.32):($3 + 0.32):(tint(method_rgb(strcol(2)), 0.75)) with boxxyerror linecolor rgb variable, \
	     bars skip 1 using ($1 == i && $7 == 1 ? ($5 + $6) / 2 : NaN):3:5:6:($3 - 0.32):($3 + 0.32) with boxxyerror fillstyle pattern 4 border -1 linecolor rgb '#777777', \
	     bars skip 1 using ($1 == i && $7 == 2 ? ($5 + $6) / 2 : NaN):3:5:6:($3 - 0.32):($3 + 0.32) with boxxyerror linecolor rgb '#444444', \
	     bars skip 1 using ($1 == i ? ($6 > $5 ? $6 : $5) : NaN):3:8 with labels left offset 0.4,0 font small
	do for [k = 1:9] { unset label k }
}
unset multiplot
unset output
