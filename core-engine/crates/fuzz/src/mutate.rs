//! The next input from those that are kept.

use rand::{Rng, RngExt};

/// No input gets longer.
pub const LONGEST: usize = 16 << 10;
/// Bytes that numbers and lengths break at.
const ODD: [u8; 8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff, b'0', b'"'];

fn below(dice: &mut impl Rng, most: usize) -> usize {
    dice.random_range(0..most.max(1))
}

/// A changed copy of one of `kept`, which is not empty: one to eight changes, most often few.
pub fn mutate(kept: &[Vec<u8>], words: &[&[u8]], dice: &mut impl Rng) -> Vec<u8> {
    let mut input = kept[below(dice, kept.len())].clone();
    for _ in 0..1 << below(dice, 4) {
        change(&mut input, kept, words, dice);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, kept: &[Vec<u8>], words: &[&[u8]], dice: &mut impl Rng) {
    let length = input.len();
    let at = below(dice, length + 1);
    match below(dice, 10) {
        0 if length > 0 => input[at.min(length - 1)] ^= 1 << below(dice, 8),
        1 if length > 0 => input[at.min(length - 1)] = dice.random(),
        2 if length > 0 => input[at.min(length - 1)] = ODD[below(dice, ODD.len())],
        3 if length > 0 => {
            let place = &mut input[at.min(length - 1)];
            *place = place.wrapping_add([1, 0xff][below(dice, 2)]);
        }
        4 => drop(input.drain(at..(at + 1 + below(dice, 8)).min(length).max(at))),
        5 => drop(input.splice(at..at, (0..=below(dice, 8)).map(|n| ODD[n % ODD.len()]))),
        // A part of it once more.
        6 => {
            let end = (at + 1 + below(dice, 64)).min(length).max(at);
            let part = input[at..end].to_vec();
            let to = below(dice, length + 1);
            input.splice(to..to, part);
        }
        7 => input.truncate(at),
        // The end of another one.
        8 => {
            let other = &kept[below(dice, kept.len())];
            input.truncate(at);
            input.extend_from_slice(&other[below(dice, other.len() + 1)..]);
        }
        _ if !words.is_empty() => {
            let word = words[below(dice, words.len())];
            let end = if dice.random() { (at + word.len()).min(length) } else { at };
            input.splice(at..end, word.iter().copied());
        }
        _ => input.push(dice.random()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_seed_repeats_every_input_and_none_is_too_long() {
        let kept = [b"hello".to_vec(), Vec::new(), vec![7; LONGEST]];
        let inputs = |seed: u64| -> Vec<Vec<u8>> {
            let mut dice = ChaCha8Rng::seed_from_u64(seed);
            (0..5_000).map(|_| mutate(&kept, &[b"word"], &mut dice)).collect()
        };
        let first = inputs(1);
        assert_eq!(first, inputs(1));
        assert_ne!(first, inputs(2));
        assert!(first.iter().all(|input| input.len() <= LONGEST));
        assert!(first.iter().any(|input| input.windows(4).any(|part| part == b"word")));
    }
}
