//! A program that is scraped: a counter that falls, values that are no numbers, a series that is gone after a few
//! scrapes. Who asks for protobuf gets native histograms as well.

use anyhow::{Context, Result};
use testkit::protobuf::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const TEXT: &str = "text/plain; version=0.0.4";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
const CAKE: &str = "žluťoučký 🐎 \"cake\"";

/// It serves until it is dropped.
pub(crate) struct Shop {
    pub(crate) address: String,
    serving: JoinHandle<()>,
}

impl Shop {
    pub(crate) async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the shop")?;
        let address = listener.local_addr()?.to_string();
        let serving = tokio::spawn(async move {
            let mut scrapes = 0;
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // A scrape's request fits into one packet; one that is not read at all is answered by nothing.
                let read = connection.read(&mut request).await.unwrap_or_default();
                if read == 0 {
                    continue;
                }
                scrapes += 1;
                let wants = String::from_utf8_lossy(&request[..read]).contains("vnd.google.protobuf");
                let (kind, body) = match wants {
                    true => (PROTOBUF, protobuf(scrapes)),
                    false => (TEXT, text(scrapes).into_bytes()),
                };
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                // Who hangs up scrapes again.
                _ = connection.write_all(&[head.as_bytes(), &body].concat()).await;
            }
        });
        Ok(Self { address, serving })
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Each seventh scrape begins anew.
fn sold(scrape: u64) -> u64 {
    scrape % 7 * 10
}

fn text(scrape: u64) -> String {
    let door = if scrape <= 4 { "shop_open{door=\"back\"} 1\n" } else { "" };
    let (cake, sold) = (CAKE.replace('"', "\\\""), sold(scrape));
    format!(
        "# TYPE shop_orders_total counter\nshop_orders_total{{what=\"{cake}\"}} {sold}\n\
         # TYPE shop_open gauge\nshop_open{{door=\"front\"}} 1\n{door}\
         # TYPE shop_oddity gauge\nshop_oddity{{is=\"nan\"}} NaN\nshop_oddity{{is=\"inf\"}} +Inf\n\
         shop_oddity{{is=\"less\"}} -{scrape}.5e-3\n"
    )
}

/// The counter and two native histograms, as messages of the type MetricFamily.
fn protobuf(scrape: u64) -> Vec<u8> {
    const COUNTER: u64 = 0;
    const HISTOGRAM: u64 = 4;
    let family = |name: &str, kind: u64| Message::new().text(1, name).number(3, kind);
    let label = |name: &str, value: &str| Message::new().text(1, name).text(2, value);
    let orders = Message::new()
        .message(1, &label("what", CAKE))
        .message(3, &Message::new().double(1, sold(scrape) as f64));
    let of_till = |till: &str, count: u64| {
        Message::new().message(1, &label("till", till)).message(7, &histogram(count))
    };
    let mut body = family("shop_orders_total", COUNTER).message(4, &orders).delimited();
    // One only grows, the other begins anew.
    let seconds = family("shop_seconds", HISTOGRAM)
        .message(4, &of_till("left", 1_000 + 3 * scrape))
        .message(4, &of_till("right", 1_000 + sold(scrape)));
    body.extend(seconds.delimited());
    body
}

/// Schema 2, eight tenths of what was seen in four buckets above zero, a tenth at zero and a tenth below it.
fn histogram(tens: u64) -> Message {
    let signed = |number: i64| ((number << 1) ^ (number >> 63)).cast_unsigned();
    let span = |offset: i64, length: u64| Message::new().number(1, signed(offset)).number(2, length);
    let few = i64::try_from(tens).unwrap_or(i64::MAX);
    Message::new()
        .number(1, 10 * tens)
        .double(2, 12.5 * tens as f64)
        .number(5, signed(2))
        .double(6, 1e-3)
        .number(7, tens)
        .message(9, &span(-3, 1))
        .numbers(10, &[signed(few)])
        .message(12, &span(0, 2))
        .message(12, &span(3, 2))
        .numbers(13, &[signed(few), signed(2 * few), signed(-2 * few), signed(2 * few)])
}
