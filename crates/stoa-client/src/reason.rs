//! Reading the machine-readable part of an error.

use stoa_api::v1::{ERROR_DOMAIN, ErrorReason};
use tonic::Status;
use tonic_types::StatusExt as _;

/// Why the call failed, from the `google.rpc.ErrorInfo` of its status. `None` if the status did not
/// come from Stoa (a proxy, a lost connection), or from a later version with a reason that this one
/// does not know; decide by the canonical code then.
pub fn reason(status: &Status) -> Option<ErrorReason> {
    let info = status.get_details_error_info()?;
    if info.domain != ERROR_DOMAIN {
        return None;
    }
    ErrorReason::from_str_name(&info.reason)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    fn status(reason: &str, domain: &str) -> Status {
        let details = ErrorDetails::with_error_info(reason, domain, HashMap::new());
        Status::with_error_details(Code::NotFound, "x", details)
    }

    #[test]
    fn only_known_reasons_of_our_domain_are_read() {
        let ours = status("ROOM_NOT_FOUND", ERROR_DOMAIN);
        assert_eq!(reason(&ours), Some(ErrorReason::RoomNotFound));
        assert_eq!(reason(&status("ROOM_NOT_FOUND", "example.org")), None);
        assert_eq!(reason(&status("OF_TOMORROW", ERROR_DOMAIN)), None);
        assert_eq!(reason(&Status::not_found("x")), None);
    }
}
