//! A client that sends one request after the other, and checks each answer.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Instant;

use gosched_runtime::net::TcpStream;

use crate::http::Connection;

/// Sends requests until that time. How many were answered rightly.
pub(crate) fn run(address: SocketAddr, id: usize, until: Instant) -> io::Result<u64> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut connection = Connection::new(stream);
    let mut answered = 0;
    while Instant::now() < until {
        let body = format!("client {id}, request {answered}");
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.stream().write_all(request.as_bytes())?;
        let answer = connection.read_response()?.ok_or(ErrorKind::UnexpectedEof)?;
        assert_eq!(answer.body, body.as_bytes(), "an echo");
        answered += 1;
    }
    Ok(answered)
}
