//! The program whose life the book's chapter on the GMP model follows, from start to exit.
//!
//! ```text
//! cargo run -p gosched-runtime --example life
//! ```

use std::error::Error;

use gosched_runtime::{Migrating, Runtime, go};

// ANCHOR: life
fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: the goroutines keep nothing of a thread across a scheduling point.
    let promise = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).migrating(promise).build()?; // 1

    let answer = runtime.run(|| {
        let other = go(|| 6 * 7); // 2, 3
        other.join()
    })??; // 4

    drop(runtime); // 5
    assert_eq!(answer, 42);
    println!("the answer is {answer}");
    Ok(())
}
// ANCHOR_END: life
