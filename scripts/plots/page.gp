# SPDX-License-Identifier: MIT
# What every plot shares. `data` is the folder with the data, `picture` the file to write (.svg or .png).
# The data folder holds labels.gp, the texts of this result; no script here holds a number of one.

set encoding utf8
load data.'/labels.gp'
# more bars than names fit under side by side: the names stand slanted, on a taller page
many = exists('names_turned') ? names_turned : 0
if (!exists('page_height')) page_height = many ? 715 : 640
load 'palette.gp'

svg = picture[strlen(picture)-3:*] eq '.svg'
if (svg) {
	set terminal svg noenhanced size 960,page_height dynamic rounded font 'sans-serif,17' background rgb '#ffffff'
	set pointsize 0.8
} else {
	set terminal pngcairo noenhanced size 1440,(1.5 * page_height) rounded font 'DejaVu Sans,19' linewidth 1.5 pointscale 1.5 background rgb '#ffffff'
}
set output picture

small = svg ? 'sans-serif,12.5' : 'DejaVu Sans,13.5'
middling = svg ? 'sans-serif,14.5' : 'DejaVu Sans,16'

set datafile separator "\t"
set datafile missing 'NaN'
set border 3 linecolor rgb '#444444'
set tics nomirror out font middling textcolor rgb '#222222'
set grid ytics linecolor rgb '#dddddd' linetype 1 linewidth 0.7
set key noenhanced
set lmargin at screen 0.10
set rmargin at screen 0.975
# distances are in pixels of the SVG from the edge, so that they hold for taller pages too
note_1 = 75.5 / page_height
note_2 = 49.9 / page_height
bottom = (many ? 238.2 : 163.2) / page_height
middle = (1 + bottom - 105.6 / page_height) / 2
set tmargin at screen 1 - 105.6 / page_height
set bmargin at screen bottom
bar_font = many ? small : middling
# numbers over so many bars stand upright
turn = many ? 90 : 0
lift = many ? 1.9 : 0.75
if (many) set xtics rotate by 50 right

# the texts: what is compared above, the machine and what misleads below
set label 1 title_text at screen 0.02,(1 - 25.6 / page_height) left font (svg ? 'sans-serif,20' : 'DejaVu Sans,22')
set label 2 compared_text at screen 0.02,(1 - 58.9 / page_height) left font middling textcolor rgb '#333333'
# in every picture that may show such a method
if (exists("copied_text")) { set label 9 copied_text at screen 0.02,(8.5 / page_height) left font small textcolor rgb '#555555' }
set label 3 machine_text at screen 0.02,(24.3 / page_height) left font small textcolor rgb '#555555'
