//! Stubs from gRPC's own generator, on gRPC's own library, call every kind of method over HTTP/2.

mod support;

use std::time::Duration;

#[test]
fn stock_grpc_stubs_work_over_http2() {
    let daemon = support::Daemon::dev();
    support::python("grpc_http2.py", &daemon, Duration::from_secs(90));
}
