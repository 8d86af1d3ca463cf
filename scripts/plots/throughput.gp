# SPDX-License-Identifier: MIT
# Throughput per method: bar to the median, whisker over the interval, a dot per sample, from left to right in
# the order they were taken so that a drift shows.
# Run in this folder: gnuplot -c throughput.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'Throughput by method'
load 'page.gp'

set label 4 throughput_note_1 at screen 0.02,note_1 left font small textcolor rgb '#555555'
set label 5 throughput_note_2 at screen 0.02,note_2 left font small textcolor rgb '#555555'
set label 7 'GB/s (10^9 bytes per second of wall time)' at screen 0.022,middle center rotate font middling
set yrange [0:*]
set offsets 0,0,graph 0.09,0
set xrange [x_from:x_to]
set boxwidth 0.62
set style fill solid 1.0 border -1
set xtics () scale 0 font bar_font
set for [i = 1:bar_count] xtics add (bar_name[i] bar_at[i])
set y2range [0:1]
set for [i = 1:group_count] label group_name[i] at first group_at[i], graph 1.04 center font middling
set for [i = 1:separator_count] arrow from first separator[i], graph 0 to first separator[i], graph 1.06 nohead linecolor rgb '#999999' dashtype 3

bars = data.'/throughput.tsv'
dots = data.'/throughput_samples.tsv'
plot bars skip 1 using 1:4:(tint(method_rgb(strcol(2)), 0.45)) with boxes linecolor rgb variable notitle, \
     dots skip 1 using ($1 - 0.1 + 0.36 * $3):4:(method_shape(strcol(2))) with points pointtype variable pointsize (svg ? 0.45 : 0.62) linecolor rgb '#333333' notitle, \
     bars skip 1 using ($1 + 0.2):5:(0):($6 - $5) with vectors heads size screen 0.007,90 linewidth 2.2 linecolor rgb '#000000' notitle, \
     bars skip 1 using ($1 + 0.2):4 with points pointtype 7 pointsize (svg ? 0.3 : 0.4) linecolor rgb '#000000' notitle, \
     bars skip 1 using 1:(0.02):7 axes x1y2 with labels rotate left font small textcolor rgb '#555555' notitle
unset output
