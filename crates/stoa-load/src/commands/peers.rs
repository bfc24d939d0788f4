//! `stoa-load peers`: the same against a Stoa and a Janus, in turns.

use std::{env, path::Path};

use super::{against, listen, may_write, named::Named, prepare, say, write, write_json};
use crate::{
    arguments::Beside,
    failure::Failure,
    peers::{Comparison, Comparisons, Round, SERVERS, Side, html, order, table},
    server::own_address,
    target::{Abilities, janus, stoa},
};

/// Plays all rounds and compares. What was played until it ended before its time is shown, too.
///
/// # Errors
/// [`Failure`].
pub(super) async fn play(peers: Beside) -> Result<(), Failure> {
    for file in peers.json.iter().chain(&peers.html) {
        may_write(file)?;
    }
    is_there(
        &peers.start_stoad,
        "the daemon",
        "build it with `cargo build --release -p stoad`",
    )?;
    let janus = "install it: `apt-get install janus` on Debian (this command installs nothing), or name it with \
                 --start-janus";
    is_there(&peers.start_janus, "Janus", janus)?;
    let own = own_address()?;
    // All are looked at before the first is played.
    let mut prepared = Vec::new();
    for scenario in &peers.scenarios {
        let (scenario, mut options) = prepare(scenario, &peers.playing)?;
        for side in SERVERS {
            one_way(side).check(&scenario)?;
        }
        options.is_one_way = true;
        options.local = options.local.or(Some(own));
        prepared.push((scenario, options));
    }
    let (bell, listening) = listen()?;
    let mut comparisons = Comparisons::default();
    'all: for (scenario, options) in prepared {
        comparisons.all.push(Comparison::new(&options));
        for (number, side) in order(peers.rounds) {
            eprintln!(
                "{}, round {number} of {}: {}",
                options.name,
                peers.rounds,
                side.name()
            );
            let server = match side {
                Side::Stoa => Named::StartStoad(peers.start_stoad.clone(), own),
                Side::Janus => Named::StartJanus(peers.start_janus.clone()),
            };
            let report = against(server, None, scenario.clone(), options.clone(), &bell).await?;
            let is_complete = report.complete;
            let round = Round { side, report };
            comparisons
                .all
                .last_mut()
                .expect("pushed above")
                .rounds
                .push(round);
            if !is_complete {
                break 'all;
            }
        }
    }
    listening.abort();
    show(&peers, &comparisons)?;
    comparisons.verdict()
}

fn show(peers: &Beside, comparisons: &Comparisons) -> Result<(), Failure> {
    if let Some(file) = &peers.json {
        write_json(file, comparisons)?;
    }
    if let Some(file) = &peers.html {
        write(file, &html::draw(comparisons))?;
    }
    say(&table::draw(comparisons));
    Ok(())
}

/// What a side can do where those who speak do not listen, which is so on both for the same number of packets.
fn one_way(side: Side) -> Abilities {
    let abilities = match side {
        Side::Stoa => stoa::ABILITIES,
        Side::Janus => janus::ABILITIES,
    };
    Abilities {
        is_two_way: false,
        ..abilities
    }
}

/// Looks whether a program is there, by its path or in one of the usual folders.
fn is_there(program: &Path, what: &str, advice: &str) -> Result<(), Failure> {
    let is_named_alone = program.components().count() == 1 && !program.is_absolute();
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = match is_named_alone {
        true => env::split_paths(&folders).any(|folder| folder.join(program).is_file()),
        false => program.is_file(),
    };
    match found {
        true => Ok(()),
        false => Err(Failure::Target(format!(
            "{what} is not there: no program {}; {advice}",
            program.display()
        ))),
    }
}
