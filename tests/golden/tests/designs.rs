//! The designs that know an answer against models of them in Rust: as many blocks, tiles, operations or rounds as the
//! artifact has done, the checksum must be the model's. And a sleeping system, in which nothing may change.

use std::collections::BTreeSet;

use golden::compare::{self, Compiled};
use golden::elaborate::elaborate_in;
use golden::fixture;
use golden::oracle::OracleDesign;
use rtlwasm::ir::{Netlist, SignalId};
use rtlwasm::options::{Design, Options};
use rtlwasm::pipeline;
use sha2::{Digest, Sha256};

/// What a design shows: its checksum, or digest, in limbs, and how much it has done.
struct Shown {
    checksum: Vec<u64>,
    count: u64,
}

/// A design after four cycles of reset, and the paths of the signals that [`Compiled::value`] counts.
fn start(
    folder: &str,
    list: &str,
    watched: impl Fn(&Netlist) -> Vec<Vec<String>>,
) -> (Compiled, Vec<Vec<String>>) {
    let path = fixture::root().join("designs").join(folder);
    let design = Design {
        file_lists: vec![list.into()],
        top: Some(folder.to_owned()),
        ..Design::default()
    };
    let elaborated = elaborate_in(&path, &design, &mut Vec::new());
    let netlist = elaborated.unwrap_or_else(|e| panic!("{e}")).netlist;
    let design = OracleDesign {
        clocks: vec!["clk".to_owned()],
        ports: compare::ports(&netlist),
        ..OracleDesign::default()
    };
    let watched = watched(&netlist);
    let wasm = pipeline::compile_netlist(netlist, &Options::default()).wasm;
    let mut model = Compiled::new(&wasm, &design, &watched).unwrap();
    model.apply(&[vec![1]]);
    (0..4).for_each(|_| _ = model.cycle(1));
    model.apply(&[vec![0]]);
    (model, watched)
}

/// Runs a design so many cycles; its own check must be over and right.
fn run(folder: &str, list: &str, outputs: [&str; 2], cycles: u64) -> Shown {
    let names = [outputs[0], outputs[1], "done", "ok"].map(|name| vec![name.to_owned()]);
    let (mut model, _) = start(folder, list, |_| names.to_vec());
    (0..cycles).for_each(|_| _ = model.cycle(1));
    assert_eq!((model.value(2), model.value(3)), (vec![1], vec![1]));
    Shown {
        checksum: model.value(0),
        count: model.value(1)[0],
    }
}

/// Big-endian bytes as limbs, lowest first.
fn limbs(bytes: &[u8]) -> Vec<u64> {
    let limb = |chunk: &[u8]| u64::from_be_bytes(chunk.try_into().unwrap());
    bytes.rchunks(8).map(limb).collect()
}

#[test]
fn sha256() {
    let shown = run("sha256", "sources.f", ["digest", "blocks"], 20_000);
    let mut digest = Sha256::digest(b"");
    // Four blocks are examples.
    for link in 0..shown.count - 4 {
        digest = Sha256::new()
            .chain_update(digest)
            .chain_update(link.to_be_bytes())
            .finalize();
    }
    assert!(shown.count > 200);
    assert_eq!(shown.checksum, limbs(&digest));
}

/// AES-256 as FIPS 197 defines it, with a table that follows from the field.
struct Aes {
    table: [u8; 256],
}

impl Aes {
    fn new() -> Self {
        let substitute = |x: u8| {
            let inverse = (1..=255).find(|&y| times(x, y) == 1).unwrap_or(0);
            let spread = (1..5).fold(inverse, |sum, n| sum ^ inverse.rotate_left(n));
            spread ^ 0x63
        };
        Aes {
            table: std::array::from_fn(|x| substitute(x as u8)),
        }
    }

    fn encrypt(&self, key: &[u8; 32], block: &[u8; 16]) -> [u8; 16] {
        let words = self.expand(key);
        let mut state = *block;
        for round in 0..15 {
            if round > 0 {
                // Substitution and shift of rows: row r of column c comes from column c + r.
                state =
                    std::array::from_fn(|i| self.table[usize::from(state[(i + 4 * (i % 4)) % 16])]);
            }
            if (1..14).contains(&round) {
                let old = state;
                let mix = |i: usize| {
                    let at = |n: usize| old[i / 4 * 4 + (i + n) % 4];
                    times(at(0), 2) ^ times(at(1), 3) ^ at(2) ^ at(3)
                };
                state = std::array::from_fn(mix);
            }
            let key = &words[4 * round..4 * round + 4];
            state = std::array::from_fn(|i| state[i] ^ key[i / 4][i % 4]);
        }
        state
    }

    fn expand(&self, key: &[u8; 32]) -> Vec<[u8; 4]> {
        let mut words: Vec<[u8; 4]> = key.chunks(4).map(|c| c.try_into().unwrap()).collect();
        let mut constant = 1;
        for i in 8..60 {
            let mut word = words[i - 1];
            if i % 8 == 0 {
                word.rotate_left(1);
            }
            if i % 4 == 0 {
                word = word.map(|byte| self.table[usize::from(byte)]);
            }
            if i % 8 == 0 {
                word[0] ^= constant;
                constant = times(constant, 2);
            }
            words.push(std::array::from_fn(|n| word[n] ^ words[i - 8][n]));
        }
        words
    }
}

/// The product in the field of AES.
fn times(a: u8, b: u8) -> u8 {
    let (mut power, mut product) = (a, 0);
    for bit in 0..8 {
        if b >> bit & 1 == 1 {
            product ^= power;
        }
        power = power << 1 ^ if power & 0x80 == 0 { 0 } else { 0x1b };
    }
    product
}

#[test]
fn aes256() {
    let shown = run("aes256", "sources.f", ["checksum", "blocks"], 5_000);
    let aes = Aes::new();
    let start = [
        0x603deb1015ca71be2b73aef0857d7781u128,
        0x1f352c073b6108d72d9810a30914dff4,
    ];
    let (mut key, mut checksum) = (start, 0u128);
    // Five blocks are examples.
    for n in 0..shown.count - 5 {
        let block = 0x9e3779b97f4a7c15u128 << 64 | u128::from(n);
        let bytes = key.map(u128::to_be_bytes).concat();
        let stream = aes.encrypt(&bytes.try_into().unwrap(), &block.to_be_bytes());
        checksum = checksum.rotate_left(1) ^ u128::from_be_bytes(stream);
        if n % 16 == 15 {
            key = [key[1], checksum];
        }
    }
    assert!(shown.count > 200);
    assert_eq!(shown.checksum, limbs(&checksum.to_be_bytes()));
}

fn xorshift(mut state: u32) -> u32 {
    state ^= state << 13;
    state ^= state >> 17;
    state ^ state << 5
}

/// The first `count` operands of a generator.
fn operands(seed: u32, count: usize) -> Vec<i64> {
    let states = std::iter::successors(Some(seed), |state| Some(xorshift(*state)));
    states
        .take(count)
        .map(|state| i64::from((state >> 16) as i16))
        .collect()
}

/// The value of the low 40 bits, signed.
fn signed_40(value: i64) -> u64 {
    (value << 24 >> 24) as u64
}

#[test]
fn gemm() {
    let shown = run("gemm", "sources.f", ["checksum", "tiles"], 10_000);
    let tiles = shown.count as usize;
    let side = |seed: u32| -> Vec<Vec<i64>> {
        let one = |i| operands(seed.wrapping_mul(i), 32 * tiles);
        (1..=8).map(one).collect()
    };
    let (rows, columns) = (side(0x9e3779b9), side(0x7f4a7c15));
    let samples = operands(0x2545f491, 32 * tiles);
    let coefficient = |k: usize| {
        let size = 1000 * (k + 1).min(32 - k) as i64;
        if k.is_multiple_of(2) { size } else { -size }
    };
    let (mut sums, mut filter_sum, mut checksum) = ([0u64; 8], 0u64, 0u64);
    for tile in 0..tiles {
        let steps = 32 * tile..32 * (tile + 1);
        for (row, sum) in rows.iter().zip(&mut sums) {
            for column in &columns {
                let products = steps.clone().map(|step| row[step] * column[step]);
                *sum = sum.rotate_left(1) ^ signed_40(products.sum());
            }
        }
        for step in steps {
            // Coefficients are one tap further on with every tile.
            let product = |k| coefficient((k + (step - k) / 32) % 32) * samples[step - k];
            let filtered: i64 = (0..32.min(step + 1)).map(product).sum();
            filter_sum = filter_sum.rotate_left(1) ^ signed_40(filtered);
        }
        let folded = sums
            .iter()
            .fold(filter_sum, |fold, sum| fold.rotate_left(8) ^ sum);
        checksum = checksum.rotate_left(1).wrapping_add(folded);
    }
    assert!(tiles > 300);
    assert_eq!(shown.checksum, [checksum]);
}

/// 512 bits, lowest first.
type Wide = [u64; 8];

fn wide_add(a: &Wide, b: &Wide, mut carry: u64) -> Wide {
    std::array::from_fn(|i| {
        let sum = u128::from(a[i]) + u128::from(b[i]) + u128::from(carry);
        carry = (sum >> 64) as u64;
        sum as u64
    })
}

fn wide_bit(a: &Wide, i: usize) -> u64 {
    a[i % 512 / 64] >> (i % 64) & 1
}

/// Bit i of the result is bit `from(i)` of `a`, modulo 512.
fn wide_gather(a: &Wide, from: impl Fn(usize) -> usize) -> Wide {
    let limb = |n: usize| (0..64).fold(0, |sum, i| sum | wide_bit(a, from(64 * n + i)) << i);
    std::array::from_fn(limb)
}

fn wide_rotate(a: &Wide, by: usize) -> Wide {
    wide_gather(a, |i| i + 512 - by)
}

fn wide_operation(instruction: u32, a: &Wide, b: &Wide) -> Wide {
    let minus = |a: &Wide, b: &Wide| wide_add(a, &b.map(|limb| !limb), 1);
    let each = |f: &dyn Fn(usize) -> u64| -> Wide { std::array::from_fn(f) };
    let less = a.iter().rev().lt(b.iter().rev());
    let (sign_a, sign_b) = (wide_bit(a, 511), wide_bit(b, 511));
    let less_signed = if sign_a == sign_b { less } else { sign_a == 1 };
    match instruction >> 29 {
        0 => wide_add(a, b, 0),
        1 => minus(a, b),
        2 => {
            let rotated = wide_rotate(b, (instruction >> 16 & 511) as usize);
            each(&|i| a[i] ^ rotated[i])
        }
        3 if less => minus(b, a),
        3 => wide_rotate(a, 256),
        4 if less_signed => *a,
        4 => b.map(|limb| !limb),
        5 => {
            let permuted = wide_gather(a, |i| 165 * i + 77);
            each(&|i| permuted[i] ^ b[i])
        }
        6 => {
            let rotated = wide_rotate(b, 384);
            each(&|i| a[i] & b[i] | !a[i] & rotated[i])
        }
        _ => each(&|i| {
            let lane = |n: usize| {
                let half = |x: &Wide, n: usize| (x[n / 2] >> (n % 2 * 32)) as u32;
                u64::from(half(a, n).wrapping_add(half(b, 15 - n)))
            };
            lane(2 * i) | lane(2 * i + 1) << 32
        }),
    }
}

#[test]
fn wide512() {
    // The first 512 bits of the fraction of pi.
    const PI: Wide = [
        0x3f84d5b5b5470917,
        0xc0ac29b7c97c50dd,
        0xbe5466cf34e90c6c,
        0x452821e638d01377,
        0x082efa98ec4e6c89,
        0xa4093822299f31d0,
        0x13198a2e03707344,
        0x243f6a8885a308d3,
    ];
    let shown = run("wide512", "sources.f", ["checksum", "operations"], 10_000);
    let mut random = 0x9e3779b9u32;
    let mut next = || {
        let word = random;
        random = xorshift(word);
        word
    };
    let fill = |word: u32| PI.map(|limb| limb ^ (u64::from(word) << 32 | u64::from(word)));
    let mut rows: [Wide; 16] = std::array::from_fn(|_| fill(next()));
    let mut checksum = 0u64;
    for _ in 0..shown.count {
        let instruction = next();
        let field = |low: u32| (instruction >> low & 15) as usize;
        let result = wide_operation(instruction, &rows[field(12)], &rows[field(8)]);
        rows[field(25)] = result;
        let fold = result
            .iter()
            .rev()
            .fold(0u64, |fold, limb| fold.rotate_left(7) ^ limb);
        checksum = checksum.rotate_left(1) ^ fold;
    }
    assert!(shown.count > 9_000);
    assert_eq!(shown.checksum, [checksum]);
}

/// What a core of `many_cores` reports in a round: the CRC of its sorted words and a divisor of two products.
fn report(id: u32, round: u32) -> [u32; 2] {
    let mut state = (id << 16 | 1).wrapping_add(round.wrapping_mul(0x9e3779b9));
    let mut words = [0u32; 8].map(|_| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        state
    });
    words.sort_unstable();
    let crc = words
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                crc >> 1 ^ if crc & 1 == 1 { 0xedb88320 } else { 0 }
            })
        });
    let factor = (id & 15) + 3;
    let (mut a, mut b) = ((words[0] >> 20) * factor, (words[7] >> 20) * factor);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    [!crc, a]
}

#[test]
fn many_cores() {
    if no_cores() {
        return;
    }
    let shown = run("many_cores", "cores16.f", ["checksum", "rounds"], 45_000);
    let mut checksum = 0u64;
    for round in 0..shown.count as u32 {
        let of_core = |id| report(id, round).map(|value| u64::from(value) << id);
        let sum = (0..16).flat_map(of_core).fold(0, u64::wrapping_add);
        checksum = checksum.rotate_left(1).wrapping_add(sum);
    }
    assert!(shown.count >= 3);
    assert_eq!(shown.checksum, [checksum]);
}

fn no_cores() -> bool {
    let missing = std::env::var_os("RTLWASM_CORES").is_none();
    if missing {
        eprintln!("skipped: RTLWASM_CORES is not set (`cargo xtask test` sets it)");
    }
    missing
}

/// The signals that change from one cycle to the next while the system sleeps.
fn changes_asleep(list: &str) -> BTreeSet<String> {
    let all = |netlist: &Netlist| -> Vec<Vec<String>> {
        let words = compare::words(netlist);
        let path = |id: &SignalId| compare::path(netlist, &netlist.signals[*id]);
        words.iter().map(path).collect()
    };
    let (mut model, paths) = start("idle_soc", list, all);
    let names: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
    let index = |name: &str| names.iter().position(|other| other == name).unwrap();
    let (done, ok, asleep) = (index("done"), index("ok"), index("asleep"));
    (0..30_000).for_each(|_| _ = model.cycle(1));
    let shown = [done, ok, asleep].map(|index| model.value(index)[0]);
    assert_eq!(shown, [1, 1, 1]);

    let values = |model: &mut Compiled| -> Vec<Vec<u64>> {
        (0..names.len()).map(|index| model.value(index)).collect()
    };
    let mut changed = BTreeSet::new();
    let mut before = values(&mut model);
    for _ in 0..20 {
        _ = model.cycle(1);
        let after = values(&mut model);
        let differing = (0..names.len()).filter(|&index| before[index] != after[index]);
        changed.extend(differing.map(|index| names[index].clone()));
        before = after;
    }
    changed
}

#[test]
fn sleep_changes_nothing() {
    if no_cores() {
        return;
    }
    assert_eq!(changes_asleep("sources.f"), BTreeSet::new());
    let counter = "control.waking.count".to_owned();
    assert_eq!(changes_asleep("waking.f"), BTreeSet::from([counter]));
}
