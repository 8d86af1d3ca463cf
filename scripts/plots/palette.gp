# SPDX-License-Identifier: MIT
# One colour, point shape and dash per method, the same in every plot. The first eight colours are Okabe and Ito's,
# which the common kinds of colour blindness tell apart; relatives have a relative's colour, darker or lighter, and
# no two methods share shape, dash and lightness, so that they differ in greyscale, too. A method is
# added by its three lines here; one that has none is drawn in grey.

rgb_read_write = 0x000000
rgb_mmap_write = 0xE69F00
rgb_sendfile = 0x009E73
rgb_splice = 0xCC79A7
rgb_direct_write = 0x0072B2
rgb_mmap_populate = 0xF0E442
rgb_mmap_sequential = 0xB8860B
rgb_mmap_hugepage = 0x7A5200
rgb_preadv2_dontcache = 0x555555
rgb_vmsplice = 0x882255
rgb_zerocopy = 0xD55E00
rgb_read_zerocopy = 0x8C2D04
rgb_uring_read_send = 0x56B4E9
rgb_uring_splice = 0xAA4499
rgb_uring_send_zc = 0xF4A582
rgb_uring_read_send_sqpoll = 0x4A708B
rgb_uring_splice_sqpoll = 0x6A3D7A
rgb_uring_send_zc_sqpoll = 0xC97B6B
rgb_other = 0x777777

shape_read_write = 5
shape_mmap_write = 9
shape_sendfile = 7
shape_splice = 13
shape_direct_write = 11
shape_mmap_populate = 8
shape_mmap_sequential = 10
shape_mmap_hugepage = 15
shape_preadv2_dontcache = 67
shape_vmsplice = 12
shape_zerocopy = 6
shape_read_zerocopy = 14
shape_uring_read_send = 4
shape_uring_splice = 1
shape_uring_send_zc = 2
shape_uring_read_send_sqpoll = 64
shape_uring_splice_sqpoll = 65
shape_uring_send_zc_sqpoll = 66
shape_other = 3

dash_read_write = 1
dash_mmap_write = 2
dash_sendfile = 1
dash_splice = 4
dash_direct_write = 5
dash_mmap_populate = 2
dash_mmap_sequential = 3
dash_mmap_hugepage = 5
dash_preadv2_dontcache = 3
dash_vmsplice = 2
dash_zerocopy = 4
dash_read_zerocopy = 5
dash_uring_read_send = 2
dash_uring_splice = 3
dash_uring_send_zc = 4
dash_uring_read_send_sqpoll = 3
dash_uring_splice_sqpoll = 5
dash_uring_send_zc_sqpoll = 2
dash_other = 3

method_rgb(name) = exists("rgb_".name) ? value("rgb_".name) : rgb_other
method_shape(name) = exists("shape_".name) ? value("shape_".name) : shape_other
method_dash(name) = exists("dash_".name) ? value("dash_".name) : dash_other

# the colour mixed with white: `keep` of 1 is the colour, 0 is white
channel(rgb, shift, keep) = int(255 - keep * (255 - ((rgb >> shift) & 255))) << shift
tint(rgb, keep) = channel(rgb, 16, keep) | channel(rgb, 8, keep) | channel(rgb, 0, keep)
