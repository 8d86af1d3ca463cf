# SPDX-License-Identifier: MIT
# Chunk size against CPU per GB, the sender's and the total, one line per method with its interval as a band.
# Run in this folder: gnuplot -c chunk.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'Chunk size and CPU seconds per GB'
load 'page.gp'

set label 2 chunk_compared_text
set label 4 chunk_note_1 at screen 0.02,0.118 left font small textcolor rgb '#555555'
set label 5 chunk_note_2 at screen 0.02,0.078 left font small textcolor rgb '#555555'
set logscale x 2
set xrange [chunk_from:chunk_to]
set xtics () font small
set for [i = 1:chunk_tic_count] xtics add (chunk_tic_label[i] chunk_tic_at[i])
set yrange [0:*]
set offsets 0,0,graph 0.05,0
set xlabel 'chunk: the most one call may move, bytes' font middling offset 0,0.3
set style fill transparent solid 0.22 noborder
set key at screen 0.975,0.885 right top vertical maxrows 1 font middling samplen 2.5 width 0.5
set tmargin at screen 0.80

chunks = data.'/chunk.tsv'
is(i) = strcol(1) eq chunk_method[i]

set multiplot
set lmargin at screen 0.105
set rmargin at screen 0.515
set bmargin at screen 0.29
set label 6 'sender' at graph 0.98,0.96 right font middling
set ylabel 'CPU seconds per 10^9 bytes' font middling offset 0.3,0
plot for [i = 1:chunk_method_count] chunks skip 1 using 2:(is(i) ? $5 : NaN):(is(i) ? $6 : NaN) with filledcurves linecolor rgb method_rgb(chunk_method[i]) notitle, \
     for [i = 1:chunk_method_count] chunks skip 1 using (is(i) ? $2 : NaN):4 with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(chunk_method[i]) dashtype method_dash(chunk_method[i]) linecolor rgb method_rgb(chunk_method[i]) title chunk_method[i]
do for [i = 1:5] { unset label i }
unset key
unset ylabel
set lmargin at screen 0.575
set rmargin at screen 0.975
set label 6 'sender + receiver'
plot for [i = 1:chunk_method_count] chunks skip 1 using 2:(is(i) ? $8 : NaN):(is(i) ? $9 : NaN) with filledcurves linecolor rgb method_rgb(chunk_method[i]) notitle, \
     for [i = 1:chunk_method_count] chunks skip 1 using (is(i) ? $2 : NaN):7 with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(chunk_method[i]) dashtype method_dash(chunk_method[i]) linecolor rgb method_rgb(chunk_method[i]) notitle
unset multiplot
unset output
