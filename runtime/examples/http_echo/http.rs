//! As much of HTTP/1.1 as an echo needs: heads are `httparse`'s affair, bodies have a length.

use std::io::{self, ErrorKind, Read};

use gosched_runtime::net::TcpStream;

/// The most a head may have, and a body.
const MOST: usize = 1 << 20;

/// A connection, and what was read of it beyond the last message.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A message's head, as far as it matters here.
struct Head {
    length: usize,
    body: usize,
    is_post: bool,
    is_last: bool,
}

/// A message.
pub(crate) struct Message {
    pub(crate) body: Vec<u8>,
    pub(crate) is_post: bool,
    /// Whether the peer closes after it.
    pub(crate) is_last: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::with_capacity(4096) }
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The next request. `None` when the peer has closed between two.
    pub(crate) fn read(&mut self) -> io::Result<Option<Message>> {
        self.read_by(request_head)
    }

    /// The next response.
    pub(crate) fn read_response(&mut self) -> io::Result<Option<Message>> {
        self.read_by(response_head)
    }

    fn read_by(
        &mut self,
        parse: fn(&[u8]) -> io::Result<Option<Head>>,
    ) -> io::Result<Option<Message>> {
        loop {
            if let Some(head) = parse(&self.buffer)? {
                let end = head.length + head.body;
                while self.buffer.len() < end {
                    if self.fill()? == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                let body = self.buffer[head.length..end].to_vec();
                self.buffer.drain(..end);
                let (is_post, is_last) = (head.is_post, head.is_last);
                return Ok(Some(Message { body, is_post, is_last }));
            }
            if self.buffer.len() > MOST {
                return Err(invalid("the head is too long"));
            }
            if self.fill()? == 0 {
                let clean = self.buffer.is_empty();
                return if clean { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Reads more. How many bytes; 0 at the end.
    fn fill(&mut self) -> io::Result<usize> {
        let mut part = [0; 4096];
        let count = self.stream.read(&mut part)?;
        self.buffer.extend_from_slice(&part[..count]);
        Ok(count)
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn request_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(bytes).map_err(|error| invalid(&error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let is_post = request.method == Some("POST");
    head(length, is_post, request.headers).map(Some)
}

fn response_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| invalid(&error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    head(length, false, response.headers).map(Some)
}

fn head(length: usize, is_post: bool, headers: &[httparse::Header<'_>]) -> io::Result<Head> {
    let mut head = Head { length, body: 0, is_post, is_last: false };
    for header in headers {
        let value = String::from_utf8_lossy(header.value);
        if header.name.eq_ignore_ascii_case("content-length") {
            let parsed = value.trim().parse().ok().filter(|&body| body <= MOST);
            head.body = parsed.ok_or_else(|| invalid("the body's length makes no sense"))?;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.is_last = value.trim().eq_ignore_ascii_case("close");
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(invalid("a body without a length"));
        }
    }
    Ok(head)
}
