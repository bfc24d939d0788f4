//! Reasons, codes and values that a document names in code are those of the proto files or of gRPC.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use stoa_docs::Kind;
use tonic::Code;

/// Pages that are of something else: what the reference product says to its page, and others' code.
const OTHER_PAGES: [&str; 2] = ["docs/talk-protocol.md", "docs/audits.md"];

/// How names begin that are not of the API: variables of the environment, options and rights of the kernel, constants.
const OTHERS: [&str; 10] = [
    "CAP_", "MAX_", "OTEL_", "O_", "RUST_", "SO_", "STOA_", "TCP_", "UDP_", "EVP_",
];

/// All values of all enumerations, and gRPC's codes.
fn known() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(stoa_api::v1::FILE_DESCRIPTOR_SET).expect("descriptors");
    let enumerations = set.file.iter().flat_map(|file| {
        let nested = file
            .message_type
            .iter()
            .flat_map(|message| &message.enum_type);
        file.enum_type.iter().chain(nested)
    });
    let values = enumerations
        .flat_map(|of| &of.value)
        .map(|value| value.name());
    let codes = (0..=16).map(|code| stoa_api::code_name(Code::from_i32(code)));
    values.chain(codes).map(str::to_owned).collect()
}

/// Two words or more in capitals.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let mut characters = part.chars();
        !part.is_empty() && characters.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    text.contains('_') && text.split('_').all(is_part)
}

#[test]
fn the_documents_name_what_the_api_has() {
    let known = known();
    assert!(known.contains("ROOM_NOT_FOUND") && known.contains("ROLE_LISTENER"));
    let mut wrong = Vec::new();
    let documents = stoa_docs::documents().expect("the documents can be read");
    for document in documents {
        if OTHER_PAGES.contains(&document.path.as_str()) {
            continue;
        }
        for code in document.code() {
            let name = code.text.as_str();
            let is_other = OTHERS.iter().any(|begin| name.starts_with(begin));
            if code.kind == Kind::Span && is_name(name) && !is_other && !known.contains(name) {
                wrong.push(format!("{}:{}: {name}", document.path, code.line));
            }
        }
    }
    assert!(wrong.is_empty(), "the API has no such names: {wrong:#?}");
}
