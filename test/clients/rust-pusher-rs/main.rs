//! Uses the crate `pusher-rs` as its users do, against a running server, and prints one JSON line per check.
//!
//! Left out, each for a reason in its source (0.1.3):
//! - presence: `subscribe_with_auth` sends no `channel_data`; its signer puts that behind the signature instead.
//! - encrypted: its decryption is private, never called, and of another cipher.
//! - client-event: its `trigger` is a request to Pusher's own host; it sends no event on the connection.
//! - restart: a closed connection stays closed, whatever `max_reconnection_attempts` says.
//! - wrong-key: it drops `pusher:error`, because its `Event` wants data as a string, and the close code as well.

use pusher_rs::{ConnectionState, Event, PusherAuth, PusherClient, PusherConfig};
use reporting::{Outcome, Stage, check, env, equal, expect, print_library, text, until};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

/// It has no way to hear every event, only those of a name.
const HEARD_EVENTS: [&str; 7] = [
    "pusher:connection_established",
    "pusher:subscription_error",
    "pusher_internal:subscription_succeeded",
    "greeting",
    "digits",
    "gone",
    "still-here",
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    print_library("pusher-rs", include_str!("Cargo.lock"));
    let stage = Stage::from_environment();
    let mut client = Client::new().await;
    check("connect", connect(&mut client)).await;
    check("public", public(&stage, &mut client)).await;
    check("private", private(&stage, &mut client)).await;
    check("unsubscribe", unsubscribe(&stage, &mut client)).await;
    check("refused", refused(&mut client)).await;
    check("silence", silence(&stage, &mut client)).await;
}

async fn connect(client: &mut Client) -> Outcome {
    client.pusher.connect().await?;
    let socket_id = client.socket_id().await?;
    let parts: Vec<Result<u64, _>> = socket_id.split('.').map(str::parse).collect();
    expect(matches!(parts[..], [Ok(_), Ok(_)]), "a socket id", &socket_id.clone().into())?;
    equal(ConnectionState::Connected, client.pusher.get_connection_state().await)
}

async fn public(stage: &Stage, client: &mut Client) -> Outcome {
    client.pusher.subscribe("rust-public").await?;
    client.subscribed("rust-public").await?;
    client.arrives(stage, "rust-public", "greeting", data()).await?;
    // A text that would be a number if somebody had parsed it once too often.
    client.arrives(stage, "rust-public", "digits", json!("42")).await
}

/// With the signature of the application, and with one that the library makes itself.
async fn private(stage: &Stage, client: &mut Client) -> Outcome {
    let socket_id = client.socket_id().await?;
    let asked = json!({ "socket_id": socket_id, "channel_name": "private-rust-asked" });
    let answer = stage.post("/auth", asked).await?;
    let own = PusherAuth::new(&env("BELFRY_APP_KEY"), &env("BELFRY_APP_SECRET"));
    let signed = own.authenticate_socket(&socket_id, "private-rust-signed")?;
    for (channel, auth) in [("private-rust-asked", text(&answer["auth"])), ("private-rust-signed", &signed)] {
        client.pusher.subscribe_with_auth(channel, auth).await?;
        client.subscribed(channel).await?;
        client.arrives(stage, channel, "greeting", data()).await?;
    }
    Ok(())
}

async fn unsubscribe(stage: &Stage, client: &mut Client) -> Outcome {
    client.pusher.subscribe("rust-left").await?;
    client.subscribed("rust-left").await?;
    client.pusher.unsubscribe("rust-left").await?;
    // An answer to what was sent later: the server has taken the unsubscribe.
    client.pusher.subscribe("rust-stayed").await?;
    client.subscribed("rust-stayed").await?;
    stage.trigger("rust-left", "gone", &data()).await?;
    client.arrives(stage, "rust-stayed", "still-here", data()).await?;
    sleep(Duration::from_millis(300)).await;
    equal(Vec::<Value>::new(), client.heard("rust-left", "gone"))
}

async fn refused(client: &mut Client) -> Outcome {
    let auth = format!("{}:{}", env("BELFRY_APP_KEY"), "0".repeat(64));
    client.pusher.subscribe_with_auth("private-rust-refused", &auth).await?;
    let error = client.next("private-rust-refused", "pusher:subscription_error").await?;
    expect(error["type"] == "AuthError" && error["status"] == 401, "the refusal of a signature", &error)?;
    equal(ConnectionState::Connected, client.pusher.get_connection_state().await)
}

/// It leaves `pusher:ping` unanswered. The ping frame that goes with it is answered, and any frame counts as life.
async fn silence(stage: &Stage, client: &mut Client) -> Outcome {
    client.pusher.subscribe("rust-silent").await?;
    client.subscribed("rust-silent").await?;
    let heartbeat = stage.post("/heartbeat", json!({})).await?;
    let timeout_seconds = heartbeat["activityTimeoutSeconds"].as_u64().ok_or("no activity timeout")?;
    sleep(Duration::from_secs(2 * timeout_seconds + 2)).await;
    equal(ConnectionState::Connected, client.pusher.get_connection_state().await)?;
    client.arrives(stage, "rust-silent", "greeting", data()).await?;
    // Still the only connection: there is one socket id.
    client.socket_id().await.map(|_| ())
}

fn data() -> Value {
    json!({ "text": "grüß dich, 世界", "number": 7, "list": [1, { "deep": true }] })
}

/// The library's client, and everything that it handed over.
struct Client {
    pusher: PusherClient,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Client {
    async fn new() -> Self {
        let config = PusherConfig {
            app_key: env("BELFRY_APP_KEY"),
            host: Some(format!("{}:{}", env("BELFRY_HOST"), env("BELFRY_PORT"))),
            use_tls: false,
            ..PusherConfig::default()
        };
        let client = Self { pusher: PusherClient::new(config).expect("a client"), events: Arc::default() };
        for name in HEARD_EVENTS {
            let events = client.events.clone();
            let add = move |event| events.lock().expect("the log").push(event);
            client.pusher.bind(name, add).await.expect("a handler");
        }
        client
    }

    /// Its `get_socket_id` never has one: it looks for an object where its own type has already made a string of it.
    async fn socket_id(&self) -> Outcome<String> {
        let established = self.next("", "pusher:connection_established").await?;
        Ok(text(&established["socket_id"]).to_string())
    }

    async fn subscribed(&self, channel: &str) -> Outcome {
        equal(json!({}), self.next(channel, "pusher_internal:subscription_succeeded").await?)
    }

    async fn arrives(&self, stage: &Stage, channel: &str, event: &str, data: Value) -> Outcome {
        stage.trigger(channel, event, &data).await?;
        equal(data, self.next(channel, event).await?)
    }

    /// The data of the only event of this name on this channel.
    async fn next(&self, channel: &str, event: &str) -> Outcome<Value> {
        let heard = || Some(self.heard(channel, event)).filter(|heard| !heard.is_empty());
        let heard = until(&format!("{event} on {channel:?}"), heard).await?;
        equal(1, heard.len())?;
        Ok(heard[0].clone())
    }

    /// What came on this channel; of no channel, ''.
    fn heard(&self, channel: &str, event: &str) -> Vec<Value> {
        let events = self.events.lock().expect("the log");
        let wanted = |heard: &&Event| heard.event == event && heard.channel.as_deref().unwrap_or("") == channel;
        events.iter().filter(wanted).map(|heard| heard.data.clone()).collect()
    }
}
