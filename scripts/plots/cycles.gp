# SPDX-License-Identifier: MIT
# CPU cycles per payload byte, kernel and user mode stacked, and beside them the bytes copied per payload byte.
# Run in this folder: gnuplot -c cycles.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'CPU cycles and copies of every byte'
load 'page.gp'

set label 2 cycles_compared_text
set label 4 cycles_note_1 at screen 0.02,0.118 left font small textcolor rgb '#555555'
set label 5 cycles_note_2 at screen 0.02,0.078 left font small textcolor rgb '#555555'
set tmargin at screen 0.80
set bmargin at screen 0.27
set yrange [0.4:cycles_count + 0.6]
set xrange [0:cycles_to]
set grid noytics xtics
set style fill solid 1.0 border -1
names_font = cycles_count > 8 ? small : middling
set ytics () scale 0 font names_font
set for [i = 1:cycles_count] ytics add (cycles_name[i] cycles_count + 1 - i)
set key at screen 0.62,0.862 right top horizontal font small samplen 1.2 width 1

cycles = data.'/cycles.tsv'
known(c) = valid(c) ? real(strcol(c)) : 0
half = 0.34

set multiplot
set lmargin at screen 0.185
set rmargin at screen 0.62
set xlabel 'sender CPU cycles ÷ payload bytes' font middling offset 0,0.3
# the sum's own box first, light; the kernel's over it: what is left in view is user mode's
plot cycles skip 1 using (known(3) + known(4)):1:(0):(known(3) + known(4)):($1 - half):($1 + half):(tint(method_rgb(strcol(2)), 0.30)) with boxxyerror linecolor rgb variable notitle, \
     cycles skip 1 using (known(4)):1:(0):(known(4)):($1 - half):($1 + half):(tint(method_rgb(strcol(2)), 0.85)) with boxxyerror linecolor rgb variable notitle, \
     cycles skip 1 using (known(3) + known(4)):1:5 with labels left offset 0.6,0 font middling notitle, \
     cycles skip 1 using (0):1:6 with labels left offset 0.6,0 font small textcolor rgb '#555555' notitle, \
     keyentry with boxes linecolor rgb '#555555' title 'kernel', \
     keyentry with boxes linecolor rgb '#cfcfcf' title 'user'
do for [i = 1:9] { unset label i }
unset key
set lmargin at screen 0.67
set rmargin at screen 0.975
set xrange [0:cycles_copied_to]
unset ytics
set xlabel 'bytes copied ÷ payload bytes' font middling offset 0,0.3
plot cycles skip 1 using (known(7)):1:(0):(known(7)):($1 - half):($1 + half):(tint(method_rgb(strcol(2)), 0.60)) with boxxyerror fillstyle pattern 4 border -1 linecolor rgb variable notitle, \
     cycles skip 1 using (known(7)):1:8 with labels left offset 0.6,0 font middling notitle, \
     cycles skip 1 using (0):1:9 with labels left offset 0.6,0 font small textcolor rgb '#555555' notitle
unset multiplot
unset output
