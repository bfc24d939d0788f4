//! The test vectors of the RFCs, and that what was changed on its way is refused.

use super::{
    aes_cm::AesCm,
    derive::{Label, MasterKey, Purpose},
    *,
};

/// The bytes of a text in base 16; blanks are for the reader.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|char| !char.is_whitespace())
        .map(|char| u8::try_from(char.to_digit(16).unwrap()).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

mod rfc_3711 {
    use super::*;

    /// Appendix B.2: the key stream, at both ends of its block counter.
    #[test]
    fn the_key_stream_is_that_of_the_rfc() {
        let cipher = AesCm::new(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
        let keystream = |counter: &str| {
            let mut blocks = [0; 48];
            cipher.apply(array(counter), &mut blocks).unwrap();
            blocks.to_vec()
        };
        assert_eq!(
            keystream("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"),
            hex("E03EAD0935C95E80E166B16DD92B4EB4
                 D23513162B02D0F72A43A2FE4A5F97AB
                 41E95B3BB0A2E8DD477901E4FCA894C0")
        );
        assert_eq!(
            keystream("F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"),
            hex("EC8CDF7398607CB0F2D21675EA9EA1E4
                 362B7C3C6773516318A077D7FC5073AE
                 6A2CC3787889374FBEB4C81B17BA6C44")
        );
    }

    /// Appendix B.3: session keys of the AES-128 profile.
    #[test]
    fn session_keys_are_those_of_the_rfc() {
        let master = MasterKey::new(
            Profile::Aes128CmSha1_80,
            &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
            &hex("0EC675AD498AFEEBB6960B3AABE6"),
        );
        let derive = |label| master.derive::<94>(Purpose::Rtp, label).unwrap();
        let cipher = derive(Label::Cipher);
        assert_eq!(cipher[..16], hex("C61E7A93744F39EE10734AFE3FF7A087"));
        let salt = derive(Label::Salt);
        assert_eq!(salt[..14], hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            derive(Label::Authentication).to_vec(),
            hex("CEBE321F6FF7716B6FD4AB49AF256A15
                 6D38BAA48F0A0ACF3C34E2359E6CDBCE
                 E049646C43D9327AD175578EF7227098
                 6371C10C9A369AC2F94A8C5FBCDDDC25
                 6D6E919A48B610EF17C2041E47403576
                 6B68642C59BBFC2F34DB60DBDFB2")
        );
    }
}

mod rfc_7714 {
    use super::*;

    const KEY_128: &str = "000102030405060708090a0b0c0d0e0f";
    const KEY_256: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const SALT: &str = "517569642070726f2071756f";

    /// Section 16: the header, and the payload "Gallia est omnis divisa in partes tres".
    const HEADER: &str = "8040f17b8041f8d35501a0b2";
    const PAYLOAD: &str =
        "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
    const SEQUENCE: u64 = 0xf17b;

    /// Section 17.
    const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
                        deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
    const RTCP_INDEX: u32 = 0x5d4;

    fn cipher(key: &str) -> Cipher {
        Cipher::Gcm(Gcm::new(&hex(key), array(SALT)).unwrap())
    }

    fn seal_rtp(key: &str) -> Vec<u8> {
        let payload = hex(PAYLOAD);
        let mut packet = hex(HEADER);
        packet.resize(RTP_HEADER_BYTES + payload.len() + gcm::TAG_BYTES, 0);
        RtpSealer(cipher(key))
            .seal(&payload, &mut packet, RTP_HEADER_BYTES, SEQUENCE)
            .unwrap();
        packet
    }

    #[test]
    fn rtp_is_sealed_as_in_section_16() {
        let sealed = "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833
                      899d7f27beb16a9152cf765ee4390cce";
        assert_eq!(seal_rtp(KEY_128), [hex(HEADER), hex(sealed)].concat());
        let sealed = "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b
                      7aa3db36dfffd6b0f9bb7878d7a76c13";
        assert_eq!(seal_rtp(KEY_256), [hex(HEADER), hex(sealed)].concat());
    }

    fn check_rtcp(key: &str, sealed: &str) {
        let mut sealer = RtcpSealer {
            cipher: cipher(key),
            index: RTCP_INDEX - 1,
        };
        let mut packet = hex(RTCP);
        sealer.seal(&mut packet).unwrap();
        assert_eq!(packet, hex(sealed));

        let mut opener = RtcpOpener {
            cipher: cipher(key),
            index: None,
        };
        let mut plain = Vec::new();
        opener.open(&hex(sealed), &mut plain).unwrap();
        assert_eq!(plain, hex(RTCP));
    }

    #[test]
    fn rtcp_is_sealed_as_in_section_17() {
        check_rtcp(
            KEY_128,
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda
             4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
        );
        check_rtcp(
            KEY_256,
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be
             8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
        );
    }

    #[test]
    fn rtcp_that_is_authenticated_only_is_read_as_in_section_17() {
        let tagged = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
                      deadbeefdeadbeefdeadbeefdeadbeefdeadbeef
                      841dd9683dd78ec92ae58790125f62b3000005d4";
        let mut opener = RtcpOpener {
            cipher: cipher(KEY_128),
            index: None,
        };
        let mut plain = Vec::new();
        opener.open(&hex(tagged), &mut plain).unwrap();
        assert_eq!(plain, hex(RTCP));
    }
}

const PROFILES: [Profile; 3] = [
    Profile::Aes128CmSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

fn keys(profile: Profile, is_client: bool) -> SrtpKeys {
    let bytes = 2 * (profile.key_bytes() + profile.salt_bytes());
    let material: Vec<u8> = (0..bytes).map(|byte| u8::try_from(byte).unwrap()).collect();
    SrtpKeys::new(profile, &material, is_client).unwrap()
}

#[test]
fn what_one_side_seals_the_other_opens() {
    for profile in PROFILES {
        let mut sealer = RtcpSealer::new(&keys(profile, true).local).unwrap();
        let mut opener = RtcpOpener::new(&keys(profile, false).remote).unwrap();
        let report: Vec<u8> = (0..52).collect();
        let mut plain = Vec::new();
        for _ in 0..3 {
            let mut packet = report.clone();
            sealer.seal(&mut packet).unwrap();
            assert_ne!(packet[8..52], report[8..52]);
            opener.open(&packet, &mut plain).unwrap();
            assert_eq!(plain, report, "{profile:?}");
            let again = opener.open(&packet, &mut plain);
            assert_eq!(again, Err(SealError::NotAuthentic), "{profile:?}");
        }
    }
}

#[test]
fn a_changed_report_is_refused() {
    for profile in PROFILES {
        let mut sealer = RtcpSealer::new(&keys(profile, true).local).unwrap();
        let mut packet: Vec<u8> = (0..52).collect();
        sealer.seal(&mut packet).unwrap();
        for byte in 0..packet.len() {
            let mut opener = RtcpOpener::new(&keys(profile, false).remote).unwrap();
            let mut changed = packet.clone();
            changed[byte] ^= 1;
            assert!(
                opener.open(&changed, &mut Vec::new()).is_err(),
                "{profile:?}, byte {byte}"
            );
        }
        for length in 0..packet.len() {
            let mut opener = RtcpOpener::new(&keys(profile, false).remote).unwrap();
            let cut = opener.open(&packet[..length], &mut Vec::new());
            assert!(cut.is_err(), "{profile:?}, {length} bytes");
        }
    }
}

#[test]
fn what_is_no_packet_is_refused() {
    for profile in PROFILES {
        let sealer = RtpSealer::new(&keys(profile, true).local).unwrap();
        let overhead = sealer.overhead();
        let mut packet = vec![0; 12 + 3 + overhead];
        let mut seal =
            |payload: &[u8], header, index| sealer.seal(payload, &mut packet, header, index);
        assert_eq!(seal(b"abcd", 12, 0), Err(SealError::Length));
        assert_eq!(seal(b"ab", 12, 0), Err(SealError::Length));
        assert_eq!(seal(b"abcd", 11, 0), Err(SealError::Length));
        assert_eq!(seal(b"abc", 12, RTP_INDEX_LIMIT), Err(SealError::Exhausted));
        assert_eq!(seal(b"abc", 12, 0), Ok(()));
    }
}

#[test]
fn an_index_of_reports_is_never_used_twice() {
    let mut sealer = RtcpSealer::new(&keys(Profile::AeadAes128Gcm, true).local).unwrap();
    sealer.index = RTCP_ENCRYPTED - 2;
    let mut packet = vec![0; 28];
    assert_eq!(sealer.seal(&mut packet), Ok(()));
    let mut packet = vec![0; 28];
    assert_eq!(sealer.seal(&mut packet), Err(SealError::Exhausted));
    assert_eq!(sealer.seal(&mut packet), Err(SealError::Exhausted));
}

#[test]
fn keying_material_of_another_length_is_refused() {
    for profile in PROFILES {
        let bytes = 2 * (profile.key_bytes() + profile.salt_bytes());
        assert!(SrtpKeys::new(profile, &vec![0; bytes - 1], true).is_none());
        assert!(SrtpKeys::new(profile, &vec![0; bytes + 1], true).is_none());
        assert!(SrtpKeys::new(profile, &[], true).is_none());
    }
}

#[test]
fn no_key_is_printed() {
    let keys = keys(Profile::AeadAes256Gcm, true);
    let text = format!("{keys:?} {:?}", keys.local);
    assert_eq!(
        text,
        "SrtpKeys { .. } MasterKey { profile: AeadAes256Gcm, .. }"
    );
}

#[test]
fn a_key_that_is_cleared_is_gone() {
    for key_bytes in [16, 32] {
        let seal = |gcm: &Gcm| {
            let mut packet = [0; 12 + 5 + gcm::TAG_BYTES];
            gcm.seal_rtp(b"hello", &mut packet, 12, 1).unwrap();
            packet
        };
        let zeros = Gcm::new(&vec![0; key_bytes], [0; 12]).unwrap();
        let mut gcm = Gcm::new(&vec![7; key_bytes], [7; 12]).unwrap();
        assert_ne!(seal(&gcm), seal(&zeros));
        gcm.clear();
        assert_eq!(seal(&gcm), seal(&zeros));
    }
}

/// What each listener costs is a promise: it decides how many fit into a cache.
#[test]
fn the_state_of_a_listener_is_small() {
    assert!(size_of::<RtpSealer>() <= 576, "{}", size_of::<RtpSealer>());
    assert!(size_of::<CtrHmac>() <= 768, "{}", size_of::<CtrHmac>());
}
