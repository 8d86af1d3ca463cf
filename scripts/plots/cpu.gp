# SPDX-License-Identifier: MIT
# CPU seconds per GB: sender (full colour) under receiver (light), whisker over the interval of the total.
# Run in this folder: gnuplot -c cpu.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'CPU seconds per GB, sender and receiver'
load 'page.gp'

set label 4 cpu_note_1 at screen 0.02,note_1 left font small textcolor rgb '#555555'
set label 5 cpu_note_2 at screen 0.02,note_2 left font small textcolor rgb '#555555'
set label 7 'CPU seconds per 10^9 bytes' at screen 0.022,middle center rotate font middling
set yrange [0:*]
set offsets 0,0,graph 0.09,0
set xrange [x_from:x_to]
set boxwidth 0.62
set style fill solid 1.0 border -1
set xtics () scale 0 font bar_font
set for [i = 1:bar_count] xtics add (bar_name[i] bar_at[i])
set y2range [0:1]
set key at screen 0.975,0.985 right top horizontal font middling samplen 1.2 width 1
set for [i = 1:group_count] label group_name[i] at first group_at[i], graph 1.04 center font middling
set for [i = 1:separator_count] arrow from first separator[i], graph 0 to first separator[i], graph 1.06 nohead linecolor rgb '#999999' dashtype 3

cpu = data.'/cpu.tsv'
# the total's own box first, light; the sender's over it, dark: what is left in view is the receiver's
plot cpu skip 1 using 1:($4 + $7):(tint(method_rgb(strcol(2)), 0.30)) with boxes linecolor rgb variable notitle, \
     cpu skip 1 using 1:4:(tint(method_rgb(strcol(2)), 0.85)) with boxes linecolor rgb variable notitle, \
     cpu skip 1 using ($1 + 0.2):11:(0):($12 - $11) with vectors heads size screen 0.007,90 linewidth 2.2 linecolor rgb '#000000' notitle, \
     cpu skip 1 using ($1 + 0.2):10 with points pointtype 7 pointsize (svg ? 0.3 : 0.4) linecolor rgb '#000000' notitle, \
     cpu skip 1 using 1:(0.02):13 axes x1y2 with labels rotate left font small textcolor rgb '#555555' notitle, \
     keyentry with boxes linecolor rgb '#555555' title 'sender', \
     keyentry with boxes linecolor rgb '#cfcfcf' title 'receiver'
unset output
