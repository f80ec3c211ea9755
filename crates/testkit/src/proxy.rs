//! A TCP proxy between a client and a server that delays, drops, or holds data, or cuts connections.

use anyhow::Context;
use parking_lot::Mutex;
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

/// Limit of chunks in flight in each direction of a connection. Beyond it the sender waits, as with TCP.
const IN_FLIGHT: usize = 1_024;
/// Size of a read in bytes.
const CHUNK: usize = 64 * 1024;

/// Direction of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// Treatment of a chunk of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Forward it.
    Pass,
    /// Drop it and keep the connection.
    Lose,
    /// Drop it and all later data in this direction of the connection, and keep the connection.
    Mute,
    /// Drop it and end the connection.
    Cut,
    /// Hold it and all later data, in both directions, until [`Proxy::release`]: a blackhole.
    Hold,
}

/// Listens on a port of 127.0.0.1 and forwards every connection to a server on another port. Ends when dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

type Judge = Box<dyn FnMut(Way, &[u8]) -> Fate + Send>;

struct Shared {
    target: u16,
    line: watch::Sender<Line>,
    judge: Mutex<Judge>,
}

/// Present state of the proxy.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    delay: Duration,
    to_server_held: bool,
    to_client_held: bool,
    /// Connections of earlier generations are cut.
    generation: u64,
    accepted: u64,
}

impl Proxy {
    /// Starts a proxy for the port `target` of 127.0.0.1, which need not be open yet.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn start(target: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a proxy")?;
        let port = listener.local_addr()?.port();
        let judge = Mutex::new(Box::new(|_: Way, _: &[u8]| Fate::Pass) as Judge);
        let shared = Arc::new(Shared { target, line: watch::Sender::new(Line::default()), judge });
        let listening = tokio::spawn(listen(listener, shared.clone()));
        Ok(Self { port, shared, listening })
    }

    /// Port of the proxy on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Delays every byte by this long in each direction.
    pub fn delay(&self, each_way: Duration) {
        self.shared.line.send_modify(|line| line.delay = each_way);
    }

    /// Ends every open connection.
    pub fn cut(&self) {
        self.shared.line.send_modify(|line| line.generation += 1);
    }

    /// Holds all data in this direction, on open and on new connections: a blackhole.
    pub fn hold(&self, way: Way) {
        self.shared.hold(way);
    }

    /// Forwards data again, beginning with the held data.
    pub fn release(&self) {
        self.shared.line.send_modify(|line| (line.to_server_held, line.to_client_held) = (false, false));
    }

    /// Number of accepted connections.
    pub fn accepted(&self) -> u64 {
        self.shared.line.borrow().accepted
    }

    /// Calls `judge` for every chunk from now on. A small message that its sender flushes is one chunk.
    pub fn judge(&self, judge: impl FnMut(Way, &[u8]) -> Fate + Send + 'static) {
        *self.shared.judge.lock() = Box::new(judge);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

impl Shared {
    fn hold(&self, way: Way) {
        self.line.send_modify(|line| match way {
            Way::ToServer => line.to_server_held = true,
            Way::ToClient => line.to_client_held = true,
        });
    }

    fn fate(&self, way: Way, chunk: &[u8]) -> Fate {
        (self.judge.lock())(way, chunk)
    }
}

impl Line {
    fn is_held(&self, way: Way) -> bool {
        match way {
            Way::ToServer => self.to_server_held,
            Way::ToClient => self.to_client_held,
        }
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        shared.line.send_modify(|line| line.accepted += 1);
        tokio::spawn(connect(client, shared.clone()));
    }
}

/// Serves one connection until either side or a cut ends it. Ends it immediately if the server is down.
async fn connect(client: TcpStream, shared: Arc<Shared>) {
    let mut line = shared.line.subscribe();
    let generation = line.borrow().generation;
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.target)).await else { return };
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = carry(Way::ToServer, from_client, to_server, &shared) => {}
        () = carry(Way::ToClient, from_server, to_client, &shared) => {}
        _ = line.wait_for(|line| line.generation > generation) => {}
    }
}

async fn carry(way: Way, from: OwnedReadHalf, to: OwnedWriteHalf, shared: &Shared) {
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    tokio::join!(take_in(way, from, sender, shared), give_out(way, to, receiver, shared));
}

async fn take_in(way: Way, mut from: OwnedReadHalf, chunks: mpsc::Sender<(Instant, Vec<u8>)>, shared: &Shared) {
    let mut buffer = vec![0; CHUNK];
    let mut is_mute = false;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if is_mute {
            continue;
        }
        match shared.fate(way, &buffer[..length]) {
            Fate::Pass => {}
            Fate::Lose => continue,
            Fate::Mute => {
                is_mute = true;
                continue;
            }
            Fate::Cut => return,
            Fate::Hold => [Way::ToServer, Way::ToClient].into_iter().for_each(|way| shared.hold(way)),
        }
        let due = Instant::now() + shared.line.borrow().delay;
        if chunks.send((due, buffer[..length].to_vec())).await.is_err() {
            return;
        }
    }
}

async fn give_out(way: Way, mut to: OwnedWriteHalf, mut chunks: mpsc::Receiver<(Instant, Vec<u8>)>, shared: &Shared) {
    let mut line = shared.line.subscribe();
    while let Some((due, chunk)) = chunks.recv().await {
        tokio::time::sleep_until(due).await;
        if line.wait_for(|line| !line.is_held(way)).await.is_err() || to.write_all(&chunk).await.is_err() {
            return;
        }
    }
}
