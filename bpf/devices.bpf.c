// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Between the disk and memory: what a measured process asks its device for, and the source's pages in
 * the page cache. Device transfers are no copies of the CPU's; they stand beside them.
 */
#include "types.h"

#include "filter.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define REQ_OP_MASK 0xff
#define REQ_OP_READ 0
#define MAPPING_ANON 1	       /* low bit of page->mapping: anonymous memory */
#define TMPFS_MAGIC 0x01021994 /* shared memory of processes, too */

/* 5.10's block tracepoints have the queue as their first argument. */
const volatile bool bio_after_queue;

/*
 * The head of the folio a page is in: only there does `mapping` mean anything. A tail says where by the
 * head's address plus one or, since 7.1, by a mask that leads to it; no address is that close to zero.
 */
static __always_inline const struct page *head_of(const struct page *page)
{
	unsigned long info;

	if (bpf_core_field_exists(struct page___from_7_1, compound_info))
		info = BPF_CORE_READ((const struct page___from_7_1 *)page, compound_info);
	else
		info = BPF_CORE_READ(page, compound_head);
	if (!(info & 1))
		return page;
	info--;
	return (const struct page *)((long)info > -(1L << 32) ? (unsigned long)page & info : info);
}

static __always_inline struct address_space *mapping_of(const struct page *page)
{
	if (bpf_core_type_exists(struct folio))
		return BPF_CORE_READ((const struct folio *)page, mapping);
	return BPF_CORE_READ(page, mapping);
}

static __always_inline __u64 disk_of(const struct bio *bio)
{
	if (bpf_core_field_exists(struct bio, bi_bdev))
		return (__u64)BPF_CORE_READ(bio, bi_bdev, bd_disk);
	return (__u64)BPF_CORE_READ((const struct bio___until_5_11 *)bio, bi_disk);
}

/*
 * Where a read will land is told by its first page. Only requests to one disk count, the one right below
 * the file system: stacked block devices (dm, md) queue the same request again further down. A file
 * system that doesn't name its disk (btrfs) means the first one read from.
 */
static __always_inline int queued(const struct bio *bio)
{
	struct counters *counters = mine();
	struct address_space *mapping;
	struct inode *host;
	enum site site;
	__u64 disk;

	if (!counters || (BPF_CORE_READ(bio, bi_opf) & REQ_OP_MASK) != REQ_OP_READ)
		return 0;
	disk = disk_of(bio);
	if (control.disk && disk != control.disk)
		return 0;
	mapping = mapping_of(head_of(BPF_CORE_READ(bio, bi_io_vec, bv_page)));
	if (!mapping) /* the kernel's own memory */
		return 0;
	site = SITE_DISK_TO_USER;
	if (!((__u64)mapping & MAPPING_ANON)) {
		host = BPF_CORE_READ(mapping, host);
		if (is_backing(host))
			site = SITE_DISK_TO_PAGE_CACHE;
		else if (BPF_CORE_READ(host, i_sb, s_magic) != TMPFS_MAGIC)
			return 0; /* metadata, or another file's pages */
	}
	control.disk = disk;
	tally(&counters->hook[site], BPF_CORE_READ(bio, bi_iter.bi_size));
	return 0;
}

SEC("?tp_btf/block_bio_queue")
int bio_queued(const __u64 *ctx)
{
	if (bio_after_queue)
		return queued((const struct bio *)ctx[1]);
	return queued((const struct bio *)ctx[0]);
}

static __always_inline unsigned long page_flags(const struct page *page)
{
	if (bpf_core_field_exists(struct page___from_6_18, flags.f))
		return BPF_CORE_READ((const struct page___from_6_18 *)page, flags.f);
	return BPF_CORE_READ(page, flags);
}

/* Pages in what the page cache was given: a page before 5.17, a folio since. */
static __always_inline __u64 pages_in(const struct page *page)
{
	unsigned char order = 0;

	if (!(page_flags(page) >> bpf_core_enum_value(enum pageflags, PG_head) & 1))
		return 1;
	if (bpf_core_field_exists(struct folio___until_6_5, _folio_order))
		order = BPF_CORE_READ((const struct folio___until_6_5 *)page, _folio_order);
	else if (bpf_core_field_exists(struct folio___from_6_6, _flags_1))
		order = BPF_CORE_READ((const struct folio___from_6_6 *)page, _flags_1) & 0xff;
	else if (bpf_core_field_exists(struct page, compound_order))
		order = BPF_CORE_READ(
			(const struct page *)((const char *)page + bpf_core_type_size(struct page)),
			compound_order);
	return 1ULL << (order & 31);
}

/* By any task: readahead may be another's doing, and what it adds is the transfer's all the same. */
SEC("?tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(page_added, const struct page *page)
{
	struct counters *counters;

	if (!control.backing || !is_backing(BPF_CORE_READ(mapping_of(page), host)))
		return 0;
	counters = counters_of(ROLE_SENDER);
	if (counters)
		add(&counters->pages_added, pages_in(page));
	return 0;
}

/* A range may be looked up in several steps: count what lies beyond the highest page counted so far. */
static __always_inline int touched(const struct address_space *mapping, __u64 first, __u64 last)
{
	__u32 role = current_role();
	struct counters *counters = counters_of(role);
	__u64 end;

	if (!counters || role >= ROLES) {
		if (enrolling())
			enrol_backing(mapping->host);
		return 0;
	}
	if ((__u64)mapping->host != control.backing)
		return 0;
	end = control.descriptors[role].pages_end;
	if (first < end)
		first = end;
	if (last < first)
		return 0;
	add(&counters->pages_touched, last - first + 1);
	control.descriptors[role].pages_end = last + 1;
	return 0;
}

SEC("?tp_btf/mm_filemap_get_pages")
int BPF_PROG(pages_looked_up, const struct address_space *mapping, unsigned long first,
	     unsigned long last)
{
	return touched(mapping, first, last);
}

SEC("?tp_btf/mm_filemap_map_pages")
int BPF_PROG(pages_mapped, const struct address_space *mapping, unsigned long first,
	     unsigned long last)
{
	return touched(mapping, first, last);
}

SEC("?tp_btf/mm_filemap_fault")
int BPF_PROG(page_faulted, const struct address_space *mapping, unsigned long index)
{
	return touched(mapping, index, index);
}
