//! Which lines may be written: those of the level that is wanted, unless they would show what is for nobody's eyes, or
//! their place has said as much too often.

use stoa_redact::ClientAddresses;
use tracing::{
    Event, Level, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    EnvFilter,
    layer::{Context, Filter},
    registry::LookupSpan,
    reload,
};

use super::repeats::Repeats;

/// The targets of our own crates begin so. What they show of a client is of types that know how much of it to show.
const OWN: &str = "stoa";

/// What of our libraries writes down passwords of ICE below `info`, whoever asks.
const ICE_AGENT: &str = "is::";

/// What of our libraries warns with addresses in the line.
const WARNS_WITH_ADDRESSES: &str = "quinn_udp";

/// What is written down, and what is not.
pub(super) struct Visible<S> {
    levels: reload::Layer<EnvFilter, S>,
    repeats: Repeats,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Visible<S> {
    pub(super) fn new(levels: reload::Layer<EnvFilter, S>, repeats: Repeats) -> Self {
        Self { levels, repeats }
    }

    /// The filter of levels is a layer and a filter, and here it is the latter.
    fn levels(&self) -> &dyn Filter<S> {
        &self.levels
    }
}

/// Whether lines of this target and level may be seen, if this much of the addresses of clients may be. Libraries show
/// addresses as they are, so what they say in detail is for those who may see all of them.
fn may_be_seen(target: &str, level: Level, shown: ClientAddresses) -> bool {
    if target.starts_with(OWN) {
        return true;
    }
    let most = match shown {
        _ if target.starts_with(ICE_AGENT) => Level::INFO,
        ClientAddresses::Full => Level::TRACE,
        _ if target.starts_with(WARNS_WITH_ADDRESSES) => Level::ERROR,
        _ => Level::INFO,
    };
    level <= most
}

fn passes(metadata: &Metadata<'_>) -> bool {
    may_be_seen(
        metadata.target(),
        *metadata.level(),
        ClientAddresses::current(),
    )
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for Visible<S> {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        passes(metadata) && self.levels().enabled(metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match passes(metadata) {
            true => self.levels().callsite_enabled(metadata),
            false => Interest::never(),
        }
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        self.levels().event_enabled(event, context) && self.repeats.pass(event)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.levels().max_level_hint()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.levels().on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.levels().on_record(id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.levels().on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.levels().on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.levels().on_close(id, context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_say_in_detail_only_what_everybody_may_see() {
        use ClientAddresses::{Full, None, Prefix};
        for shown in [None, Prefix, Full] {
            assert!(may_be_seen("stoa_control::gate", Level::TRACE, shown));
            assert!(may_be_seen("str0m", Level::INFO, shown));
            assert!(may_be_seen("is::agent", Level::INFO, shown));
            assert!(!may_be_seen("is::agent", Level::DEBUG, shown));
            assert!(may_be_seen("quinn_udp", Level::ERROR, shown));
            let all = shown == Full;
            assert_eq!(may_be_seen("str0m", Level::DEBUG, shown), all);
            assert_eq!(may_be_seen("quinn_udp", Level::WARN, shown), all);
        }
    }
}
