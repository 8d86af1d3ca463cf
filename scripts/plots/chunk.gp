# SPDX-License-Identifier: MIT
# Chunk size against CPU per GB, the sender's and the total, one line per method with its interval as a band.
# Run in this folder: gnuplot -c chunk.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'Chunk size and CPU seconds per GB'
load data.'/labels.gp'
# the names in one row as long as they fit, else in three columns, drawn last on a page that is taller by the other rows
key_rows = chunk_method_count <= 5 ? 1 : (chunk_method_count + 2) / 3
page_height = 640 + 20 * (key_rows - 1)
load 'page.gp'

set label 2 chunk_compared_text
set label 4 chunk_note_1 at screen 0.02,note_1 left font small textcolor rgb '#555555'
set label 5 chunk_note_2 at screen 0.02,note_2 left font small textcolor rgb '#555555'
set logscale x 2
set xrange [chunk_from:chunk_to]
set xtics () font small norotate
set for [i = 1:chunk_tic_count] xtics add (chunk_tic_label[i] chunk_tic_at[i])
set logscale y 10
set yrange [chunk_y_from:chunk_y_to]
set ytics ()
set for [e = -6:4] for [m in '1 2 5'] ytics add (sprintf('%g', m * 10.0**e) m * 10.0**e)
set xlabel 'chunk: the most one call may move, bytes' font middling offset 0,0.3
set style fill transparent solid 0.22 noborder
if (key_rows == 1) {
	set key at screen 0.975,(1 - 73.6 / page_height) right top vertical maxrows 1 font middling samplen 2.5 width 0.5
} else {
	unset key
}
set tmargin at screen 1 - (128.0 + 20 * (key_rows - 1)) / page_height

chunks = data.'/chunk.tsv'
is(i) = strcol(1) eq chunk_method[i]

# half way up the axes, whose upper end gives way to the names
axis_middle = (185.6 + page_height - 128.0 - 20 * (key_rows - 1)) / 2 / page_height

set multiplot
set lmargin at screen 0.105
set rmargin at screen 0.515
set bmargin at screen 185.6 / page_height
set label 6 'sender' at graph 0.98,0.96 right font middling
set label 7 'CPU seconds per 10^9 bytes (log scale)' at screen 0.022,axis_middle center rotate font middling
plot for [i = 1:chunk_method_count] chunks skip 1 using 2:(is(i) ? $5 : NaN):(is(i) ? $6 : NaN) with filledcurves linecolor rgb method_rgb(chunk_method[i]) notitle, \
     for [i = 1:chunk_method_count] chunks skip 1 using (is(i) ? $2 : NaN):4 with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(chunk_method[i]) dashtype method_dash(chunk_method[i]) linecolor rgb method_rgb(chunk_method[i]) title chunk_title[i]
do for [i = 1:9] { unset label i }
unset key
set lmargin at screen 0.575
set rmargin at screen 0.975
set label 6 'sender + receiver' at graph 0.98,0.96 right font middling
plot for [i = 1:chunk_method_count] chunks skip 1 using 2:(is(i) ? $8 : NaN):(is(i) ? $9 : NaN) with filledcurves linecolor rgb method_rgb(chunk_method[i]) notitle, \
     for [i = 1:chunk_method_count] chunks skip 1 using (is(i) ? $2 : NaN):7 with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(chunk_method[i]) dashtype method_dash(chunk_method[i]) linecolor rgb method_rgb(chunk_method[i]) notitle
if (key_rows > 1) {
	unset label
	unset border
	unset xlabel
	unset ytics
	unset xtics
	unset grid
	set lmargin at screen 0.02
	set key at screen 0.975,(1 - 67.2 / page_height) right top horizontal maxcols 3 font small samplen 3 width (chunk_method_count <= 9 ? 1.5 : -2)
	plot NaN notitle, for [i = 1:chunk_method_count] keyentry with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(chunk_method[i]) dashtype method_dash(chunk_method[i]) linecolor rgb method_rgb(chunk_method[i]) title chunk_title[i]
}
unset multiplot
unset output
