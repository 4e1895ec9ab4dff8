//! Uses the crate `pushers` as its users do, against a running server, and prints one JSON line per check.
//!
//! Its reads (`channels`, `channel`, `users`) are its signed `get`. Left out: user-event, because `send_to_user` of
//! 1.5.0 makes the name `#server-to-user-ID` and then refuses it as an invalid channel name.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use pushers::{Channel, Config, Pusher, PusherError, TriggerParams, WebhookEvent, events::BatchEvent};
use reporting::{Outcome, Stage, check, env, equal, expect, print_library, text};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sonic_rs::json as sonic;
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    print_library("pushers", include_str!("Cargo.lock"));
    let stage = Stage::from_environment();
    let pusher = pusher_with(&env("BELFRY_APP_SECRET"));
    check("trigger", trigger(&stage, &pusher)).await;
    check("trigger-multi", trigger_multi(&stage, &pusher)).await;
    check("trigger-exclude", trigger_exclude(&stage, &pusher)).await;
    check("trigger-batch", trigger_batch(&stage, &pusher)).await;
    check("trigger-info", trigger_info(&stage, &pusher)).await;
    check("channels", channels(&stage, &pusher)).await;
    check("channel", channel(&stage, &pusher)).await;
    check("users", users(&stage, &pusher)).await;
    check("auth-private", auth_private(&stage, &pusher)).await;
    check("auth-presence", auth_presence(&stage, &pusher)).await;
    check("auth-encrypted", auth_encrypted(&stage, &pusher)).await;
    check("auth-user", auth_user(&stage, &pusher)).await;
    check("terminate", terminate(&stage, &pusher)).await;
    check("encrypted-trigger", encrypted_trigger(&stage, &pusher)).await;
    check("webhook", webhook(&stage, &pusher)).await;
    check("wrong-secret", wrong_secret()).await;
}

async fn trigger(stage: &Stage, pusher: &Pusher) -> Outcome {
    let observer = stage.observe(&["rust-http-trigger"]).await?;
    let data = json!({ "text": "grüß dich, 世界", "number": 7 });
    let channels = [Channel::from_string("rust-http-trigger")?];
    let response = pusher.trigger(&channels, "greeting", data.to_string(), None).await?;
    equal(json!({}), response.json().await?)?;
    equal(data, serde_json::from_str(&stage.seen(&observer, "rust-http-trigger", "greeting").await?)?)
}

async fn trigger_multi(stage: &Stage, pusher: &Pusher) -> Outcome {
    let names = ["rust-http-multi-1", "rust-http-multi-2"];
    let observer = stage.observe(&names).await?;
    let channels: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    pusher.trigger_on_channels(&channels, "greeting", "to both", None).await?;
    for name in names {
        equal("to both".to_string(), stage.seen(&observer, name, "greeting").await?)?;
    }
    Ok(())
}

async fn trigger_exclude(stage: &Stage, pusher: &Pusher) -> Outcome {
    let name = "rust-http-exclude";
    let excluded = stage.observe(&[name]).await?;
    let other = stage.observe(&[name]).await?;
    let channels = [Channel::from_string(name)?];
    let params = TriggerParams::builder().socket_id(text(&excluded["socketId"])).build();
    pusher.trigger(&channels, "hidden", "x", Some(params)).await?;
    pusher.trigger(&channels, "marker", "y", None).await?;
    equal("x".to_string(), stage.seen(&other, name, "hidden").await?)?;
    equal("y".to_string(), stage.seen(&excluded, name, "marker").await?)?;
    // The marker was published later and has arrived, so a short wait is enough for the event that must not.
    equal(Vec::<Value>::new(), stage.events(&excluded, name, "hidden", 200).await?)
}

async fn trigger_batch(stage: &Stage, pusher: &Pusher) -> Outcome {
    let observer = stage.observe(&["rust-http-batch-1", "rust-http-batch-2"]).await?;
    let batch = vec![
        BatchEvent::new("first", "rust-http-batch-1", sonic!({ "n": "one" })),
        BatchEvent::new("second", "rust-http-batch-2", sonic!({ "n": "two" })),
    ];
    equal(json!({}), pusher.trigger_batch(batch).await?.json().await?)?;
    equal(r#"{"n":"one"}"#.to_string(), stage.seen(&observer, "rust-http-batch-1", "first").await?)?;
    equal(r#"{"n":"two"}"#.to_string(), stage.seen(&observer, "rust-http-batch-2", "second").await?)
}

async fn trigger_info(stage: &Stage, pusher: &Pusher) -> Outcome {
    stage.observe(&["rust-http-info"]).await?;
    let channels = [Channel::from_string("rust-http-info")?];
    let params = TriggerParams::builder().info("subscription_count").build();
    let response = pusher.trigger(&channels, "greeting", "x", Some(params)).await?;
    equal(json!({ "channels": { "rust-http-info": { "subscription_count": 1 } } }), response.json().await?)
}

async fn channels(stage: &Stage, pusher: &Pusher) -> Outcome {
    stage.observe(&["presence-rust-http-list"]).await?;
    let query = BTreeMap::from([
        ("filter_by_prefix".to_string(), "presence-rust-http-list".to_string()),
        ("info".to_string(), "user_count".to_string()),
    ]);
    let body = pusher.get("/channels", Some(&query)).await?.json().await?;
    equal(json!({ "channels": { "presence-rust-http-list": { "user_count": 1 } } }), body)
}

async fn channel(stage: &Stage, pusher: &Pusher) -> Outcome {
    stage.observe(&["rust-http-one"]).await?;
    let query = BTreeMap::from([("info".to_string(), "subscription_count".to_string())]);
    let body = pusher.get("/channels/rust-http-one", Some(&query)).await?.json().await?;
    equal(json!({ "occupied": true, "subscription_count": 1 }), body)
}

async fn users(stage: &Stage, pusher: &Pusher) -> Outcome {
    stage.observe(&["presence-rust-http-users"]).await?;
    let body: Value = pusher.get("/channels/presence-rust-http-users/users", None).await?.json().await?;
    let ids: Vec<&str> = body["users"].as_array().into_iter().flatten().map(|user| text(&user["id"])).collect();
    expect(ids.len() == 1 && ids[0].starts_with("observer-"), "one observer", &body)
}

async fn auth_private(stage: &Stage, pusher: &Pusher) -> Outcome {
    let observer = stage.observe(&[]).await?;
    let channel = Channel::from_string("private-rust-http-auth")?;
    let auth = pusher.authorize_channel(text(&observer["socketId"]), &channel, None)?;
    stage.subscribes(&observer, "private-rust-http-auth", serde_json::to_value(auth)?).await
}

async fn auth_presence(stage: &Stage, pusher: &Pusher) -> Outcome {
    let observer = stage.observe(&[]).await?;
    let name = "presence-rust-http-auth";
    let member = sonic!({ "user_id": "rust-member", "user_info": { "name": "Rüst" } });
    let auth = pusher.authorize_channel(text(&observer["socketId"]), &Channel::from_string(name)?, Some(&member))?;
    stage.subscribes(&observer, name, serde_json::to_value(auth)?).await?;
    let body = pusher.get(&format!("/channels/{name}/users"), None).await?.json().await?;
    equal(json!({ "users": [{ "id": "rust-member" }] }), body)
}

async fn auth_encrypted(stage: &Stage, pusher: &Pusher) -> Outcome {
    let observer = stage.observe(&[]).await?;
    let name = "private-encrypted-rust-http-auth";
    let auth = pusher.authorize_channel(text(&observer["socketId"]), &Channel::from_string(name)?, None)?;
    let master_key = BASE64.decode(env("BELFRY_ENCRYPTION_KEY"))?;
    let wanted = BASE64.encode(Sha256::new().chain_update(name).chain_update(master_key).finalize());
    equal(Some(wanted), auth.shared_secret.clone())?;
    stage.subscribes(&observer, name, serde_json::to_value(auth)?).await
}

async fn auth_user(stage: &Stage, pusher: &Pusher) -> Outcome {
    let observer = stage.observe(&[]).await?;
    let user = sonic!({ "id": "rust-signed", "user_info": { "name": "Rüst" } });
    let auth = pusher.authenticate_user(text(&observer["socketId"]), &user)?;
    let body = json!({ "observer": observer["observer"], "auth": auth.auth, "user_data": auth.user_data });
    let answer = stage.post("/signin", body).await?;
    expect(answer["ok"] == true, "a sign-in", &answer)
}

async fn terminate(stage: &Stage, pusher: &Pusher) -> Outcome {
    let signed_in = stage.post("/observe", json!({ "channels": [], "user": "rust-user" })).await?;
    pusher.terminate_user_connections("rust-user").await?;
    let alive = stage.post("/alive", json!({ "observer": signed_in["observer"], "waitMs": 3000 })).await?;
    expect(alive["open"] == false, "a closed connection", &alive)
}

async fn encrypted_trigger(stage: &Stage, pusher: &Pusher) -> Outcome {
    let name = "private-encrypted-rust-http-trigger";
    let observer = stage.observe(&[name]).await?;
    pusher.trigger(&[Channel::from_string(name)?], "secret", "nobody reads this", None).await?;
    let payload: Value = serde_json::from_str(&stage.seen(&observer, name, "secret").await?)?;
    // A secretbox: 24 bytes of nonce, and 16 bytes of authenticator before the text.
    equal(24, BASE64.decode(text(&payload["nonce"]))?.len())?;
    equal("nobody reads this".len() + 16, BASE64.decode(text(&payload["ciphertext"]))?.len())
}

async fn webhook(stage: &Stage, pusher: &Pusher) -> Outcome {
    let name = "rust-http-webhook";
    stage.observe(&[name]).await?;
    // Earlier checks occupied channels as well, and their webhooks come first.
    for _ in 0..30 {
        let request = stage.post("/webhook", json!({ "name": "channel_occupied", "waitMs": 5000 })).await?;
        let body = text(&request["body"]);
        if !body.contains(&format!("\"{name}\"")) {
            continue;
        }
        let headers: BTreeMap<String, String> = serde_json::from_value(request["headers"].clone())?;
        let webhook = pusher.webhook(&headers, body);
        expect(webhook.is_valid(None), "a valid signature", &request)?;
        expect(!pusher.webhook(&headers, &format!("{body} ")).is_valid(None), "an altered body refused", &request)?;
        let wanted = WebhookEvent::ChannelOccupied { channel: name.to_string() };
        return expect(webhook.get_events()?.contains(&wanted), "the event parsed", &request);
    }
    Err(format!("wanted a channel_occupied webhook for {name}, saw 30 others").into())
}

async fn wrong_secret() -> Outcome {
    let channels = [Channel::from_string("rust-http-trigger")?];
    match pusher_with("not-the-secret").trigger(&channels, "greeting", "x", None).await {
        Err(PusherError::Request(error)) => equal(Some(401), error.status),
        other => Err(format!("wanted the library's request error, saw {other:?}").into()),
    }
}

fn pusher_with(secret: &str) -> Pusher {
    let config = Config::builder()
        .app_id(env("BELFRY_APP_ID"))
        .key(env("BELFRY_APP_KEY"))
        .secret(secret)
        .host(env("BELFRY_HOST"))
        .port(env("BELFRY_PORT").parse().expect("BELFRY_PORT is a number"))
        .use_tls(false)
        .timeout(Duration::from_secs(5))
        .encryption_master_key_base64(env("BELFRY_ENCRYPTION_KEY"))
        .and_then(|builder| builder.build())
        .expect("a usable configuration");
    Pusher::new(config).expect("a client")
}
