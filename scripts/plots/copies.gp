# SPDX-License-Identifier: MIT
# Bytes copied per payload byte: the sender's sites stacked, the receiver's copy hatched beside them, a diamond
# where the classic texts put the sender. What could not be counted is NaN in the data and not drawn.
# Run in this folder: gnuplot -c copies.gp DATA_DIR OUTPUT.svg|.png
data = ARG1
picture = ARG2
title_text = 'Copies of every payload byte'
load 'page.gp'

set label 4 copies_note_1 at screen 0.02,note_1 left font small textcolor rgb '#555555'
set label 5 copies_note_2 at screen 0.02,note_2 left font small textcolor rgb '#555555'
set label 7 'bytes copied ÷ payload bytes' at screen 0.022,middle center rotate font middling
set yrange [0:*]
set offsets 0,0,graph 0.12,0
set ytics 0.5
set xrange [x_from:x_to]
set style fill solid 1.0 border -1
set xtics () scale 0 font bar_font
set for [i = 1:bar_count] xtics add (bar_name[i] bar_at[i])
set y2range [0:1]
set key at screen 0.978,0.985 right top vertical maxrows 3 Left reverse font small samplen 1.2 width 0.5
set for [i = 1:group_count] label group_name[i] at first group_at[i], graph 1.04 center font middling
set for [i = 1:separator_count] arrow from first separator[i], graph 0 to first separator[i], graph 1.06 nohead linecolor rgb '#999999' dashtype 3

copies = data.'/copies.tsv'
# an unknown site adds nothing to the height; the "≥" over the bar and the note say so
name_file_to_user = "file → user buffer"
name_file_to_kernel = "file → kernel pages"
name_user_to_socket = "user buffer → socket"
name_deferred = "by reference, copied after all"
name_socket_to_user = "receiver: socket → user"
known(c) = valid(c) ? real(strcol(c)) : 0
keep_file_to_user = 0.85
keep_file_to_kernel = 0.62
keep_user_to_socket = 0.40
keep_deferred = 0.15
grey(keep) = tint(0x222222, keep)
diamond = svg ? 0.65 : 1.1

# the highest box first, each lower one over it
plot copies skip 1 using ($1 - 0.11):(known(4) + known(5) + known(6) + known(7)):(0.46):(tint(method_rgb(strcol(2)), keep_deferred)) with boxes linecolor rgb variable notitle, \
     copies skip 1 using ($1 - 0.11):(known(4) + known(5) + known(6)):(0.46):(tint(method_rgb(strcol(2)), keep_user_to_socket)) with boxes linecolor rgb variable notitle, \
     copies skip 1 using ($1 - 0.11):(known(4) + known(5)):(0.46):(tint(method_rgb(strcol(2)), keep_file_to_kernel)) with boxes linecolor rgb variable notitle, \
     copies skip 1 using ($1 - 0.11):(known(4)):(0.46):(tint(method_rgb(strcol(2)), keep_file_to_user)) with boxes linecolor rgb variable notitle, \
     copies skip 1 using ($1 + 0.23):8:(0.18):(method_rgb(strcol(2))) with boxes fillstyle pattern 4 border -1 linecolor rgb variable notitle, \
     copies skip 1 using ($1 - 0.11):9:10 with labels rotate by turn offset 0,lift font bar_font notitle, \
     copies skip 1 using ($1 - 0.11):11 with points pointtype 13 pointsize 1.5 * diamond linecolor rgb '#ffffff' notitle, \
     copies skip 1 using ($1 - 0.11):11 with points pointtype 13 pointsize diamond linecolor rgb '#c00000' notitle, \
     copies skip 1 using 1:(0.02):12 axes x1y2 with labels rotate left font small textcolor rgb '#555555' notitle, \
     for [site in 'file_to_user file_to_kernel user_to_socket deferred'] keyentry with boxes linecolor rgb grey(value('keep_'.site)) title value('seen_'.site) ? value('name_'.site) : '', \
     keyentry with boxes fillstyle pattern 4 border -1 linecolor rgb '#333333' title name_socket_to_user, \
     keyentry with points pointtype 13 pointsize diamond linecolor rgb '#c00000' title 'the classic texts'
unset output
