//! What can be played with a server, and which scenarios cannot.

use crate::scenario::{Group, Joins, Role, Scenario, Talk};

/// What can be played with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// What kind of server it is, in messages.
    pub(crate) kind: &'static str,
    /// Whether one session both speaks and listens. Without it those who may speak only send, and listeners
    /// only receive.
    pub(crate) is_two_way: bool,
    /// Whether a listener hears those who come in later.
    pub(crate) hears_newcomers: bool,
    /// Whether somebody's role and mute can be changed while they are in.
    pub(crate) moderates: bool,
    /// Whether somebody who was cut off can come back as who they were.
    pub(crate) resumes: bool,
}

/// A scenario cannot be played with a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} cannot play this scenario: {}", .why.join("; "))]
pub(crate) struct Unfit {
    kind: &'static str,
    why: Vec<String>,
}

impl Abilities {
    /// Looks whether a scenario can be played, before anything begins.
    ///
    /// # Errors
    /// [`Unfit`] with all that is in the way.
    pub(crate) fn check(&self, scenario: &Scenario) -> Result<(), Unfit> {
        let mut why = Vec::new();
        if scenario.moderation.is_some() && !self.moderates {
            why.push("`moderation` needs roles that change, and it has none".to_owned());
        }
        let reconnects = scenario
            .churn
            .as_ref()
            .map_or(0.0, |churn| churn.reconnect_percent);
        if reconnects > 0.0 && !self.resumes {
            let what = "`churn.reconnect_percent` needs somebody to come back as who they were; set it to 0";
            why.push(what.to_owned());
        }
        if !self.is_two_way {
            why.extend(needs_two_ways(scenario));
        }
        if !self.hears_newcomers {
            why.extend(needs_newcomers(scenario));
        }
        match why.is_empty() {
            true => Ok(()),
            false => Err(Unfit {
                kind: self.kind,
                why,
            }),
        }
    }
}

fn is_listener(group: &Group) -> bool {
    group.role == Role::Listener
}

fn needs_two_ways(scenario: &Scenario) -> Vec<String> {
    let mut why = Vec::new();
    for group in scenario.groups.iter().filter(|group| is_listener(group)) {
        if group.talk != Talk::Silent {
            why.push(format!(
                "listeners only receive there, and those of the group {:?} talk",
                group.name
            ));
        }
    }
    if !scenario.groups.iter().any(is_listener) {
        let what = "who speaks only sends there, and without a group of listeners nobody would hear anybody";
        why.push(what.to_owned());
    }
    why
}

/// Whoever speaks has to be there before whoever listens, and to stay.
fn needs_newcomers(scenario: &Scenario) -> Vec<String> {
    let mut why = Vec::new();
    let churned = scenario.churn.as_ref().map(|churn| &churn.group);
    let ramped = scenario.ramp.as_ref().map(|ramp| &ramp.group);
    let mut listeners_came = false;
    for group in &scenario.groups {
        if is_listener(group) {
            listeners_came |= group.joins == Joins::Before && group.count > 0;
            continue;
        }
        let moves = [churned, ramped].contains(&Some(&group.name));
        if listeners_came || moves || group.joins == Joins::During {
            why.push(format!(
                "listeners hear only those who were there before them: the group {:?} has to come before the \
                 listeners, and to stay",
                group.name
            ));
        }
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ready;

    const ONE_WAY: Abilities = Abilities {
        kind: "a server of the test",
        is_two_way: false,
        hears_newcomers: false,
        moderates: false,
        resumes: false,
    };

    fn scenario(name: &str) -> Scenario {
        Scenario::parse(ready(name).expect("it comes along")).expect("it is good")
    }

    fn complaint(scenario: &Scenario) -> String {
        ONE_WAY
            .check(scenario)
            .expect_err("it cannot be played")
            .to_string()
    }

    #[test]
    fn a_stage_before_an_audience_needs_nothing() {
        assert_eq!(ONE_WAY.check(&scenario("stage")), Ok(()));
    }

    #[test]
    fn what_a_server_cannot_do_is_named() {
        let moderation = complaint(&scenario("moderation"));
        assert!(moderation.contains("a server of the test"), "{moderation}");
        for part in ["`moderation`", "those of the group"] {
            assert!(moderation.contains(part), "{moderation}");
        }
        let churn = complaint(&scenario("churn"));
        assert!(churn.contains("churn.reconnect_percent"), "{churn}");
        let conversation = complaint(&scenario("conversation"));
        assert!(conversation.contains("nobody would hear"), "{conversation}");
    }

    #[test]
    fn who_speaks_has_to_be_there_first() {
        let mut late = scenario("stage");
        late.groups.reverse();
        assert!(complaint(&late).contains("has to come before"));
        let mut during = scenario("stage");
        during.groups[0].joins = Joins::During;
        assert!(complaint(&during).contains("has to come before"));
        let hears = Abilities {
            hears_newcomers: true,
            ..ONE_WAY
        };
        assert_eq!(hears.check(&late), Ok(()));
    }

    #[test]
    fn one_that_can_do_all_plays_all() {
        let all = Abilities {
            kind: "",
            is_two_way: true,
            hears_newcomers: true,
            moderates: true,
            resumes: true,
        };
        for (name, _) in crate::scenario::READY {
            assert_eq!(all.check(&scenario(name)), Ok(()), "{name}");
        }
    }
}
