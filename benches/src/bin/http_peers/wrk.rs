//! One load: wrk for some seconds, and what the server's process used meanwhile.

use core::net::SocketAddr;
use std::fs;
use std::process::Command;

/// What one load has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) requests: f64,
    pub(crate) requests_a_second: f64,
    /// Median and 99th percentile, in microseconds, as the client saw them.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Answers that were none, or not 2xx.
    pub(crate) errors: f64,
}

/// How much load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount {
    pub(crate) seconds: u32,
    pub(crate) connections: u32,
}

/// Loads a server.
///
/// # Errors
///
/// If there is no wrk, or it fails.
pub(crate) fn load(address: SocketAddr, amount: Amount) -> Result<Load, String> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--latency", "-t", "1", "-c", &amount.connections.to_string()]);
    wrk.args(["-d", &format!("{}s", amount.seconds), &format!("http://{address}/")]);
    let output = wrk.output().map_err(|error| format!("wrk: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match read(&text) {
        Some(load) if output.status.success() => Ok(load),
        _ => Err(format!("wrk: {}: {text}", output.status)),
    }
}

/// What wrk printed.
fn read(text: &str) -> Option<Load> {
    let line = |start: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.find_map(|line| Some(line.strip_prefix(start)?.trim().to_owned()))
    };
    let number = |text: &str| text.parse::<f64>().ok();
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in "))?.0;
    let not_ok = line("Non-2xx or 3xx responses:").map_or(Some(0.0), |count| number(&count))?;
    // connect 0, read 0, write 0, timeout 0
    let socket: f64 = line("Socket errors:").map_or(0.0, |errors| {
        let words = errors.split([' ', ',']);
        words.filter_map(|word| word.parse::<f64>().ok()).sum()
    });
    Some(Load {
        requests: number(requests)?,
        requests_a_second: number(&line("Requests/sec:")?)?,
        p50_us: microseconds(&line("50%")?)?,
        p99_us: microseconds(&line("99%")?)?,
        errors: not_ok + socket,
    })
}

/// `1.25ms`
fn microseconds(text: &str) -> Option<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6), ("m", 60e6)];
    units
        .iter()
        .find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

/// Processor time of a process so far, in seconds, by the system's clock of a hundred ticks a
/// second. `None` where the system does not tell.
pub(crate) fn cpu_seconds(process: u32) -> Option<f64> {
    cpu_seconds_in(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

fn cpu_seconds_in(stat: &str) -> Option<f64> {
    // The name may contain spaces; after it come the state and the fields from the fourth on.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user = fields.next()?.parse::<f64>().ok()?;
    let system = fields.next()?.parse::<f64>().ok()?;
    Some((user + system) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
Running 5s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   697.48us  393.42us  12.35ms   96.33%
    Req/Sec    90.91k     5.05k  100.63k    72.00%
  Latency Distribution
     50%  645.00us
     75%  799.00us
     90%    0.95ms
     99%    1.57ms
  452415 requests in 5.00s, 19.85MB read
Requests/sec:  90448.22
Transfer/sec:      3.97MB
";

    #[test]
    fn what_wrk_prints_is_understood() {
        let load = read(PRINTED).expect("a load");
        assert_eq!(load.requests, 452_415.0);
        assert_eq!(load.requests_a_second, 90_448.22);
        assert_eq!((load.p50_us, load.p99_us), (645.0, 1570.0));
        assert_eq!(load.errors, 0.0);
        assert_eq!(read("unable to connect"), None);
    }

    #[test]
    fn errors_are_counted() {
        let errors = "  Socket errors: connect 1, read 2, write 0, timeout 4\n  \
                      Non-2xx or 3xx responses: 5\n";
        assert_eq!(read(&(PRINTED.to_owned() + errors)).expect("a load").errors, 12.0);
    }

    #[test]
    fn processor_time_is_two_fields_behind_the_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu_seconds_in(stat), Some(2.0));
        assert_eq!(cpu_seconds_in("7 (a"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_processor_time() {
        assert!(cpu_seconds(std::process::id()).is_some_and(|seconds| seconds >= 0.0));
    }
}
