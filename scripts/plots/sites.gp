# SPDX-License-Identifier: MIT
# ns of sender CPU per KiB by kernel site, stacked, a bar per method, and beside it the same as shares, so that a dear
# method does not hide what a cheap one is made of. The sites' names and colours are in labels.gp.
# Run in this folder: gnuplot -c sites.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'Where the sender''s CPU time goes'
load 'page.gp'

set label 2 sites_compared_text
set label 4 sites_note_1 at screen 0.02,0.118 left font small textcolor rgb '#555555'
set label 5 sites_note_2 at screen 0.02,0.078 left font small textcolor rgb '#555555'
set tmargin at screen 0.735
set bmargin at screen 0.27
set yrange [0.4:sites_count + 0.6]
set grid noytics xtics
set style fill solid 1.0 border rgb '#ffffff'
# gnuplot takes SVG text for wider than it is
set key at screen 0.02,0.885 left top vertical maxrows 4 Left reverse font small samplen 1.2 width (svg ? -7 : 0)

sites = data.'/sites.tsv'
ns(c) = valid(c) ? real(strcol(c)) : 0
all = site_count + 3
# the sum of the columns of sites before the n-th, and with it
before(n) = n < 2 ? 0 : sum [k = 1:n - 1] ns(k + 2)
upto(n) = before(n) + ns(n + 2)
# in per cent of the bar
part(x) = ns(all) > 0 ? 100 * x / ns(all) : 0
half = 0.36
# the colour's own lightness decides between black and white
light(rgb) = 0.299 * (rgb >> 16 & 255) + 0.587 * (rgb >> 8 & 255) + 0.114 * (rgb & 255) > 125
ink(rgb) = light(rgb) ? 0x000000 : 0xffffff
# in a narrow part a number would run over its neighbours
inside(x, room) = x > room ? sprintf(x < 9.95 ? '%.1f' : '%.0f', x) : ''

set multiplot
set lmargin at screen 0.185
set rmargin at screen 0.56
set xlabel 'ns of sender CPU per KiB of payload' font middling offset 0,0.3
set xrange [0:sites_to]
# few enough for numbers of four digits
step = 10.0**floor(log10(sites_to))
step = sites_to < 3 * step ? step / 2 : sites_to < 6 * step ? step : 2 * step
set xtics 0,step
names_font = sites_count > 8 ? small : middling
set ytics () scale 0 font names_font
set for [i = 1:sites_count] ytics add (sites_name[i] sites_count + 1 - i)
plot for [n = 1:site_count] sites skip 1 using (upto(n)):1:(before(n)):(upto(n)):($1 - half):($1 + half) with boxxyerror linecolor rgb site_rgb[n] notitle, \
     for [n = 1:site_count] sites skip 1 using ((before(n) + upto(n)) / 2):1:(inside(ns(n + 2), 0.09 * sites_to)):(ink(site_rgb[n])) with labels center font small textcolor rgb variable notitle, \
     sites skip 1 using (column(all)):1:(strcol(all + 1)) with labels left offset 0.6,0 font middling notitle, \
     for [n = 1:site_count] keyentry with boxes linecolor rgb site_rgb[n] title site_title[n]
do for [i = 1:7] { unset label i }
unset key
unset ytics
set lmargin at screen 0.60
set rmargin at screen 0.975
set xlabel 'per cent of it' font middling offset 0,0.3
set xrange [0:100]
set xtics 0,20
plot for [n = 1:site_count] sites skip 1 using (part(upto(n))):1:(part(before(n))):(part(upto(n))):($1 - half):($1 + half) with boxxyerror linecolor rgb site_rgb[n] notitle, \
     for [n = 1:site_count] sites skip 1 using (part((before(n) + upto(n)) / 2)):1:(inside(part(ns(n + 2)), 7)):(ink(site_rgb[n])) with labels center font small textcolor rgb variable notitle
unset multiplot
unset output
