//! What happens to the connections of a function that is frozen between two calls: the other end closes them, and the function
//! learns of it only when it sends the next request. The functions' wire tests share it by path.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The address of a service that does what the one at `service` does, and offers to keep each connection for further requests. A
/// connection is lost together with the second request on it.
pub(crate) async fn freezing(service: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                // A client that hangs up in the middle is part of some scenarios.
                let _ = exchange(client, service).await;
            });
        }
    });
    address
}

async fn exchange(mut client: TcpStream, service: SocketAddr) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let mut upstream = TcpStream::connect(service).await?;
    upstream.write_all(&request).await?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer).unwrap().replace("Connection: close", "Connection: keep-alive");
    client.write_all(answer.as_bytes()).await?;
    // The next request, or the end of the connection.
    client.read_buf(&mut Vec::new()).await?;
    Ok(())
}

/// Whether a request has all of the body that its head announces.
fn is_whole(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    request.len() >= head + 4 + length
}
