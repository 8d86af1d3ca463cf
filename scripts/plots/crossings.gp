# SPDX-License-Identifier: MIT
# User/kernel crossings per transfer on a log scale, a diamond where the classic texts put them, and the context
# switches as dots: what the texts call by that name is the other thing.
# Run in this folder: gnuplot -c crossings.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'User/kernel crossings and context switches'
load 'page.gp'
# the numbers on this axis are long
set lmargin at screen 0.122

set label 4 crossings_note_1 at screen 0.02,note_1 left font small textcolor rgb '#555555'
set label 5 crossings_note_2 at screen 0.02,note_2 left font small textcolor rgb '#555555'
set label 7 'per transfer (log scale)' at screen 0.02,middle center rotate font middling
set logscale y 10
set yrange [1:*]
set offsets 0,0,graph (many ? 0.2 : 0.12),0
set ytics ()
set for [e = 0:12] ytics add (e < 3 ? sprintf('%g', 10.0**e) : e < 6 ? sprintf('%g,000', 10.0**(e - 3)) : sprintf('%g,000,000', 10.0**(e - 6)) 10.0**e)
set xrange [x_from:x_to]
set style fill solid 1.0 border -1
set xtics () scale 0 font bar_font
set for [i = 1:bar_count] xtics add (bar_name[i] bar_at[i])
set y2range [0:1]
set key at screen 0.978,0.985 right top vertical maxrows 2 Left reverse font small samplen 1.2 width 0.5
set for [i = 1:group_count] label group_name[i] at first group_at[i], graph 1.04 center font middling
set for [i = 1:separator_count] arrow from first separator[i], graph 0 to first separator[i], graph 1.06 nohead linecolor rgb '#999999' dashtype 3

crossings = data.'/crossings.tsv'
diamond = svg ? 0.65 : 1.1
# no logarithm of 0: the dot stands on the axis and its label says 0
on_axis(y) = y < 1 ? 1 : y

plot crossings skip 1 using ($1 - 0.20):4:(0.36):(tint(method_rgb(strcol(2)), 0.45)) with boxes linecolor rgb variable notitle, \
     crossings skip 1 using ($1 - 0.20):4:5 with labels rotate by turn offset 0,lift font small notitle, \
     crossings skip 1 using ($1 - 0.20):8 with points pointtype 13 pointsize 1.5 * diamond linecolor rgb '#ffffff' notitle, \
     crossings skip 1 using ($1 - 0.20):8 with points pointtype 13 pointsize diamond linecolor rgb '#c00000' notitle, \
     crossings skip 1 using ($1 + 0.25):(on_axis($6)) with points pointtype 7 pointsize (svg ? 0.7 : 0.85) linecolor rgb '#000000' notitle, \
     crossings skip 1 using ($1 + 0.25):(on_axis($6)):7 with labels rotate by turn offset 0,lift font small notitle, \
     crossings skip 1 using 1:(0.02):9 axes x1y2 with labels rotate left font small textcolor rgb '#555555' notitle, \
     keyentry with boxes linecolor rgb '#8e8e8e' title 'crossings', \
     keyentry with points pointtype 13 pointsize diamond linecolor rgb '#c00000' title 'by the classic texts', \
     keyentry with points pointtype 7 pointsize (svg ? 0.7 : 0.85) linecolor rgb '#000000' title 'context switches'
unset output
