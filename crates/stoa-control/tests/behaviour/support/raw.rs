//! Calls by the names and the bytes of their parts, for tests that know no method beforehand.

use bytes::{Buf as _, BufMut as _};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::Service;

/// Leaves messages as they are.
#[derive(Clone, Copy, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; from.remaining()];
        from.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}

/// The first message of the answer, whether it is a stream or not.
pub async fn call(service: &Service, path: &str, message: Vec<u8>) -> Result<Vec<u8>, Status> {
    let mut client = Grpc::new(service.clone());
    client.ready().await.expect("it is always ready");
    let path = path.parse().expect("a path");
    let mut answer = client
        .server_streaming(Request::new(message), path, Raw)
        .await?
        .into_inner();
    let first = answer.message().await?;
    Ok(first.expect("it says something before it ends"))
}
