//! The narrow shape: readings of sensors, 4 attributes of 3 types. It measures what an item
//! costs, where the shop measures what its values cost.

use crate::lines::Lines;
use crate::rng::{Rng, mix};
use crate::shape::{File, Items};

/// Sensors with some hundred readings each, a sensor's in the order of time.
pub struct Narrow {
    rng: Rng,
    file: File,
    order: [&'static str; 4],
    sensors: u64,
    sensor: String,
    left: u64,
    time: i64,
}

impl Narrow {
    /// The readings of `file`.
    pub fn new(file: File) -> Self {
        let mut order = ["pk", "sk", "value", "flag"];
        Rng::new(file.seed, u64::MAX).shuffle(&mut order);
        Self { rng: Rng::new(file.seed, file.index), file, order, sensors: 0, sensor: String::new(), left: 0, time: 0 }
    }
}

impl Items for Narrow {
    fn write_next(&mut self, out: &mut Lines) {
        let rng = &mut self.rng;
        if self.left == 0 {
            let region = rng.pick(&["eu-west-1", "us-east-1", "ap-south-1"]);
            self.sensor = format!("sensor#{region}#{:016x}", mix(self.file.number(self.sensors)));
            self.sensors += 1;
            self.left = 100 + rng.below(400);
            self.time = 1_704_067_200_000 + rng.between(0, 86_400_000);
        }
        self.left -= 1;
        self.time += rng.between(1, 120_000);
        let mut order = self.order;
        rng.vary(&mut order);
        out.item(|item| {
            for name in order {
                let value = item.at(name);
                match name {
                    "pk" => value.string(&self.sensor),
                    "sk" => value.integer(self.time),
                    "value" => value.decimal(rng.between(-400_000, 1_200_000), 4),
                    _ => value.boolean(rng.one_in(20)),
                }
            }
        });
    }
}
