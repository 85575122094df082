/* What the files of tests about address spaces share: aspacetest.c has their main. */
#pragma once
#include "levels.h"
#include "world.h"
#include <string.h>

#define MEMORY 48 /* MiB */
#define P PAGE_SIZE
#define RW (PTE_R | PTE_W)

/* Maps so many pages of zeros, private, to be read and written, where nothing is mapped. */
void map_zeros(struct env_proc *p, uint64_t start, uint64_t pages);

void test_strings(void **state);
void test_bytes_at_borders(void **state);
void test_pieces(void **state);
void test_every_promise_refused_once(void **state);
void test_the_last_frame(void **state);
void test_two_copy_at_once(void **state);
void test_dropped_lazy_pages_give_their_promises_back(void **state);
void test_a_childs_tables_of_lazy_memory(void **state);
void test_lazy_and_promised(void **state);
void test_all_lazy(void **state);
void test_large_leaves_are_cut(void **state);
void test_large_leaves_are_changed_whole(void **state);
void test_writes_come_back_at_once(void **state);
void test_kept_pages(void **state);
void test_shared_memory_goes_last(void **state);
void test_pages_at_hand_come_along(void **state);
void test_private_beside_shared(void **state);
void test_a_replacement_that_fails(void **state);
void test_places_from_the_top(void **state);
void test_dropped_pages_of_the_program(void **state);
void test_the_break_meets_mappings(void **state);
void test_pages_of_a_file_are_taken_away(void **state);
void test_who_may_write_a_file(void **state);
void test_mapped_while_it_is_asked(void **state);
void test_a_copy_is_waited_for(void **state);
void test_a_copy_that_writes_is_waited_for(void **state);
void test_a_joined_mapping_is_not_passed_over(void **state);
void test_mappings_join_around_a_hart(void **state);
void test_pages_of_a_file_at_random(void **state);
void test_pages_are_taken_away_in_breaks(void **state);
void test_long_work_has_breaks(void **state);
void test_more_is_asked_of_nobody(void **state);
void test_a_hart_catches_up_with_what_it_missed(void **state);
void test_a_fault_waits_for_a_change(void **state);
void test_two_threads_fill_one_page(void **state);
void test_two_threads_copy_one_page(void **state);
void test_a_copy_of_what_is_not_there_any_more(void **state);
void test_a_range_is_claimed(void **state);
void test_fork_flushes_before_a_break(void **state);
void test_many_mappings_have_breaks(void **state);
void test_pages_are_counted_in_pieces(void **state);
void test_pages_change_while_they_are_counted(void **state);
void test_large_leaves_are_counted(void **state);
void test_a_large_leaf_is_split_in_a_break(void **state);
void test_as_many_mappings_as_there_may_be(void **state);
void test_a_large_file_is_taken_away_with_breaks(void **state);
void test_a_file_learns_of_mappings_with_breaks(void **state);
void test_many_mappings_of_a_file_have_breaks(void **state);
void test_large_leaves_move(void **state);
void test_where_a_mapping_may_grow(void **state);
void test_shared_memory_is_mapped_again(void **state);
void test_what_moves_is_promised_once(void **state);
void test_lazy_pages_move(void **state);
void test_other_harts_are_asked_once(void **state);
void test_a_threads_stack_is_found(void **state);
void test_a_child_has_one_thread(void **state);
void test_the_checker_finds(void **state);
void test_the_checker_compares_the_roots(void **state);
