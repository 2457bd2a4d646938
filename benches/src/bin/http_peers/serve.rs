//! The peers' servers over tokio: one by hand, one with hyper.

use core::convert::Infallible;
use core::net::SocketAddr;
use std::io;

use clap::ValueEnum;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// tokio: the head is parsed by httparse, the answer put together by hand.
    Tokio,
    /// hyper over tokio.
    Hyper,
}

/// A head that is longer is refused.
const MOST: usize = 1 << 20;

/// Serves until the process is ended.
///
/// # Errors
///
/// If it cannot listen at `address`.
pub(crate) fn run(
    server: Server,
    address: SocketAddr,
    workers: Option<usize>,
) -> Result<(), String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    let runtime = builder.enable_all().build().map_err(|error| format!("no runtime: {error}"))?;
    let listening = async move { joined(tokio::spawn(listen(server, address))).await };
    runtime.block_on(listening).map_err(|error| format!("cannot serve at {address}: {error}"))
}

async fn joined<T>(task: tokio::task::JoinHandle<T>) -> T {
    task.await.expect("no task panics")
}

async fn listen(server: Server, address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // A connection that fails harms no other.
        match server {
            Server::Tokio => drop(tokio::spawn(by_hand(stream))),
            Server::Hyper => drop(tokio::spawn(by_hyper(stream))),
        }
    }
}

async fn by_hand(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        while let Some(length) = head(&buffer)? {
            buffer.drain(..length);
            stream.write_all(&answer(b"hello")).await?;
        }
        if stream.read_buf(&mut buffer).await? == 0 || buffer.len() > MOST {
            return Ok(());
        }
    }
}

/// Put together for each request, as gosched's example does.
fn answer(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut answer = head.into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// The length of a request's head at the beginning of `buffer`, if it is whole. Requests have no
/// bodies here.
fn head(buffer: &[u8]) -> io::Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => Ok(Some(length)),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}

async fn by_hyper(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello));
    connection.await.map_err(io::Error::other)
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"hello"))))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener as Listener;
    use std::net::TcpStream as Stream;
    use std::time::Duration;

    use super::*;

    /// A server on a thread that lives as long as the tests.
    fn serving(server: Server) -> Stream {
        let listener = Listener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        drop(listener);
        std::thread::spawn(move || run(server, address, Some(1)));
        for _ in 0..200 {
            if let Ok(stream) = Stream::connect(address) {
                return stream;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no server at {address}");
    }

    #[test]
    fn two_requests_on_one_connection_have_two_answers() {
        for server in [Server::Tokio, Server::Hyper] {
            let mut stream = serving(server);
            // The first in two parts, the second together with its end.
            stream.write_all(b"GET / HTTP/1.1\r\nHost:").expect("sent");
            std::thread::sleep(Duration::from_millis(5));
            let rest = b" a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
            stream.write_all(rest).expect("sent");
            stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
            let mut text = String::new();
            while text.matches("\r\n\r\nhello").count() < 2 {
                let mut part = [0; 1024];
                let length = stream.read(&mut part).expect("an answer");
                assert_ne!(length, 0, "{server:?}: {text}");
                text += core::str::from_utf8(&part[..length]).expect("text");
            }
            assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{server:?}: {text}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert!(head(b"\x01\x02\r\n\r\n").is_err());
        assert_eq!(head(b"GET / HTTP/1.1\r\n").expect("a part"), None);
    }
}
