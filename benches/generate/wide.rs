//! The wide shape: a key and 20 to 40 of 100 attributes, each of one type throughout the table.
//! It measures what absent attributes cost.

use crate::lines::Lines;
use crate::rng::{Rng, mix};
use crate::shape::{File, Items};

const ATTRIBUTES: usize = 100;
const STATES: [&str; 6] = ["active", "idle", "offline", "pending-upgrade", "retired", "unknown"];

/// Devices and what is known of each.
pub struct Wide {
    rng: Rng,
    file: File,
    names: Vec<String>,
    order: [usize; ATTRIBUTES],
    devices: u64,
}

impl Wide {
    /// The devices of `file`.
    pub fn new(file: File) -> Self {
        let mut order = std::array::from_fn(|n| n);
        Rng::new(file.seed, u64::MAX).shuffle(&mut order);
        Self {
            rng: Rng::new(file.seed, file.index),
            file,
            names: (0..ATTRIBUTES).map(|n| format!("attr_{n:03}")).collect(),
            order,
            devices: 0,
        }
    }

    /// Between 20 and 40 attributes, all as likely, in the table's order.
    fn choose(&mut self) -> Vec<usize> {
        let mut wanted = 20 + self.rng.below(21);
        let mut chosen = Vec::with_capacity(wanted as usize);
        for (at, &attribute) in self.order.iter().enumerate() {
            if self.rng.below((ATTRIBUTES - at) as u64) < wanted {
                chosen.push(attribute);
                wanted -= 1;
            }
        }
        self.rng.vary(&mut chosen);
        chosen
    }
}

impl Items for Wide {
    fn write_next(&mut self, out: &mut Lines) {
        let chosen = self.choose();
        let id = format!("device#{:016x}", mix(self.file.number(self.devices)));
        self.devices += 1;
        let key_at = self.rng.below(chosen.len() as u64) as usize;
        let rng = &mut self.rng;
        out.item(|item| {
            for (at, attribute) in chosen.into_iter().enumerate() {
                if at == key_at {
                    item.at("id").string(&id);
                }
                let value = item.at(&self.names[attribute]);
                match attribute % 10 {
                    0 | 1 => value.string(rng.pick(&STATES)),
                    2 => value.string(&format!("{:012x}", rng.below(1 << 48))),
                    3 => value.string(&format!("v{}.{}", rng.below(9), rng.below(30))),
                    4 | 5 => value.integer(rng.between(0, 99)),
                    6 => value.integer(rng.between(-1_000_000, 1_000_000)),
                    7 => value.decimal(rng.between(0, 1_000_000), 2),
                    _ => value.boolean(rng.one_in(3)),
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_to_forty_attributes_none_twice() {
        let mut wide = Wide::new(File { index: 0, count: 1, seed: 3 });
        for _ in 0..500 {
            let mut chosen = wide.choose();
            let count = chosen.len();
            chosen.sort_unstable();
            chosen.dedup();
            assert_eq!(chosen.len(), count);
            assert!((20..=40).contains(&count));
        }
    }
}
