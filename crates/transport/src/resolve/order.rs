//! The order in which the servers of a service are tried (RFC 2782). Pure: chance is an argument.

use std::net::SocketAddr;
use std::sync::OnceLock;

use sip::Transport;

use super::{Candidate, Candidates};

/// One server, with all its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The place of its service among those of the domain; lower is tried first.
    pub(super) rank: u16,
    pub(super) transport: Transport,
    /// Lower is tried first.
    pub(super) priority: u16,
    /// The share among those of equal rank and priority.
    pub(super) weight: u16,
    /// In the order in which they are to be tried.
    pub(super) addresses: Vec<SocketAddr>,
}

/// What is known of a name: at least one target, each with at least one address.
#[derive(Debug)]
pub(super) struct Answer {
    targets: Vec<Target>,
    fixed: OnceLock<Candidates>,
}

impl Answer {
    /// Sorts the targets by rank and priority, the heaviest first. `None` if there is no address.
    pub(super) fn new(mut targets: Vec<Target>) -> Option<Self> {
        targets.retain(|t| !t.addresses.is_empty());
        targets.sort_by_key(|t| (group(t), std::cmp::Reverse(t.weight)));
        (!targets.is_empty()).then_some(Self {
            targets,
            fixed: OnceLock::new(),
        })
    }

    /// Whether weights can make a difference.
    pub(super) fn has_choice(&self) -> bool {
        self.targets
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if group(a) == group(b)))
    }

    /// The same order every time.
    pub(super) fn fixed(&self) -> Candidates {
        self.fixed
            .get_or_init(|| Candidates::many(candidates(self.targets.iter())))
            .clone()
    }

    /// An order drawn by the weights, a new one each time.
    pub(super) fn weighted(&self, random: &dyn Fn(u64) -> u64) -> Candidates {
        let mut order: Vec<&Target> = self.targets.iter().collect();
        let mut rest = &mut order[..];
        while let Some(first) = rest.first() {
            let of_first = group(first);
            let size = rest.iter().take_while(|t| group(t) == of_first).count();
            let (same, after) = rest.split_at_mut(size);
            shuffle(same, random);
            rest = after;
        }
        Candidates::many(candidates(order.into_iter()))
    }
}

/// Draws one target after the other, each with a chance in proportion to its weight. Those of
/// weight 0 are placed first, so that they have the small chance that RFC 2782 gives them.
fn shuffle(targets: &mut [&Target], random: &dyn Fn(u64) -> u64) {
    targets.sort_by_key(|t| t.weight != 0);
    let mut rest = targets;
    while rest.len() > 1 {
        let sum: u64 = rest.iter().map(|t| u64::from(t.weight)).sum();
        let drawn = random(sum + 1);
        let mut running = 0;
        let reaches = |t: &&Target| {
            running += u64::from(t.weight);
            running >= drawn
        };
        let chosen = rest.iter().position(reaches).unwrap_or_default();
        // The others keep their order.
        rest[..=chosen].rotate_right(1);
        rest = &mut rest[1..];
    }
}

fn group(target: &Target) -> (u16, u16) {
    (target.rank, target.priority)
}

fn candidates<'a>(targets: impl Iterator<Item = &'a Target>) -> impl Iterator<Item = Candidate> {
    targets.flat_map(|target| {
        target.addresses.iter().map(|&address| Candidate {
            transport: target.transport,
            address,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    fn target(port: u16, priority: u16, weight: u16) -> Target {
        Target {
            rank: 0,
            transport: Transport::Udp,
            priority,
            weight,
            addresses: vec![SocketAddr::from(([10, 0, 0, 1], port))],
        }
    }

    fn ports(candidates: &Candidates) -> Vec<u16> {
        candidates.iter().map(|c| c.address.port()).collect()
    }

    /// A small generator with a fixed start (xorshift64*).
    fn generator(seed: u64) -> impl Fn(u64) -> u64 {
        let state = Cell::new(seed | 1);
        move |bound| {
            let mut x = state.get();
            x ^= x >> 12;
            x ^= x << 25;
            x ^= x >> 27;
            state.set(x);
            (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
        }
    }

    #[test]
    fn the_fixed_order_is_by_priority_then_weight() {
        let targets = vec![target(1, 20, 0), target(2, 10, 5), target(3, 10, 50)];
        let answer = Answer::new(targets).unwrap();
        assert_eq!(ports(&answer.fixed()), [3, 2, 1]);
        assert!(answer.has_choice());
        assert!(
            !Answer::new(vec![target(1, 1, 0), target(2, 2, 0)])
                .unwrap()
                .has_choice()
        );
    }

    #[test]
    fn first_places_follow_the_weights() {
        let targets = vec![
            target(1, 0, 0),
            target(2, 0, 10),
            target(3, 0, 30),
            target(4, 0, 60),
        ];
        let answer = Answer::new(targets).unwrap();
        let random = generator(7);
        let mut first = [0_u32; 5];
        for _ in 0..10_000 {
            first[usize::from(ports(&answer.weighted(&random))[0])] += 1;
        }
        // Weight 0 is drawn only by the number 0, one in 101.
        for (port, share) in [(1, 1), (2, 10), (3, 30), (4, 60)] {
            let percent = f64::from(first[port]) / 100.0;
            assert!(
                (percent - f64::from(share)).abs() < 2.0,
                "{port}: {percent} %"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn every_order_has_all_targets_by_rank_and_priority(
            list in prop::collection::vec((0_u16..3, 0_u16..3, any::<u16>()), 1..12),
            seed in any::<u64>(),
        ) {
            let targets: Vec<Target> = (1..).zip(&list).map(|(port, (rank, priority, weight))| {
                Target { rank: *rank, ..target(port, *priority, *weight) }
            }).collect();
            let answer = Answer::new(targets).unwrap();
            for order in [answer.fixed(), answer.weighted(&generator(seed))] {
                let order = ports(&order);
                let groups: Vec<_> = order
                    .iter()
                    .map(|port| { let t = &list[usize::from(*port) - 1]; (t.0, t.1) })
                    .collect();
                prop_assert!(groups.is_sorted());
                let mut all = order.clone();
                all.sort_unstable();
                prop_assert_eq!(all, (1..).take(list.len()).collect::<Vec<u16>>());
            }
        }
    }
}
