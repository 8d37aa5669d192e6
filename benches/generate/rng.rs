//! A small random number generator (`SplitMix64`), so that the bytes of an export depend on
//! the seed alone and not on the version of a crate.

/// The state of one stream of random numbers.
pub struct Rng(u64);

impl Rng {
    /// The stream number `stream` of `seed`. Every data file has a stream of its own, so that
    /// files can be written in any order, by any thread.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(mix(mix(seed) ^ stream))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from 0 to `n - 1`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of `all`, each as likely.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// `count` different ones of `all`: neighbours, from a random place on.
    pub fn several<T: Copy>(&mut self, all: &[T], count: usize) -> Vec<T> {
        let start = self.below(all.len() as u64) as usize;
        (0..count.min(all.len())).map(|n| all[(start + n) % all.len()]).collect()
    }

    /// Puts `all` into a random order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Now and then swaps two of `all`: in real exports the attributes of one kind of item
    /// come mostly, but not always, in the same order.
    pub fn vary<T>(&mut self, all: &mut [T]) {
        if self.one_in(12) {
            let (a, b) = (self.below(all.len() as u64), self.below(all.len() as u64));
            all.swap(a as usize, b as usize);
        }
    }

    /// A random UUID, version 4.
    pub fn uuid(&mut self) -> String {
        let [a, b] = [self.bits(), self.bits()];
        format!("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xFFFF, a & 0xFFF, b >> 50 | 0x8000, b & 0xFFFF_FFFF_FFFF)
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.bits() as u8)
    }
}

/// Scrambles a number; two different numbers never give the same result, so scrambled
/// counters serve as unique ids.
pub fn mix(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_stream_fix_the_numbers() {
        let numbers = |seed, stream| {
            let mut rng = Rng::new(seed, stream);
            [rng.bits(), rng.bits(), rng.bits()]
        };
        assert_eq!(numbers(7, 1), numbers(7, 1));
        assert_ne!(numbers(7, 1), numbers(7, 2));
        assert_ne!(numbers(7, 1), numbers(8, 1));
    }

    #[test]
    fn ranges_are_kept_and_filled() {
        let mut rng = Rng::new(1, 0);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[(rng.between(-2, 2) + 2) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        let mut several = rng.several(&[1, 2, 3, 4], 9);
        several.sort_unstable();
        assert_eq!(several, [1, 2, 3, 4]);
    }
}
