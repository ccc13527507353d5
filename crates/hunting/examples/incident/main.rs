//! Writes an incident with known truth: `cargo run --release -p miyaburi-hunting --example incident DIR
//! [PART]`, where PART is how many times smaller it is than the whole.
//!
//! In DIR then are `logs/`, `accounts.csv`, `classes.csv`, `indicators.txt` and, as `truth.csv`, every
//! account that was touched with the class of data, sorted. What begins to behave as on no list, and on
//! which day (seconds since 1970), stands in `behaviours.csv`.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod world;

use std::fs::{File, create_dir_all, write};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use world::{ATTACKERS, BEGINS, BEHAVIOURS, DAY, SHARDS, Size, WHOLE, World};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: incident DIR [PART]");
        std::process::exit(2);
    };
    let part = arguments.next().and_then(|part| part.to_str()?.parse().ok()).unwrap_or(1);
    let size = Size {
        accounts: WHOLE.accounts / part,
        touched: WHOLE.touched / part,
        daily: WHOLE.daily / part,
        ..WHOLE
    };
    let world = World::new(size);
    create_dir_all(folder.join("logs"))?;
    let create = |name: String| File::create(folder.join(name)).map(BufWriter::new);
    world.write_accounts(&mut create("accounts.csv".to_owned())?)?;
    for shard in 0..SHARDS {
        world.write_imap(shard, &mut create(format!("logs/imap-{shard}.log"))?)?;
        world.write_web(shard, &mut create(format!("logs/web-{shard}.log"))?)?;
    }
    world.write_dns(&mut create("logs/queries.log".to_owned())?)?;
    world.write_firewall(&mut create("logs/gate.log".to_owned())?)?;
    write(folder.join("classes.csv"), World::RULES)?;
    write(folder.join("indicators.txt"), ATTACKERS.join("\n"))?;
    let behaviours = BEHAVIOURS
        .map(|(entity, behaviour, day)| format!("{entity},{behaviour},{}\n", BEGINS + day * DAY));
    write(folder.join("behaviours.csv"), behaviours.concat())?;
    truth(&world, &folder)
}

fn truth(world: &World, folder: &Path) -> io::Result<()> {
    let truth = &world.truth;
    let classes =
        [("credentials", &truth.credentials), ("mail", &truth.mail), ("third_party", &truth.keys)];
    let mut lines: Vec<String> = Vec::new();
    for (class, accounts) in classes {
        lines.extend(accounts.iter().map(|account| format!("{},{class}\n", world.name(*account))));
    }
    lines.sort_unstable();
    let mut file = BufWriter::new(File::create(folder.join("truth.csv"))?);
    lines.iter().try_for_each(|line| file.write_all(line.as_bytes()))
}
