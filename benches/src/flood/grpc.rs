//! Heads of gRPC calls, as an attacker writes them.

/// A call that needs a credential and answers at once.
pub(super) const STATUS: &str = "/stoa.control.v1.Node/GetStatus";

/// One that goes on for as long as the caller wants.
pub(super) const WATCH: &str = "/stoa.control.v1.Rooms/WatchRooms";

/// The same, and without a credential.
pub(super) const HEALTH: &str = "/grpc.health.v1.Health/Watch";

/// A message of nothing, with its length before it.
pub(super) const NOTHING: [u8; 5] = [0; 5];

/// What stands for the server in `:authority`.
const AUTHORITY: &str = "stoa";

/// A string of fewer than 127 bytes, without Huffman's code (RFC 7541, section 5.2; RFC 9204, section 4.1.2).
fn text(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).unwrap_or(0) & 0x7f];
    bytes.extend(text.as_bytes());
    bytes
}

/// A head for HTTP/2: fields of the static table, or literals that no table remembers (RFC 7541, appendix A).
pub(super) fn http2_head(path: &str, bearer: Option<&str>) -> Vec<u8> {
    // `:method: POST` and `:scheme: https`, then `:path`, `:authority`, `content-type`, `te`, `authorization`.
    let mut head = vec![0x83, 0x87, 0x04];
    head.extend(text(path));
    head.push(0x01);
    head.extend(text(AUTHORITY));
    head.extend([0x0f, 16]);
    head.extend(text("application/grpc"));
    head.push(0x00);
    head.extend(text("te"));
    head.extend(text("trailers"));
    if let Some(bearer) = bearer {
        head.extend([0x0f, 8]);
        head.extend(text(bearer));
    }
    head
}

/// The frame HEADERS for HTTP/3, in the same order (RFC 9204, appendix A).
pub(super) fn http3_head(path: &str, bearer: Option<&str>) -> Vec<u8> {
    let mut section = vec![0, 0, 0xd4, 0xd7, 0x51];
    section.extend(text(path));
    section.push(0x50);
    section.extend(text(AUTHORITY));
    section.extend([0x5f, 29]);
    section.extend(text("application/grpc"));
    section.extend([0x22, b't', b'e']);
    section.extend(text("trailers"));
    if let Some(bearer) = bearer {
        section.extend([0x5f, 69]);
        section.extend(text(bearer));
    }
    // Its length in two bytes (RFC 9000, section 16).
    let length = u16::try_from(section.len()).unwrap_or(0) | 0x4000;
    let mut head = vec![1];
    head.extend(length.to_be_bytes());
    head.extend(section);
    head
}
