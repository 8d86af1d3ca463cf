# texts and positions of the pictures; made from result.json by copytax report
compared_text = '327,680,000 bytes in chunks of 32K, tcp over loopback into a drain sink'
machine_text = 'AMD EPYC, 2 CPUs, under kvm, Linux 6.18.44-fc-v669, reno, copytax 0.1.0, 2026-11-22T01:14:17Z'
throughput_note_1 = 'Bar: median. Whisker: 95% interval of the median. Dots: every sample; 5 to 15 samples each (below 6 the interval is the whole range).'
throughput_note_2 = 'direct_write reads the disk: compare it with the cold bars. Wall time moves with other load; CPU time is steadier.'
cpu_note_1 = 'Medians. Dot and whisker: sender + receiver together, with 95% interval; 5 to 15 samples each (below 6 the interval is the whole range).'
cpu_note_2 = 'Loopback: the sender''s CPU carries the receive path''s softirq work. direct_write: compare with the cold bars.'
chunk_compared_text = '327,680,000 bytes, warm cache, tcp over loopback into a drain sink'
chunk_note_1 = 'Medians; bands: 95% intervals of the median; 2 to 15 samples each (below 6 the interval is the whole range).'
chunk_note_2 = 'Loopback: the sender''s CPU carries the receive path''s softirq work. direct_write reads the disk whatever the cache holds.'
seen_file_to_user = 1
seen_file_to_kernel = 0
seen_user_to_socket = 1
seen_deferred = 0
seen_socket_to_user = 1
copies_note_1 = 'Counted, not timed: bytes that the CPU copied ÷ payload bytes. Number and diamond: the sender alone.'
copies_note_2 = 'What went by reference is no copy, and is not drawn.'
crossings_note_1 = 'Sender, per transfer, counted. Crossing: one change between user and kernel mode, so two per system call.'
crossings_note_2 = 'Context switch: the scheduler puts another task on the CPU. What the texts call context switches are crossings.'
bar_count = 10
array bar_at[11]
array bar_name[11]
separator_count = 1
array separator[2]
group_count = 2
array group_at[2]
array group_name[2]
bar_at[1] = 1
bar_name[1] = 'read_'."\n".'write'
bar_at[2] = 2
bar_name[2] = 'mmap_'."\n".'write'
bar_at[3] = 3
bar_name[3] = 'sendfile'
bar_at[4] = 4
bar_name[4] = 'splice'
bar_at[5] = 5
bar_name[5] = 'direct_'."\n".'write'
group_at[1] = 3
group_name[1] = 'warm'.' cache'
bar_at[6] = 7
bar_name[6] = 'read_'."\n".'write'
bar_at[7] = 8
bar_name[7] = 'mmap_'."\n".'write'
bar_at[8] = 9
bar_name[8] = 'sendfile'
bar_at[9] = 10
bar_name[9] = 'splice'
bar_at[10] = 11
bar_name[10] = 'direct_'."\n".'write'
group_at[2] = 9
group_name[2] = 'cold'.' cache'
separator[1] = 6
x_from = 0.4
x_to = 11.6
array chunk_method[31]
chunk_method[1] = 'read_write'
chunk_method[2] = 'mmap_write'
chunk_method[3] = 'sendfile'
chunk_method[4] = 'splice'
chunk_method[5] = 'direct_write'
chunk_method_count = 5
chunk_y_from = 0.0606161285 / 1.2
chunk_y_to = 9.2931198 * 1.5
chunk_tic_count = 6
array chunk_tic_at[6]
array chunk_tic_label[6]
chunk_tic_at[1] = 4096
chunk_tic_label[1] = '4K'
chunk_from = 4096 / 1.4
chunk_tic_at[2] = 16384
chunk_tic_label[2] = '16K'
chunk_tic_at[3] = 32768
chunk_tic_label[3] = '32K'
chunk_tic_at[4] = 65536
chunk_tic_label[4] = '64K'
chunk_tic_at[5] = 262144
chunk_tic_label[5] = '256K'
chunk_tic_at[6] = 1048576
chunk_tic_label[6] = '1M'
chunk_to = 1048576 * 1.4
