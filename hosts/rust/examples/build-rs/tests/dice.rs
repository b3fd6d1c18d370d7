//! The hardware that was compiled while building does what its source says.

use build_rs_example::Dice;

#[test]
fn the_die_is_the_shift_register() {
    let mut dice = Dice::new().expect("loads");
    let mut bits: u16 = 0xace1;
    for _ in 0..1000 {
        let feedback = (bits >> 15 ^ bits >> 13 ^ bits >> 12 ^ bits >> 10) & 1;
        bits = bits << 1 | feedback;
        let eyes = dice.throw().expect("runs");
        assert_eq!(eyes, u64::from(bits & 0x7f) % 6 + 1);
    }
}
