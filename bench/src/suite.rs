//! The comparison: what a call costs Tandem, Kamailio and a bare forwarder, and how each behaves when there is much to do.
//! Each part prints one section of Markdown; a contender that fails leaves a gap and a reason, never ends the run.

mod capacity;
mod contender;
mod cost;
mod fill;
mod held;
mod latency;
mod listing;
pub mod options;
mod overload;
mod place;
mod programs;
mod restart;
mod run;
mod scaling;
mod section;

use std::time::Instant;

pub use contender::{Contender, build_tandem};
pub use options::{Item, Options};
pub use section::Section;

/// Measures what was asked for and prints it; whether every call went as it should where it had to.
///
/// # Errors
/// The contenders cannot be had.
pub fn run(options: &Options) -> std::io::Result<bool> {
    let needs_servers = options.items.iter().any(|item| *item != Item::Core);
    let contenders = if needs_servers {
        contender::all(options)?
    } else {
        Vec::new()
    };
    println!("{}\n", section::machine(options, &contenders));
    let mut is_clean = true;
    let suite = Suite {
        options,
        contenders: &contenders,
        capacities: std::cell::RefCell::default(),
    };
    for item in options.items.iter().copied() {
        let start = Instant::now();
        eprintln!("# {}", item.name());
        for section in suite.measure(item) {
            println!("{section}");
            is_clean &= section.is_clean();
        }
        eprintln!(
            "# {} took {:.0} s",
            item.name(),
            start.elapsed().as_secs_f64()
        );
    }
    println!("{}", section::load_average());
    Ok(is_clean)
}

/// What all parts need.
struct Suite<'a> {
    options: &'a Options,
    contenders: &'a [Contender],
    /// The highest rates found so far: other parts offer shares of them.
    capacities: std::cell::RefCell<Vec<capacity::Known>>,
}

impl Suite<'_> {
    fn measure(&self, item: Item) -> Vec<Section> {
        match item {
            Item::Cost => cost::measure(self),
            Item::Held => held::measure(self),
            Item::Restart => vec![restart::measure(self)],
            Item::Latency => vec![latency::measure(self)],
            Item::Overload => vec![overload::measure(self)],
            Item::Scaling => vec![scaling::measure(self)],
            Item::Core => vec![programs::measure(self)],
        }
    }

    /// The contenders that know calls.
    fn proxies(&self) -> impl Iterator<Item = &Contender> {
        let all = self.contenders.iter();
        all.filter(|contender| contender.kind != crate::server::Kind::Forwarder)
    }
}
