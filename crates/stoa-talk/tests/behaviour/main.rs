//! What the example service does, one file for each behaviour: one binary, since each costs a link of everything.

#[path = "support/beta.rs"]
mod beta;
#[path = "support/house.rs"]
mod house;
#[path = "support/stoa.rs"]
mod stoa;
mod support;

mod a_ban_ends_everything;
mod a_broken_event_stream_goes_on;
mod a_removed_person_cannot_return;
mod a_second_window_takes_over;
mod a_slow_browser_is_dropped;
mod an_unreachable_stoa_is_told;
mod bad_codes_are_refused_alike;
mod bad_messages_are_refused;
mod foreign_origins_are_refused;
mod hands_are_raised_and_people_invited;
mod invitations_admit_what_they_say;
mod links_admit_what_they_say;
mod moderation_is_the_servers_decision;
mod page_is_served_whole_and_closed;
mod people_meet_in_a_room;
mod silencing_is_the_listeners_own;
mod state_survives_a_restart;
mod the_administrator_opens_to_everyone;
mod the_command_line_explains_failures;
mod the_end_is_told;
mod waves_open_in_order;
