//! A client and a server of the async world, as they are: hyper, over this crate's sockets.
//!
//! hyper knows nothing of goroutines. It is given sockets that implement futures-io's traits, and
//! its futures are waited for by `block_on`, or run as goroutines without a stack.
//!
//! ```text
//! cargo run --release -p gosched-runtime --features futures-io --example hyper
//! cargo run --release -p gosched-runtime --features futures-io --example hyper -- 127.0.0.1:8080
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use gosched_runtime::net::{TcpListener, TcpStream};
use gosched_runtime::{JoinHandle, Migrating, Runtime, block_on, go, go_future};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use smol_hyper::rt::FuturesIo;

type Failure = Box<dyn Error + Send + Sync>;

/// How many clients there are, and how many requests each makes.
const CLIENTS: usize = 16;
const REQUESTS: usize = 500;

/// The server's answer: `hello` to a GET, its body to a POST.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = match *request.method() {
        Method::POST => request.into_body().collect().await?.to_bytes(),
        _ => Bytes::from_static(b"hello"),
    };
    Ok(Response::new(Full::new(body)))
}

/// Accepts connections, each for a future of its own.
fn serve(listener: &TcpListener) {
    while let Ok((stream, _)) = listener.accept() {
        drop(go_future(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(answer);
            let connection = hyper::server::conn::http1::Builder::new();
            // A connection that fails harms no other.
            let _ = connection.serve_connection(FuturesIo::new(stream), service).await;
        }));
    }
}

/// One client: a goroutine in blocking style, whose connection is driven by a future beside it.
fn visit(address: std::net::SocketAddr, id: usize) -> Result<usize, Failure> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        block_on(hyper::client::conn::http1::handshake(FuturesIo::new(stream)))?;
    let driver = go_future(async move { connection.await.map_err(Failure::from) });
    for number in 0..REQUESTS {
        let text = format!("client {id}, request {number}");
        let request = Request::post("/")
            .header(hyper::header::HOST, "localhost")
            .body(Full::new(Bytes::from(text.clone())))?;
        let response = block_on(sender.send_request(request))?;
        let body = block_on(response.into_body().collect())?.to_bytes();
        assert_eq!(body, text.as_bytes(), "an echo");
    }
    // Without a sender the connection ends.
    drop(sender);
    driver.join_or_unwind()?;
    Ok(REQUESTS)
}

fn main() -> Result<(), Failure> {
    // SAFETY: nothing here keeps anything of its thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().migrating(migrating).build()?;
    if let Some(address) = std::env::args().nth(1) {
        return runtime.run(move || -> Result<(), Failure> {
            let listener = TcpListener::bind(&*address)?;
            println!("listening on http://{}", listener.local_addr()?);
            serve(&listener);
            Ok(())
        })?;
    }
    let begin = Instant::now();
    let answered = runtime.run(|| -> Result<usize, Failure> {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
        let address = listener.local_addr()?;
        let server = go({
            let listener = Arc::clone(&listener);
            move || serve(&listener)
        });
        let clients = (0..CLIENTS).map(|id| go(move || visit(address, id)));
        let clients: Vec<JoinHandle<Result<usize, Failure>>> = clients.collect();
        let mut answered = 0;
        for client in clients {
            answered += client.join_or_unwind()?;
        }
        listener.close();
        server.join_or_unwind();
        Ok(answered)
    })??;
    println!("hyper has answered {answered} requests of hyper in {:.1?}", begin.elapsed());
    assert_eq!(answered, CLIENTS * REQUESTS);
    Ok(())
}
