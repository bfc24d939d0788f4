//! Garbage ends at most its own connection.

use http_body_util::BodyExt;
use stoa_h3::{Channel, ConnectionLost, QuicLimits, ServeError};
use tower::{ServiceExt, service_fn};

use crate::raw;
use crate::support::{Server, echo, full, post, within};

async fn works(channel: &Channel) {
    let answer = within(channel.clone().oneshot(post("/", full("alive")))).await;
    let body = within(answer.unwrap().into_body().collect()).await;
    assert_eq!(body.unwrap().to_bytes(), "alive");
}

/// Sends `stream` as a request's bytes and a clean end, and returns what came back.
async fn ask(connection: &quinn::Connection, stream: &[u8]) -> Result<Vec<u8>, String> {
    let (mut send, mut recv) = connection.open_bi().await.map_err(|e| e.to_string())?;
    let _ = send.write_all(stream).await;
    let _ = send.finish();
    let response = within(recv.read_to_end(1 << 20)).await;
    response.map_err(|error| error.to_string())
}

/// A small generator (xorshift), so that a failure comes back with its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 32) as u8).collect()
    }
}

#[tokio::test]
async fn random_bytes_hurt_nobody_else() {
    let mut server = Server::start(service_fn(echo));
    let bystander = server.connect().await;
    for seed in 1..=60 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(seed));
        let connection = server.connect_quic(&QuicLimits::default()).await;
        let control = raw::begin(&connection).await;
        let uni = connection.open_uni().await;
        for _ in 0..3 {
            // Sometimes after a good beginning, so that the garbage gets further.
            let mut stream = match random.next() % 3 {
                0 => Vec::new(),
                1 => raw::request(&[]),
                _ => raw::frame_header(random.next() % 16, random.next() % 64),
            };
            let length = random.next() % 300;
            stream.extend(random.bytes(length));
            let Ok((mut send, _recv)) = connection.open_bi().await else {
                break;
            };
            let _ = send.write_all(&stream).await;
        }
        if let Ok(mut uni) = uni {
            let _ = uni.write_all(&random.bytes(100)).await;
        }
        drop(control);
        if seed % 10 == 0 {
            works(&bystander).await;
        }
        connection.close(0x100u32.into(), b"");
        // However it ended, it was not by a panic.
        let _ = server.next_end().await;
    }
    works(&bystander).await;
}

#[tokio::test]
async fn an_end_within_a_frame_closes_the_connection_with_a_frame_error() {
    for cut in [
        [raw::request(&[]), raw::frame_header(0, 10)].concat(),
        [raw::request(&[]), raw::frame_header(0, 10), vec![1, 2, 3]].concat(),
        raw::request(&[])[..20].to_vec(),
    ] {
        let mut server = Server::start(service_fn(echo));
        let bystander = server.connect().await;
        let connection = server.connect_quic(&QuicLimits::default()).await;
        let _control = raw::begin(&connection).await;
        ask(&connection, &cut).await.unwrap_err();
        let quinn::ConnectionError::ApplicationClosed(close) = within(connection.closed()).await
        else {
            panic!("not closed by the server")
        };
        assert_eq!(close.error_code, 0x106u32.into(), "H3_FRAME_ERROR");
        let end = server.next_end().await.unwrap_err();
        assert!(
            matches!(
                end,
                ServeError::Connection(ConnectionLost::ClosedHere { code: 0x106, .. })
            ),
            "{end:?}"
        );
        works(&bystander).await;
    }
}

#[tokio::test]
async fn empty_and_unknown_frames_are_no_end_of_a_body() {
    let server = Server::start(service_fn(echo));
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let stream = [
        raw::frame(0x21, b"before the headers"),
        raw::request(&[]),
        raw::frame(0, b""),
        raw::frame(0, b"one "),
        raw::frame(0, b""),
        raw::frame(0x40, &[0; 5000]),
        raw::frame(0, b"body"),
        raw::frame(0, b""),
    ]
    .concat();
    let response = ask(&connection, &stream).await.unwrap();
    assert_eq!(raw::body(&response), b"one body");
}

#[tokio::test]
async fn a_body_in_the_smallest_frames_arrives() {
    let server = Server::start(service_fn(echo));
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let body: Vec<u8> = (0..20_000u32).map(|n| (n % 251) as u8).collect();
    let mut stream = raw::request(&[]);
    for byte in &body {
        stream.extend([0, 1, *byte]);
    }
    let response = ask(&connection, &stream).await.unwrap();
    assert!(raw::body(&response) == body);
}

#[tokio::test]
async fn frames_out_of_place_close_only_their_connection() {
    let settings_on_a_request = raw::frame(4, b"");
    let data_before_headers = raw::frame(0, b"x");
    let web_transport = raw::frame_header(0x41, 0);
    for stream in [settings_on_a_request, data_before_headers, web_transport] {
        let mut server = Server::start(service_fn(echo));
        let bystander = server.connect().await;
        let connection = server.connect_quic(&QuicLimits::default()).await;
        let _control = raw::begin(&connection).await;
        ask(&connection, &stream).await.unwrap_err();
        let end = server.next_end().await.unwrap_err();
        assert!(
            matches!(
                end,
                ServeError::Connection(ConnectionLost::ClosedHere { code: 0x105, .. })
            ),
            "{end:?}"
        );
        works(&bystander).await;
    }
}

/// h3 0.0.8 would wait for the rest of the first for as long as something comes, and keep it all; of the second it
/// would take what is left over for a frame of 1 GiB (docs/upstream/h3-frames-of-one-integer.md).
#[tokio::test]
async fn a_goaway_of_another_length_than_its_integer_closes_the_connection() {
    let left_over = [vec![0], raw::frame_header(1, 1 << 30)].concat();
    for goaway in [raw::frame(7, b""), raw::frame(7, &left_over)] {
        let mut server = Server::start(service_fn(echo));
        let bystander = server.connect().await;
        let connection = server.connect_quic(&QuicLimits::default()).await;
        let mut control = raw::begin(&connection).await;
        // As much as is taken of what follows: it may be closed by now.
        let _ = control.write_all(&goaway).await;
        for _ in 0..100 {
            let _ = control.write_all(&raw::frame(0, &[0; 1_000])).await;
        }
        let quinn::ConnectionError::ApplicationClosed(close) = within(connection.closed()).await
        else {
            panic!("not closed by the server")
        };
        assert_eq!(close.error_code, 0x106u32.into(), "H3_FRAME_ERROR");
        assert!(server.next_end().await.is_err());
        works(&bystander).await;
    }
}
