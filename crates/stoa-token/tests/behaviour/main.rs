//! What join tokens does, one file for each behaviour: one binary, since each costs a link of everything.

mod support;

mod a_good_token_grants_what_it_says;
mod a_token_has_a_form_and_a_size;
mod a_token_has_its_time;
mod a_token_names_a_key_that_is_known;
mod claims_are_complete_and_in_range;
mod no_token_makes_it_panic;
mod once_means_once;
mod the_algorithm_follows_from_the_key;
mod tokens_for_something_else_are_refused;
