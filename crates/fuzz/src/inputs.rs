//! Generates inputs: well-formed ones, and altered copies of them.

use crate::Dice;
use proptest::{
    arbitrary::any,
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::TestRunner,
};
use std::{fmt, sync::Arc};

/// Size limit of generated inputs, in bytes. Larger inputs have separate tests, because their size is the defect.
const LONGEST: usize = 8 << 10;

/// The bytes of one input.
#[derive(Clone)]
pub(crate) struct Input(pub(crate) Vec<u8>);

/// Formats the bytes as a Rust byte string.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Ingredients of a target's inputs.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// Inputs of the corpus.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Tokens that the parser knows.
    pub(crate) words: &'static [&'static [u8]],
    /// Makes an input that is well-formed, or nearly so.
    pub(crate) well_formed: Option<fn(&mut Dice) -> Vec<u8>>,
}

/// Generator of inputs.
#[derive(Debug)]
pub(crate) struct Made(pub(crate) Arc<Inputs>);

impl Strategy for Made {
    type Tree = Shrinking;
    type Value = Input;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let mut dice = Dice::random(any::<u64>().new_tree(runner)?.current());
        let input = Input(self.0.roll(&mut dice));
        let tape = dice.into_tape();
        let size = tape.len();
        Ok(Shrinking { inputs: self.0.clone(), input, tape, before: Vec::new(), size, at: 0 })
    }
}

/// Shrinks a failing input: removes choices from the tape, long runs first, while it still fails without them.
pub(crate) struct Shrinking {
    inputs: Arc<Inputs>,
    input: Input,
    tape: Vec<usize>,
    /// Tape before the last removal.
    before: Vec<usize>,
    size: usize,
    at: usize,
}

impl Shrinking {
    /// Removes the next choices. `false`: nothing is left to try.
    fn take_off(&mut self) -> bool {
        while self.at >= self.tape.len() {
            self.size /= 2;
            self.at = 0;
            if self.size == 0 || self.tape.is_empty() {
                return false;
            }
        }
        self.before = self.tape.clone();
        self.tape.drain(self.at..self.tape.len().min(self.at + self.size));
        self.input = Input(self.inputs.roll(&mut Dice::replay(self.tape.clone())));
        true
    }
}

impl ValueTree for Shrinking {
    type Value = Input;

    fn current(&self) -> Input {
        self.input.clone()
    }

    fn simplify(&mut self) -> bool {
        self.take_off()
    }

    fn complicate(&mut self) -> bool {
        self.tape = std::mem::take(&mut self.before);
        self.at += self.size;
        self.take_off()
    }
}

impl Inputs {
    fn roll(&self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = match (dice.below(8), self.well_formed) {
            (0, _) => dice.some(33, Dice::byte),
            (1, _) | (3.., None) => self.sentence(dice),
            (2, _) => self.seed(dice),
            (_, Some(make)) => make(dice),
        };
        if dice.once_in(2) {
            for _ in 0..=dice.below(4) {
                self.change(&mut bytes, dice);
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn sentence(&self, dice: &mut Dice) -> Vec<u8> {
        (0..dice.below(24)).flat_map(|_| self.word(dice)).collect()
    }

    fn word(&self, dice: &mut Dice) -> Vec<u8> {
        if self.words.is_empty() { vec![dice.byte()] } else { dice.one(self.words).to_vec() }
    }

    fn seed(&self, dice: &mut Dice) -> Vec<u8> {
        self.seeds.get(dice.below(self.seeds.len())).cloned().unwrap_or_default()
    }

    /// Makes one change: flips bits, alters bytes, or removes, doubles, imports or repeats a piece.
    fn change(&self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let at = dice.below(bytes.len() + 1);
        let until = bytes.len().min(at + dice.below(17));
        let piece = match dice.below(8) {
            0 => bytes.get(at).map(|byte| byte ^ (1 << dice.below(8))).into_iter().collect(),
            1 => vec![dice.byte()],
            2 => Vec::new(),
            3 => [&bytes[at..until], &bytes[at..until]].concat(),
            4 => self.word(dice),
            5 => {
                let word = self.word(dice);
                word.repeat(dice.below(300))
            }
            6 => {
                let other = self.seed(dice);
                let from = dice.below(other.len() + 1);
                other[from..].to_vec()
            }
            _ => [0xff, 0xff, 0xff, 0xff, 0x0f][dice.below(5)..].to_vec(),
        };
        // Overwrites the bytes or inserts before them.
        let until = if dice.once_in(2) { at } else { until };
        bytes.splice(at..until, piece);
        bytes.truncate(LONGEST);
    }
}
