# SPDX-License-Identifier: MIT
# Any condition against the sender's CPU per GB and against throughput, one line per method with its interval as a band.
# Run in this folder: gnuplot -c sweep.gp DATA_DIR OUTPUT.svg|.png; the name of OUTPUT names the data.
data = ARG1
picture = ARG2
slash = strstrt(picture, '/')
name = picture
while (strstrt(name, '/') > 0) { name = name[strstrt(name, '/')+1:*] }
name = name[1:strlen(name)-4]
load data.'/'.name.'.gp'
title_text = sweep_title
# as in chunk.gp
key_rows = sweep_method_count <= 5 ? 1 : (sweep_method_count + 2) / 3
page_height = 640 + 20 * (key_rows - 1)
load 'page.gp'

set label 2 sweep_compared
set label 4 sweep_note_1 at screen 0.02,note_1 left font small textcolor rgb '#555555'
set label 5 sweep_note_2 at screen 0.02,note_2 left font small textcolor rgb '#555555'
if (sweep_log) set logscale x 2
set xrange [sweep_from:sweep_to]
set xtics () font small
set for [i = 1:sweep_tic_count] xtics add (sweep_tic_label[i] sweep_tic_at[i])
set logscale y 10
set ytics ()
set for [e = -6:4] for [m in '1 2 5'] ytics add (sprintf('%g', m * 10.0**e) m * 10.0**e)
set xlabel sweep_axis font middling offset 0,0.3
set style fill transparent solid 0.22 noborder
if (key_rows == 1) {
	set key at screen 0.975,(1 - 73.6 / page_height) right top vertical maxrows 1 font middling samplen 2.5 width 0.5
} else {
	unset key
}
set tmargin at screen 1 - (128.0 + 20 * (key_rows - 1)) / page_height

points = data.'/'.name.'.tsv'
is(i) = strcol(1) eq sweep_method[i]
copied = exists("copied_text") ? copied_text : ''
# as long as the longest name of a method; which of them lent bytes that were copied after all, the foot says
sweep_title_of(i) = (strlen(sweep_method[i]) > 22 ? sweep_method[i][1:22] : sweep_method[i]).(strstrt(copied, ' '.sweep_method[i].' ') ? ' ‡' : '')

# half way up the axes, whose upper end gives way to the names
axis_middle = (185.6 + page_height - 128.0 - 20 * (key_rows - 1)) / 2 / page_height

set multiplot
set lmargin at screen 0.105
set rmargin at screen 0.515
set bmargin at screen 185.6 / page_height
set yrange [sweep_cpu_from:sweep_cpu_to]
set label 6 'sender' at graph 0.98,0.96 right font middling
set label 7 'CPU seconds per 10^9 bytes (log scale)' at screen 0.022,axis_middle center rotate font middling
plot for [i = 1:sweep_method_count] points skip 1 using 3:(is(i) ? $5 : NaN):(is(i) ? $6 : NaN) with filledcurves linecolor rgb method_rgb(sweep_method[i]) notitle, \
     for [i = 1:sweep_method_count] points skip 1 using (is(i) ? $3 : NaN):4 with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(sweep_method[i]) dashtype method_dash(sweep_method[i]) linecolor rgb method_rgb(sweep_method[i]) title sweep_title_of(i)
do for [i = 1:9] { unset label i }
unset key
set lmargin at screen 0.575
set rmargin at screen 0.975
set yrange [sweep_rate_from:sweep_rate_to]
set label 6 'throughput, 10^9 bytes per second (log scale)' at graph 0.98,0.96 right font middling
plot for [i = 1:sweep_method_count] points skip 1 using 3:(is(i) ? $8 : NaN):(is(i) ? $9 : NaN) with filledcurves linecolor rgb method_rgb(sweep_method[i]) notitle, \
     for [i = 1:sweep_method_count] points skip 1 using (is(i) ? $3 : NaN):7 with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(sweep_method[i]) dashtype method_dash(sweep_method[i]) linecolor rgb method_rgb(sweep_method[i]) notitle
if (key_rows > 1) {
	unset label
	unset border
	unset xlabel
	unset ytics
	unset xtics
	unset grid
	set lmargin at screen 0.02
	set key at screen 0.975,(1 - 67.2 / page_height) right top horizontal maxcols 3 font small samplen 3 width (sweep_method_count <= 9 ? 1.5 : -2)
	plot NaN notitle, for [i = 1:sweep_method_count] keyentry with linespoints linewidth 2.2 pointsize (svg ? 0.7 : 0.9) pointtype method_shape(sweep_method[i]) dashtype method_dash(sweep_method[i]) linecolor rgb method_rgb(sweep_method[i]) title sweep_title_of(i)
}
unset multiplot
unset output
