//! Throws the die ten times.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut dice = build_rs_example::Dice::new()?;
    for _ in 0..10 {
        println!("{}", dice.throw()?);
    }
    Ok(())
}
