# SPDX-License-Identifier: MIT
# One colour, point shape and dash per method, the same in every plot. The colours are Okabe and Ito's, which
# the common kinds of colour blindness tell apart; shapes and dashes do the same in greyscale. A method is
# added by its three lines here; one that has none is drawn in grey.

rgb_read_write = 0x000000
rgb_mmap_write = 0xE69F00
rgb_sendfile = 0x009E73
rgb_splice = 0xCC79A7
rgb_direct_write = 0x0072B2
rgb_mmap_populate = 0xF0E442
rgb_preadv2_write = 0x56B4E9
rgb_zerocopy = 0xD55E00
rgb_other = 0x777777

shape_read_write = 5
shape_mmap_write = 9
shape_sendfile = 7
shape_splice = 13
shape_direct_write = 11
shape_mmap_populate = 8
shape_preadv2_write = 4
shape_zerocopy = 6
shape_other = 3

dash_read_write = 1
dash_mmap_write = 2
dash_sendfile = 1
dash_splice = 4
dash_direct_write = 5
dash_mmap_populate = 2
dash_preadv2_write = 1
dash_zerocopy = 4
dash_other = 3

method_rgb(name) = exists("rgb_".name) ? value("rgb_".name) : rgb_other
method_shape(name) = exists("shape_".name) ? value("shape_".name) : shape_other
method_dash(name) = exists("dash_".name) ? value("dash_".name) : dash_other

# the colour mixed with white: `keep` of 1 is the colour, 0 is white
channel(rgb, shift, keep) = int(255 - keep * (255 - ((rgb >> shift) & 255))) << shift
tint(rgb, keep) = channel(rgb, 16, keep) | channel(rgb, 8, keep) | channel(rgb, 0, keep)
