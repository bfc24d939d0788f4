//! HTTP/3 by hand, for what no orderly client would send.

use quinn::VarInt;

/// A frame (RFC 9114 section 7.1).
pub(crate) fn frame(kind: u64, payload: &[u8]) -> Vec<u8> {
    let mut out = frame_header(kind, payload.len() as u64);
    out.extend_from_slice(payload);
    out
}

/// A frame's header alone, whatever follows.
pub(crate) fn frame_header(kind: u64, length: u64) -> Vec<u8> {
    let mut out = Vec::new();
    integer(&mut out, kind);
    integer(&mut out, length);
    out
}

/// A HEADERS frame with a request for `/` and further fields.
pub(crate) fn request(fields: &[(&str, &str)]) -> Vec<u8> {
    let fixed = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/"),
    ];
    // A field section prefix that uses no dynamic table (RFC 9204 section 4.5.1), then literals
    // with literal names (section 4.5.6).
    let mut section = vec![0, 0];
    for (name, value) in fixed.iter().chain(fields) {
        prefixed(&mut section, 0x20, 3, name.len());
        section.extend_from_slice(name.as_bytes());
        prefixed(&mut section, 0x00, 7, value.len());
        section.extend_from_slice(value.as_bytes());
    }
    frame(0x1, &section)
}

/// The payloads of all DATA frames in what a stream brought.
pub(crate) fn body(mut stream: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while !stream.is_empty() {
        let kind = read_integer(&mut stream);
        let length = usize::try_from(read_integer(&mut stream)).unwrap();
        let (payload, rest) = stream.split_at(length);
        if kind == 0 {
            body.extend_from_slice(payload);
        }
        stream = rest;
    }
    body
}

fn read_integer(stream: &mut &[u8]) -> u64 {
    let length = 1 << (stream[0] >> 6);
    let (bytes, rest) = stream.split_at(length);
    *stream = rest;
    let first = u64::from(bytes[0] & 0x3f);
    bytes[1..]
        .iter()
        .fold(first, |value, byte| value << 8 | u64::from(*byte))
}

/// A variable-length integer (RFC 9000 section 16) in its longest form.
fn integer(out: &mut Vec<u8>, value: u64) {
    let value = VarInt::from_u64(value).unwrap().into_inner();
    out.extend_from_slice(&(value | 0b11 << 62).to_be_bytes());
}

/// An integer with a prefix of `bits` (RFC 7541 section 5.1).
fn prefixed(out: &mut Vec<u8>, flags: u8, bits: u32, value: usize) {
    let limit = (1 << bits) - 1;
    if value < limit {
        out.push(flags | u8::try_from(value).unwrap());
        return;
    }
    out.push(flags | u8::try_from(limit).unwrap());
    let mut rest = value - limit;
    while rest >= 128 {
        out.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    out.push(u8::try_from(rest).unwrap());
}

/// Opens the control stream and sends SETTINGS, as every HTTP/3 client must.
pub(crate) async fn begin(connection: &quinn::Connection) -> quinn::SendStream {
    let mut control = connection.open_uni().await.unwrap();
    control.write_all(&[0x00, 0x04, 0x00]).await.unwrap();
    control
}
