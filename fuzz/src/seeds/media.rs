//! Datagrams.

use str0m::ice::{StunMessage, TransId};

use super::Seed;
use crate::{
    input::pieces,
    targets::{dtls, rtcp::LINE},
};

fn from(place: u8, datagram: &[u8]) -> Vec<u8> {
    [&[place], datagram].concat()
}

/// A check of nobody.
fn check() -> Vec<u8> {
    let message = StunMessage::binding_request("some:body", TransId::new(), true, 1, 1, true);
    let crypto = str0m::crypto::from_feature_flags();
    let mut bytes = vec![0; 500];
    let length = message.to_bytes(Some(b"a password"), &mut bytes, |key, parts| {
        crypto.sha1_hmac_provider.sha1_hmac(key, parts)
    });
    bytes.truncate(length.expect("a short message"));
    bytes
}

pub(super) fn datagrams() -> Vec<Seed> {
    let rtp = [&[0x90, 111][..], &[7; 120]].concat();
    let rtcp = [&[0x81, 201][..], &[0; 30]].concat();
    // A goodbye in the clear: DTLS 1.2, epoch 0, alert, warning, close_notify.
    let goodbye = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0];
    vec![
        ("check-of-nobody", from(0, &check())),
        ("check-of-nobody-over-tcp", from(2, &check())),
        ("check-of-nobody-known", from(3, &check())),
        ("client-hello", from(1, &dtls::client_hello())),
        ("client-hello-known", from(3, &dtls::client_hello())),
        ("goodbye-known", from(3, &goodbye)),
        ("rtp", from(0, &rtp)),
        ("rtp-known", from(3, &rtp)),
        ("rtcp-known", from(3, &rtcp)),
        ("http", from(0, b"GET / HTTP/1.1\r\n\r\n")),
        ("empty", Vec::new()),
    ]
}

pub(super) fn tcp_streams() -> Vec<Seed> {
    let two = pieces([&check()[..], &dtls::client_hello()]);
    let cut = |step: u8, stream: &[u8]| [&[step], stream].concat();
    vec![
        ("two", cut(255, &two)),
        ("two-bit-by-bit", cut(2, &two)),
        ("too-short", cut(4, &[0, 7, 1, 2, 3, 4, 5, 6, 7])),
        ("too-long", cut(4, &[0xff; 20])),
        ("http", cut(9, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
    ]
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u16).to_be_bytes();
    let mut bytes = [&kind.to_be_bytes(), &length, value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(super) fn stun() -> Vec<Seed> {
    // RFC 8445, section 16.1, and RFC 8489, section 14.
    let priority = attribute(0x24, &1_853_817_087_u32.to_be_bytes());
    let controlling = attribute(0x802a, &[7; 8]);
    let nominates = attribute(0x25, &[]);
    let good = [&priority[..], &controlling, &nominates].concat();
    let with = |from: u8, kind: u8, attributes: &[u8]| [&[from, kind], attributes].concat();
    let unknown = attribute(0x7fff, b"must be understood");
    let lying = [&[0x80, 0x22, 0xff, 0xff][..], b"software"].concat();
    let mapped = attribute(0x20, &[0, 1, 0, 0, 0, 0, 0, 0]);
    let network_cost = attribute(0xc057, &[0, 1, 0, 10]);
    vec![
        ("check", with(0, 1, &good)),
        ("check-from-elsewhere", with(1, 1, &good)),
        ("check-from-elsewhere-over-ipv6", with(2, 1, &good)),
        ("check-with-nothing", with(2, 1, &[])),
        (
            "check-of-the-controlled",
            with(0, 1, &attribute(0x8029, &[7; 8])),
        ),
        ("indication", with(1, 0x11, &good)),
        ("allocate", with(1, 3, &good)),
        (
            "unknown-attribute",
            with(0, 1, &[&good[..], &unknown].concat()),
        ),
        (
            "attribute-that-overruns",
            with(0, 1, &[&good[..], &lying].concat()),
        ),
        ("mapped-address", with(0, 1, &[&good[..], &mapped].concat())),
        (
            "network-cost",
            with(0, 1, &[&good[..], &network_cost].concat()),
        ),
        (
            "name-twice",
            with(0, 1, &[&good[..], &attribute(6, b"a:b")].concat()),
        ),
    ]
}

pub(super) fn dtls() -> Vec<Seed> {
    let hello = dtls::client_hello();
    let after =
        |honest: u8, records: &[&[u8]]| [&[honest][..], &pieces(records.iter().copied())].concat();
    // Each says that it is a part of a handshake of 16 MiB.
    let hoarded: Vec<Vec<u8>> = (0..8_u8).map(|n| fragment(n, 0xff_ff_ff)).collect();
    let hoarded: Vec<&[u8]> = hoarded.iter().map(Vec::as_slice).collect();
    let data = [&[23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5][..], b"hello"].concat();
    let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
    let (first, second) = hello.split_at(hello.len() / 2);
    let (short, long) = (certificate(300), certificate(2_001));
    vec![
        ("hello", after(0, &[&hello])),
        ("hello-twice", after(0, &[&hello, &hello])),
        ("hello-after-hello", after(1, &[&hello])),
        ("hello-cut", after(0, &[first, second])),
        ("fragments-hoarded", after(0, &hoarded)),
        ("data-in-epoch-0", after(0, &[&data])),
        ("data-in-epoch-0-later", after(1, &[&data])),
        ("alert-in-epoch-0", after(1, &[&alert])),
        ("after-all", after(3, &[&data, &alert])),
        ("certificate", after(1, &[&short[0], &short[1]])),
        ("certificate-too-long", after(1, &[&long[0], &long[1]])),
    ]
}

/// A client's list of one certificate that is as long as this (RFC 5246, section 7.4.2): its second message, in two
/// pieces, since no datagram has room for a long one.
fn certificate(bytes: usize) -> [Vec<u8>; 2] {
    let word = |number: usize| (number as u32).to_be_bytes();
    let list = [&word(bytes + 3)[1..], &word(bytes)[1..], &vec![0; bytes]].concat();
    let (length, half) = (word(list.len()), list.len() / 2);
    [(0, &list[..half]), (half, &list[half..])].map(|(offset, piece)| {
        let message = [
            &[11][..],
            &length[1..],
            &[0, 1],
            &word(offset)[1..],
            &word(piece.len())[1..],
            piece,
        ]
        .concat();
        let head = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, u8::from(offset > 0) + 1];
        [&head[..], &(message.len() as u16).to_be_bytes(), &message].concat()
    })
}

/// A fragment of a ClientHello that is as long as this (RFC 6347, section 4.2.2).
fn fragment(number: u8, length: u32) -> Vec<u8> {
    let body = [number; 64];
    let offset = u32::from(number) * 64;
    let handshake = [
        &[1][..],
        &length.to_be_bytes()[1..],
        &[0, 0],
        &offset.to_be_bytes()[1..],
        &64_u32.to_be_bytes()[1..],
        &body,
    ]
    .concat();
    let head = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, number];
    let bytes = (handshake.len() as u16).to_be_bytes();
    [&head[..], &bytes, &handshake].concat()
}

pub(super) fn rtp() -> Vec<Seed> {
    let packet = |flags: u8, first: u8, rest: &[u8]| {
        let head = [flags, first, 111, 0, 0, 0, 0, 3, 192, 0, 0, 0, 1];
        [&head[..], rest].concat()
    };
    // One byte each: the level (1) and the line (4). RFC 8285, section 4.2.
    let levels = [0xbe, 0xde, 0, 2, 0x10, 0x8a, 0x40, b'0', 0, 0, 0, 0];
    let two_bytes = [0x10, 0, 0, 2, 1, 1, 0x8a, 4, 1, b'0', 0, 0];
    let with = |extension: &[u8]| [extension, &[0x55; 80]].concat();
    vec![
        ("plain", packet(0, 0x80, &[0x55; 80])),
        ("levels", packet(0, 0x90, &with(&levels))),
        ("levels-of-two-bytes", packet(0, 0x90, &with(&two_bytes))),
        ("another-ssrc", packet(1, 0x90, &with(&levels))),
        ("contributors", packet(0, 0x8f, &[1; 100])),
        ("no-payload", packet(0, 0x80, &[])),
        // The last byte is the length of the padding (RFC 3550, section 5.1).
        (
            "padding",
            packet(0, 0xa0, &[&[0x55; 80][..], &[0, 0, 0, 4]].concat()),
        ),
        ("padding-larger-than-the-packet", packet(0, 0xa0, &[255; 4])),
        ("padding-of-nothing", packet(0, 0xa0, &[0; 4])),
        (
            "extension-that-overruns",
            packet(0, 0x90, &[0xbe, 0xde, 255, 255, 1]),
        ),
        ("extension-of-nothing", packet(0, 0x90, &[0xbe, 0xde, 0, 0])),
        (
            "element-that-overruns",
            packet(0, 0x90, &[0xbe, 0xde, 0, 1, 0x1f, 1, 2, 3]),
        ),
    ]
}

pub(super) fn red() -> Vec<Seed> {
    let block = |bytes: u32, ticks: u32| {
        let word = (ticks << 10 | bytes).to_be_bytes();
        [0x80 | 111, word[1], word[2], word[3]]
    };
    let two = [&[111][..], &block(3, 960), &[111], b"oldnow"].concat();
    let many = [&[111][..], &block(0, 960).repeat(9), &[111], b"now"].concat();
    vec![
        ("plain", [&[111, 111][..], b"now"].concat()),
        ("two", two.clone()),
        ("cut", two[..7].to_vec()),
        ("another-codec", [&[111, 0][..], b"now"].concat()),
        ("too-many", many),
        ("no-primary", [&[111][..], &block(1_023, 0)].concat()),
    ]
}

pub(super) fn rtcp() -> Vec<Seed> {
    let report = |kind: u8, count: u8, rest: &[u8]| {
        let words = (rest.len() / 4 + 1) as u16;
        let head = [0x80 | count, kind];
        [&head[..], &words.to_be_bytes(), &[0, 0, 0, 9], rest].concat()
    };
    let block = [
        &LINE[..],
        &[64, 0, 0, 7],
        &[0; 2],
        &[1, 2],
        &[0, 0, 0, 99],
        &[1; 8],
    ]
    .concat();
    let info = [0x55; 20];
    let receiver = report(201, 1, &block);
    let sender = report(200, 1, &[&info[..], &block].concat());
    let names = report(202, 1, &[1, 2, b'a', b'b', 0, 0, 0, 0]);
    let nack = report(205, 1, &[0, 0, 0, 9, 0, 1, 255, 255]);
    let pli = report(206, 1, &[0, 0, 0, 9]);
    let mut lying = receiver.clone();
    lying[2..4].copy_from_slice(&[255, 255]);
    let negative = [&LINE[..], &[255, 128, 0, 0], &[255; 16]].concat();
    vec![
        ("receiver-report", receiver.clone()),
        ("sender-report", sender.clone()),
        ("compound", [&sender[..], &names, &nack, &pli].concat()),
        ("goodbye", report(203, 1, &[])),
        ("nothing", report(201, 0, &[])),
        ("more-blocks-than-there-are", report(201, 31, &block)),
        ("a-length-that-overruns", lying),
        ("fewer-lost-than-none", report(201, 1, &negative)),
        (
            "extended-report",
            report(207, 0, &[4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]),
        ),
        (
            "extended-report-of-delays-that-are-not-there",
            [&sender[..], &report(207, 0, &[5, 0, 255, 255]).repeat(90)].concat(),
        ),
        (
            "feedback-of-transport-cc",
            report(205, 15, &[0, 0, 0, 9, 0, 1, 0, 1, 0, 0, 0, 1, 32, 1, 4, 0]),
        ),
        (
            "padding",
            [&[0xa0, 201, 0, 2][..], &[0, 0, 0, 9, 0, 0, 0, 255]].concat(),
        ),
    ]
}
