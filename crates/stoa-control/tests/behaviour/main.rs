//! What the control API does, one file for each behaviour: one binary, since each costs a link of everything.

mod support;

mod a_ban_holds_everywhere;
mod a_client_certificate_belongs_to_a_tenant;
mod a_full_node_refuses_in_order;
mod a_join_token_lets_in_and_back;
mod a_repeated_call_takes_effect_once;
mod a_slow_watcher_begins_anew;
mod a_stepped_clock_does_what_is_said;
mod a_thousand_watch_at_once;
mod bad_join_tokens_are_counted_by_reason;
mod callers_read_their_own_writes;
mod choices_and_modes_are_taken;
mod connections_have_a_limit;
mod deadlines_are_obeyed;
mod every_error_has_a_reason;
mod joins_have_a_rate;
mod messages_have_a_limit;
mod no_tenant_takes_all_watches;
mod quotas_hold_however_many_come_at_once;
mod quotas_refuse_and_are_freed;
mod revisions_are_never_used_twice;
mod roles_mutes_and_settings_are_seen_by_all;
mod rooms_are_listed_in_pages;
mod the_client_connects_again;
mod the_node_drains_and_stops;
mod tools_find_their_way;
mod two_tenants_cannot_see_each_other;
mod watchers_come_and_go;
mod watchers_of_all_rooms_see_them_all;
mod watchers_see_what_happens;
mod watchers_that_are_cut_miss_nothing;
mod who_may_call;
mod whoever_comes_back_is_who_they_were;
