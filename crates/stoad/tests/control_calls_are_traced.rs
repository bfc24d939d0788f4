//! Spans of control calls reach a stock OpenTelemetry receiver, in the traces of their callers and with nothing in them
//! that is nobody's business; without a receiver nothing changes but a metric.

mod support;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use support::{Daemon, configuration};

#[test]
fn control_calls_are_traced() {
    // One that is nobody else's, by the number of this process: nobody listens there until the script does.
    let [.., high, low] = std::process::id().to_be_bytes();
    let collector = SocketAddr::from((Ipv4Addr::new(127, 74, high, low), 4_317));
    let text = format!(
        "{}ops:\n  listen: ['127.0.0.1:0']\ntraces:\n  endpoint: http://{collector}\n  sample_ratio: 0\n",
        configuration()
    );
    let variables = [("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=seventh")];
    let daemon = Daemon::run_as_with(&variables, &text);
    let within = Duration::from_secs(90);
    support::python_with_a_collector("traced_calls.py", &daemon, collector, within);
}
