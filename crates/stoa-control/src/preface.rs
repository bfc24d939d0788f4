//! The first bytes of HTTP/2, which hyper would wait for without an end.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};

/// What every HTTP/2 client sends first (RFC 9113, section 3.4).
const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads them; how long that may take is the caller's to say.
///
/// # Errors
/// What reading fails with; `InvalidData` if they are not those of HTTP/2.
pub async fn read_preface(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut first = [0; PREFACE.len()];
    stream.read_exact(&mut first).await?;
    if first == PREFACE {
        return Ok(());
    }
    let reason = "this is not HTTP/2";
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}

/// Puts the preface, which was read already, back in front.
pub fn with_preface<S: AsyncRead + AsyncWrite>(
    stream: S,
) -> impl AsyncRead + AsyncWrite + Unpin + use<S> {
    let (reader, writer) = tokio::io::split(stream);
    tokio::io::join(io::Cursor::new(PREFACE).chain(reader), writer)
}
