/*
 * LINK: daemon/supervisor/page_image.c daemon/supervisor/page_runs.c daemon/supervisor/maps_text.c daemon/supervisor/sample_store.c
 *
 * Shared, copied, new: tables of page entries, and what they are taken for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisor/page_image.h"
#include "supervisor/sample_store.h"

#define PRESENT	  (UINT64_C(1) << 63)
#define SWAPPED	  (UINT64_C(1) << 62)
#define FILE_PAGE (UINT64_C(1) << 61)
#define EXCLUSIVE (UINT64_C(1) << 56)

/* Pages 0x100.. of the program's data, 0x200.. the heap, 0x300.. an image, 0x900.. the stack. */
static const char zygote_maps[] = "100000-102000 rw-p 0 0:0 1 /x/zygote\n"
				  "200000-210000 rw-p 0 0:0 0 [heap]\n"
				  "300000-310000 rw-p 0 0:0 1 /memfd:zygoted-image (deleted)\n"
				  "900000-902000 rw-p 0 0:0 0 [stack]\n";
static const char child_maps[] = "100000-102000 rw-p 0 0:0 1 /x/zygote\n"
				 "200000-218000 rw-p 0 0:0 0 [heap]\n"
				 "300000-310000 rw-p 0 0:0 1 /memfd:zygoted-image (deleted)\n"
				 "500000-504000 rw-p 0 0:0 0 \n"
				 "8ff000-902000 rw-p 0 0:0 0 [stack]\n";

struct fixture {
	struct mappings zygote;
	struct mappings child;
	struct page_runs states[PAGE_STATE_MAX]; /* the child's */
	struct page_image *image;
};

static void
add(struct page_runs *set, uint64_t first, uint64_t count)
{
	assert_int_equal(page_runs_add(set, first, count), 0);
}

/* The zygote had 0x200..0x207 of the heap and 0x300..0x30b of the image, whose 0x30c.. is a hole. */
static int
set_up(void **state)
{
	static struct fixture fixture;
	static const struct page_region regions[] = { { 0x202, 0x204, "index" } };
	struct page_runs states[PAGE_STATE_MAX] = { 0 };
	struct page_runs joined = { 0 };
	struct page_runs frozen = { 0 };

	fixture = (struct fixture){ 0 };
	assert_int_equal(mappings_parse(zygote_maps, &fixture.zygote), 0);
	assert_int_equal(mappings_parse(child_maps, &fixture.child), 0);
	add(&states[PAGE_JOINT], 0x200, 7);
	add(&joined, 0x207, 1);
	add(&frozen, 0x300, 12);
	fixture.image = page_image_new(&(struct page_source){ .mappings = &fixture.zygote,
							      .states = states,
							      .joined = &joined,
							      .frozen = &frozen,
							      .regions = regions,
							      .regions_count = 1,
							      .has_places = true });
	assert_non_null(fixture.image);
	page_runs_free(&states[PAGE_JOINT]);
	page_runs_free(&joined);
	page_runs_free(&frozen);
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	mappings_free(&fixture->zygote);
	mappings_free(&fixture->child);
	for (int i = 0; i < PAGE_STATE_MAX; i++)
		page_runs_free(&fixture->states[i]);
	page_image_free(fixture->image);
	return 0;
}

static void
test_bits_of_an_entry(void **state)
{
	static const struct {
		uint64_t entry;
		enum page_state state;
	} rows[] = {
		{ 0, PAGE_ABSENT },
		{ EXCLUSIVE, PAGE_ABSENT },
		{ PRESENT, PAGE_JOINT },
		{ PRESENT | EXCLUSIVE, PAGE_OWN },
		{ PRESENT | FILE_PAGE, PAGE_FILE },
		{ PRESENT | FILE_PAGE | EXCLUSIVE, PAGE_FILE },
		{ SWAPPED, PAGE_SWAPPED },
		{ SWAPPED | FILE_PAGE, PAGE_SWAPPED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(page_entry_state(rows[i].entry), rows[i].state);
}

struct seen {
	unsigned count;
	struct page_part part;
};

static void
on_part(void *owner, const struct page_part *part)
{
	struct seen *seen = owner;

	seen->count++;
	seen->part = *part;
}

static void
test_one_page(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		uint64_t page;
		enum page_state state;
		int class; /* -1: not counted */
		const char *row;
	} rows[] = {
		{ 0x200, PAGE_JOINT, PAGES_SHARED, "heap" },
		{ 0x200, PAGE_OWN, PAGES_COPIED, "heap" },
		{ 0x202, PAGE_OWN, PAGES_COPIED, "index" },
		{ 0x203, PAGE_JOINT, PAGES_SHARED, "index" },
		{ 0x204, PAGE_OWN, PAGES_COPIED, "heap" },
		{ 0x207, PAGE_OWN, PAGES_COPIED,
		  "heap" }, /* the probe had its own, the zygote has it */
		{ 0x208, PAGE_OWN, PAGES_NEW, "heap" },
		{ 0x208, PAGE_JOINT, -1, NULL },	/* the page of zeros */
		{ 0x212, PAGE_OWN, PAGES_NEW, "heap" }, /* it has grown */
		{ 0x8ff, PAGE_OWN, PAGES_NEW, "stack" },
		{ 0x500, PAGE_OWN, PAGES_NEW, "new mappings" },
		{ 0x100, PAGE_OWN, PAGES_COPIED, "zygote data" }, /* of the file's page */
		{ 0x100, PAGE_FILE, PAGES_SHARED, "zygote data" },
		{ 0x300, PAGE_FILE, PAGES_SHARED, "image" },
		{ 0x300, PAGE_OWN, PAGES_COPIED, "image" },
		{ 0x30c, PAGE_OWN, PAGES_NEW, "image" },
		{ 0x201, PAGE_SWAPPED, PAGES_SWAPPED, "heap" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page_runs states[PAGE_STATE_MAX] = { 0 };
		struct seen seen = { 0 };
		add(&states[rows[i].state], rows[i].page, 1);
		page_image_compare(fixture->image, &fixture->child, states, on_part, &seen);
		page_runs_free(&states[rows[i].state]);
		assert_int_equal(seen.count, rows[i].class < 0 ? 0 : 1);
		if (seen.count == 0)
			continue;
		assert_int_equal(seen.part.class, rows[i].class);
		assert_string_equal(fixture->image->rows[seen.part.row].name, rows[i].row);
	}
}

static void
test_a_run_is_split_where_it_must_be(void **state)
{
	struct fixture *fixture = *state;
	struct sample sample = { .route = 3, .page_table_bytes = 8192 };
	struct sample_store *store = sample_store_new(fixture->image);

	assert_non_null(store);
	add(&fixture->states[PAGE_OWN], 0x1fe, 0x20); /* gap, heap, region, heap, new heap */
	add(&fixture->states[PAGE_OWN], 0x300, 1);
	add(&fixture->states[PAGE_FILE], 0x301, 4);
	assert_int_equal(sample_store_add(store, &fixture->child, fixture->states, 7, &sample), 0);
	assert_int_equal(sample.pages[PAGES_COPIED], 8 + 1);
	assert_int_equal(sample.pages[PAGES_NEW], 0x20 - 8);
	assert_int_equal(sample.pages[PAGES_SHARED], 4);
	assert_int_equal(sample.written.count, 2);
	assert_int_equal(page_runs_pages(&sample.written),
			 0x10 + 1); /* not where the zygote has no mapping */
	assert_int_equal(sample.read.count, 1);
	assert_int_equal(sample.read.runs[0].first, 0x301);
	assert_int_equal(store->routes[3].samples, 1);
	assert_int_equal(store->routes[3].most[PAGES_COPIED], 9);
	sample_free(&sample);
	free(store);
}

static void
test_cells_count_each_sample_once(void **state)
{
	struct fixture *fixture = *state;
	struct sample_store *store = sample_store_new(fixture->image);
	const struct page_span *span = NULL;

	assert_non_null(store);
	for (size_t i = 0; i < fixture->image->spans_count; i++)
		if (fixture->image->spans[i].first == 0x204)
			span = &fixture->image->spans[i];
	assert_non_null(span);
	assert_int_equal(store->pages_per_cell, 1);
	assert_int_equal(store->cells_count, 2 + 16 + 16 + 2);
	add(&fixture->states[PAGE_OWN], 0x205, 1);
	add(&fixture->states[PAGE_OWN], 0x20f, 1);
	for (int i = 0; i < 3; i++) {
		struct sample sample = { 0 };
		assert_int_equal(sample_store_add(store, &fixture->child, fixture->states, 1,
						  &sample),
				 0);
		sample_free(&sample);
	}
	assert_int_equal(store->cells[sample_store_cell(store, span, 0x205)].copying, 3);
	assert_int_equal(store->cells[sample_store_cell(store, span, 0x20f)].adding, 3);
	assert_int_equal(store->cells[sample_store_cell(store, span, 0x206)].copying, 0);
	assert_int_equal(store->pages[PAGES_COPIED], 3);
	free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits_of_an_entry),
		cmocka_unit_test_setup_teardown(test_one_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_run_is_split_where_it_must_be, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_cells_count_each_sample_once, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
