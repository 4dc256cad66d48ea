//! A connection to an emulator that loses requests and replies, as networks do. It listens on the loopback and passes on
//! what it does not lose.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It arrives and is done; the connection breaks before the reply.
    ReplyLost,
    /// It does not arrive.
    RequestLost,
    /// It is refused with this status and code, and does not arrive.
    Answered(u16, &'static str),
    /// It is answered with this JSON, and does not arrive.
    Replied(String),
}

/// Faults of one method's next requests, in their order; later requests, and those of other methods, pass.
#[derive(Debug, Clone)]
pub(crate) struct FaultyConnection {
    address: SocketAddr,
    plan: Arc<Mutex<(&'static str, VecDeque<Fault>)>>,
}

impl FaultyConnection {
    /// A way to the server that loses nothing yet.
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let connection = FaultyConnection { address, plan: Arc::default() };
        let plan = connection.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let plan = plan.clone();
                // Whoever breaks off does what this connection is for.
                tokio::spawn(async move { plan.pass(client, server).await.unwrap_or_default() });
            }
        });
        connection
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Plans what becomes of a method's next requests.
    pub(crate) fn plan(&self, method: &'static str, faults: &[Fault]) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = (method, faults.iter().cloned().collect());
    }

    /// How many of the planned faults no request has met.
    pub(crate) fn left(&self) -> usize {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).1.len()
    }

    /// The fault that a request meets whose first bytes these are.
    fn met(&self, bytes: &[u8]) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let (method, faults) = &mut *plan;
        let begins = bytes.strip_prefix(method.as_bytes()).is_some_and(|rest| rest.starts_with(b" /"));
        if begins { faults.pop_front() } else { None }
    }

    async fn pass(&self, mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
        let mut server = TcpStream::connect(server).await?;
        let (mut request, mut reply) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut lost = false;
        loop {
            tokio::select! {
                read = client.read(&mut request) => {
                    let bytes = &request[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    match self.met(bytes) {
                        Some(Fault::RequestLost) => return Ok(()),
                        Some(Fault::Answered(status, code)) => return answer(client, status, &refusal(code)).await,
                        Some(Fault::Replied(body)) => return answer(client, 200, &body).await,
                        Some(Fault::ReplyLost) => lost = true,
                        None => {}
                    }
                    server.write_all(bytes).await?;
                }
                read = server.read(&mut reply) => {
                    let bytes = &reply[..read?];
                    if bytes.is_empty() || lost {
                        return Ok(());
                    }
                    client.write_all(bytes).await?;
                }
            }
        }
    }
}

/// What S3 says when it refuses.
fn refusal(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>planned</Message></Error>")
}

/// Answers, and waits until the client hangs up: it may still be sending.
async fn answer(mut client: TcpStream, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Planned\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    client.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut rest = vec![0; 1 << 16];
    while client.read(&mut rest).await? > 0 {}
    Ok(())
}
