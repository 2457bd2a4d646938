//! `gosched-verify`: checks the claims.

fn main() {
    println!("{} claims", gosched_verify::claim::registry().len());
}
