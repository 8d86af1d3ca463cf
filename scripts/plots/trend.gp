# SPDX-License-Identifier: MIT
# CPU per GB of the sender over many results of one host, in the order of time: a line per method.
# Run in this folder: gnuplot -c trend.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'CPU seconds per GB of the sender, run by run'
load 'page.gp'

set label 7 'CPU seconds per 10^9 bytes (log scale)' at screen 0.022,0.545 center rotate font middling
stats data.'/trend.tsv' skip 1 using 4 name 'low' nooutput
stats data.'/trend.tsv' skip 1 using 5 name 'high' nooutput
set yrange [0.8 * low_min:1.25 * high_max]
# a change of a tenth looks the same for a cheap method as for a dear one
set logscale y 10
set ytics ()
set for [e = -6:4] for [m in '1 2 5'] ytics add (sprintf('%g', m * 10.0**e) m * 10.0**e)
set xrange [0.5:trend_count + 0.5]
# as many names of runs as have room
every_nth = 1 + (trend_count - 1) / 16
set xtics () rotate by 45 right font small
set for [i = 1:trend_count:every_nth] xtics add (trend_name[i] i)
# the names in one row as long as they fit, else in three columns
rows = trend_method_count <= 5 ? 1 : (trend_method_count + 2) / 3
set key at screen 0.975,0.88 right top horizontal maxcols (rows == 1 ? 5 : 3) font small samplen 2.5 width 0.5
set tmargin at screen (0.82 - 0.03 * rows)

trend = data.'/trend.tsv'
is(i) = strcol(1) eq trend_method[i]
# side by side, so that whiskers don't hide each other
beside(i) = (i - (trend_method_count + 1) / 2.0) * 0.04
plot for [i = 1:trend_method_count] trend skip 1 using (is(i) ? $2 + beside(i) : NaN):3:4:5 with yerrorbars pointsize 0 linewidth 1.2 linecolor rgb method_rgb(trend_method[i]) notitle, \
     for [i = 1:trend_method_count] trend skip 1 using (is(i) ? $2 + beside(i) : NaN):3 with linespoints linewidth 2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(trend_method[i]) dashtype method_dash(trend_method[i]) linecolor rgb method_rgb(trend_method[i]) title trend_method[i]
unset output
