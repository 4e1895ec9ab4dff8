//! What the programs in Rust have in common: how they report, how they ask the stage, how they wait.

use serde_json::{Value, json};
use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const DEADLINE: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// The first line of the contract. A crate does not tell its version; the lock file, which no build changes, does.
pub fn print_library(name: &str, lock_file: &str) {
    let entry = lock_file.split("[[package]]").find(|entry| entry.contains(&format!("name = \"{name}\"\n")));
    let version = entry.and_then(|entry| entry.split("version = \"").nth(1)?.split('"').next());
    println!("{}", json!({ "library": name, "version": version.unwrap_or("unknown") }));
}

pub async fn check(name: &str, checking: impl Future<Output = Outcome>) {
    match checking.await {
        Ok(()) => println!("{}", json!({ "check": name, "ok": true })),
        Err(problem) => println!("{}", json!({ "check": name, "ok": false, "detail": problem.to_string() })),
    }
}

pub fn equal<T: PartialEq + Debug>(wanted: T, seen: T) -> Outcome {
    if wanted == seen { Ok(()) } else { Err(format!("wanted {wanted:?}, saw {seen:?}").into()) }
}

pub fn expect(holds: bool, wanted: &str, seen: &Value) -> Outcome {
    if holds { Ok(()) } else { Err(format!("wanted {wanted}, saw {seen}").into()) }
}

/// Asks again and again until there is an answer.
pub async fn until<T>(what: &str, ask: impl Fn() -> Option<T>) -> Outcome<T> {
    let ends_at = Instant::now() + DEADLINE;
    loop {
        match ask() {
            Some(answer) => return Ok(answer),
            None if Instant::now() > ends_at => return Err(format!("not within {DEADLINE:?}: {what}").into()),
            None => tokio::time::sleep(ASK_AGAIN).await,
        }
    }
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// The harness: it publishes, signs, and has raw connections of its own that tell what arrived.
pub struct Stage {
    url: String,
    http: reqwest::Client,
}

impl Stage {
    pub fn from_environment() -> Self {
        Self { url: env("STAGE_URL"), http: reqwest::Client::new() }
    }

    pub async fn post(&self, path: &str, body: Value) -> Outcome<Value> {
        let response = self.http.post(format!("{}{path}", self.url)).json(&body).send().await?;
        let status = response.status();
        if status != 200 {
            return Err(format!("{path} answered {status} {}", response.text().await?).into());
        }
        Ok(response.json().await?)
    }

    pub async fn trigger(&self, channel: &str, event: &str, data: &Value) -> Outcome {
        self.post("/trigger", json!({ "channel": channel, "event": event, "data": data })).await?;
        Ok(())
    }

    pub async fn observe(&self, channels: &[&str]) -> Outcome<Value> {
        self.post("/observe", json!({ "channels": channels })).await
    }

    pub async fn events(&self, observer: &Value, channel: &str, event: &str, wait_ms: u32) -> Outcome<Vec<Value>> {
        let body = json!({ "observer": observer["observer"], "channel": channel, "event": event, "waitMs": wait_ms });
        Ok(self.post("/seen", body).await?["events"].as_array().cloned().unwrap_or_default())
    }

    /// The data of the one event of this name that the observer has received.
    pub async fn seen(&self, observer: &Value, channel: &str, event: &str) -> Outcome<String> {
        let events = self.events(observer, channel, event, 3000).await?;
        match events.as_slice() {
            [one] if one["data"].is_string() => Ok(text(&one["data"]).to_string()),
            _ => Err(format!("wanted one {event} on {channel} with a string, saw {events:?}").into()),
        }
    }

    /// Uses what a library signed on the observer's real connection; the server's answer decides.
    pub async fn subscribes(&self, observer: &Value, channel: &str, mut auth: Value) -> Outcome {
        auth["observer"] = observer["observer"].clone();
        auth["channel"] = channel.into();
        let answer = self.post("/subscribe", auth).await?;
        expect(answer["ok"] == true, "a subscription", &answer)
    }
}
