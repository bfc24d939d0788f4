//! What a search begins with: good inputs, made by the code that makes them in earnest, and some that are known to
//! be refused. `cargo run -p stoa-fuzz --bin seeds` writes them into the corpus.

mod calls;
mod media;
mod texts;

/// An input with its name.
pub type Seed = (&'static str, Vec<u8>);

/// The inputs that a target begins with.
///
/// # Panics
/// If there is no such target.
pub fn of(target: &str) -> Vec<Seed> {
    match target {
        "datagram" => media::datagrams(),
        "tcp_stream" => media::tcp_streams(),
        "stun" => media::stun(),
        "dtls" => media::dtls(),
        "rtp" => media::rtp(),
        "red" => media::red(),
        "rtcp" => media::rtcp(),
        "sdp_offer" => texts::offers(),
        "ice_candidate" => texts::candidates(),
        "join_token" => calls::tokens(),
        "control_message" => calls::requests(),
        "http3_frames" => calls::frames(),
        "whip" => texts::whip(),
        "configuration" => texts::configurations(),
        "talk_message" => texts::talk(),
        "exposition" => texts::expositions(),
        "agent_question" => texts::questions(),
        _ => panic!("no such target: {target}"),
    }
}
