import static stage.Checks.check;
import static stage.Checks.equal;
import static stage.Checks.expect;
import static stage.Stage.env;
import static stage.Stage.observe;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.pusher.rest.Pusher;
import com.pusher.rest.data.Event;
import com.pusher.rest.data.PresenceUser;
import com.pusher.rest.data.Result;
import com.pusher.rest.data.Validity;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import stage.Checks;
import stage.Stage;
import stage.Stage.Observer;

/**
 * Uses pusher-http-java as its users do, against a running server, and prints one JSON line per check.
 *
 * <p>The library has no call of its own for ending a user's connections, so that check uses its signed `post`, as
 * its reads use its signed `get`. Left out because the library cannot do it: trigger-info (no `info` parameter),
 * auth-user (no sign-in signature) and user-event (it refuses channel names with `#`).
 */
public final class Program {
    private static final String ENCRYPTION_KEY = env("BELFRY_ENCRYPTION_KEY");
    private static final Gson GSON = new Gson();
    private static final Pusher PUSHER = pusherWith(env("BELFRY_APP_SECRET"));

    public static void main(String[] args) {
        Checks.reportLibrary("pusher-http-java", Pusher.class);
        check("trigger", Program::trigger);
        check("trigger-multi", Program::triggerMulti);
        check("trigger-exclude", Program::triggerExclude);
        check("trigger-batch", Program::triggerBatch);
        check("channels", Program::channels);
        check("channel", Program::channel);
        check("users", Program::users);
        check("auth-private", Program::authPrivate);
        check("auth-presence", Program::authPresence);
        check("auth-encrypted", Program::authEncrypted);
        check("terminate", Program::terminate);
        check("encrypted-trigger", Program::encryptedTrigger);
        check("webhook", Program::webhook);
        check("wrong-secret", Program::wrongSecret);
        System.exit(0);
    }

    private static void trigger() throws Exception {
        Observer observer = observe("java-http-trigger");
        Map<String, Object> data = Map.of("text", "grüß dich, 世界", "number", 7);
        succeeds(PUSHER.trigger("java-http-trigger", "greeting", data));
        equal(GSON.toJsonTree(data), JsonParser.parseString(observer.seen("java-http-trigger", "greeting")));
    }

    private static void triggerMulti() throws Exception {
        List<String> channels = List.of("java-http-multi-1", "java-http-multi-2");
        Observer observer = observe(channels.toArray(new String[0]));
        succeeds(PUSHER.trigger(channels, "greeting", "to both"));
        for (String channel : channels) {
            equal("\"to both\"", observer.seen(channel, "greeting"));
        }
    }

    private static void triggerExclude() throws Exception {
        Observer excluded = observe("java-http-exclude");
        Observer other = observe("java-http-exclude");
        succeeds(PUSHER.trigger("java-http-exclude", "hidden", "x", excluded.socketId()));
        succeeds(PUSHER.trigger("java-http-exclude", "marker", "y"));
        equal("\"x\"", other.seen("java-http-exclude", "hidden"));
        equal("\"y\"", excluded.seen("java-http-exclude", "marker"));
        // The marker was published later and has arrived, so a short wait is enough for the event that must not.
        equal(0, excluded.events("java-http-exclude", "hidden", 200).size());
    }

    private static void triggerBatch() throws Exception {
        Observer observer = observe("java-http-batch-1", "java-http-batch-2");
        succeeds(PUSHER.trigger(List.of(
            new Event("java-http-batch-1", "first", Map.of("n", "one")),
            new Event("java-http-batch-2", "second", Map.of("n", "two")))));
        equal("{\"n\":\"one\"}", observer.seen("java-http-batch-1", "first"));
        equal("{\"n\":\"two\"}", observer.seen("java-http-batch-2", "second"));
    }

    private static void channels() throws Exception {
        observe("presence-java-http-list");
        Map<String, String> query = Map.of("filter_by_prefix", "presence-java-http-list", "info", "user_count");
        equal(
            JsonParser.parseString("{\"channels\":{\"presence-java-http-list\":{\"user_count\":1}}}"),
            JsonParser.parseString(succeeds(PUSHER.get("/channels", query))));
    }

    private static void channel() throws Exception {
        observe("java-http-one");
        Map<String, String> query = Map.of("info", "subscription_count");
        equal(
            JsonParser.parseString("{\"occupied\":true,\"subscription_count\":1}"),
            JsonParser.parseString(succeeds(PUSHER.get("/channels/java-http-one", query))));
    }

    private static void users() throws Exception {
        observe("presence-java-http-users");
        String body = succeeds(PUSHER.get("/channels/presence-java-http-users/users"));
        JsonArray users = JsonParser.parseString(body).getAsJsonObject().getAsJsonArray("users");
        equal(1, users.size());
        String id = users.get(0).getAsJsonObject().get("id").getAsString();
        expect(id.startsWith("observer-"), "the id of the observer", id);
    }

    private static void authPrivate() throws Exception {
        Observer observer = observe();
        String channel = "private-java-http-auth";
        String auth = PUSHER.authenticate(observer.socketId(), channel);
        subscribes(observer, channel, auth);
    }

    private static void authPresence() throws Exception {
        Observer observer = observe();
        String channel = "presence-java-http-auth";
        PresenceUser user = new PresenceUser("java-member", Map.of("name", "Jävä"));
        String auth = PUSHER.authenticate(observer.socketId(), channel, user);
        subscribes(observer, channel, auth);
        String users = succeeds(PUSHER.get("/channels/" + channel + "/users"));
        equal(JsonParser.parseString("{\"users\":[{\"id\":\"java-member\"}]}"), JsonParser.parseString(users));
    }

    private static void authEncrypted() throws Exception {
        Observer observer = observe();
        String channel = "private-encrypted-java-http-auth";
        String auth = PUSHER.authenticate(observer.socketId(), channel);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(channel.getBytes(StandardCharsets.UTF_8));
        digest.update(Base64.getDecoder().decode(ENCRYPTION_KEY));
        JsonObject answer = JsonParser.parseString(auth).getAsJsonObject();
        // The library leaves out the padding, so the bytes are compared; clients decode either.
        byte[] secret = Base64.getDecoder().decode(answer.remove("shared_secret").getAsString());
        String wanted = Base64.getEncoder().encodeToString(digest.digest());
        equal(wanted, Base64.getEncoder().encodeToString(secret));
        subscribes(observer, channel, GSON.toJson(answer));
    }

    private static void terminate() throws Exception {
        Observer signedIn = Stage.observeAs("java-http-user");
        succeeds(PUSHER.post("/users/java-http-user/terminate_connections", "{}"));
        JsonObject alive = Stage.ask("/alive", Map.of("observer", signedIn.name(), "waitMs", 3000));
        expect(!alive.get("open").getAsBoolean(), "a closed connection", alive);
    }

    private static void encryptedTrigger() throws Exception {
        String channel = "private-encrypted-java-http-trigger";
        Observer observer = observe(channel);
        succeeds(PUSHER.trigger(channel, "secret", "nobody reads this"));
        String data = observer.seen(channel, "secret");
        JsonObject payload = JsonParser.parseString(data).getAsJsonObject();
        // A secretbox: 24 bytes of nonce, and 16 bytes of authenticator before the text.
        equal(24, Base64.getDecoder().decode(payload.get("nonce").getAsString()).length);
        int plainBytes = "\"nobody reads this\"".length();
        equal(plainBytes + 16, Base64.getDecoder().decode(payload.get("ciphertext").getAsString()).length);
    }

    private static void webhook() throws Exception {
        String channel = "java-http-webhook";
        observe(channel);
        JsonObject request = webhookNaming(channel);
        String body = request.get("body").getAsString();
        String key = header(request, "X-Pusher-Key");
        String signature = header(request, "X-Pusher-Signature");
        equal(Validity.VALID, PUSHER.validateWebhookSignature(key, signature, body));
        equal(Validity.INVALID, PUSHER.validateWebhookSignature(key, signature, body + " "));
        equal(Validity.SIGNED_WITH_WRONG_KEY, PUSHER.validateWebhookSignature("other", signature, body));
    }

    private static void wrongSecret() {
        Result result = pusherWith("not-the-secret").trigger("java-http-trigger", "greeting", "x");
        equal(Result.Status.AUTHENTICATION_ERROR, result.getStatus());
        equal(401, result.getHttpStatus());
    }

    private static Pusher pusherWith(String secret) {
        Pusher pusher = new Pusher(env("BELFRY_APP_ID"), env("BELFRY_APP_KEY"), secret, ENCRYPTION_KEY);
        pusher.setHost(env("BELFRY_HOST") + ":" + env("BELFRY_PORT"));
        pusher.setEncrypted(false);
        return pusher;
    }

    /** Earlier checks occupied channels as well, and their webhooks come first. */
    private static JsonObject webhookNaming(String channel) throws Exception {
        for (int request = 0; request < 30; request += 1) {
            JsonObject answer = Stage.ask("/webhook", Map.of("name", "channel_occupied", "waitMs", 5000));
            if (answer.get("body").getAsString().contains("\"" + channel + "\"")) {
                return answer;
            }
        }
        throw new AssertionError("wanted a channel_occupied webhook for " + channel + ", saw 30 others");
    }

    private static String header(JsonObject request, String name) {
        for (Map.Entry<String, JsonElement> entry : request.getAsJsonObject("headers").entrySet()) {
            if (entry.getKey().equalsIgnoreCase(name)) {
                return entry.getValue().getAsString();
            }
        }
        throw new AssertionError("wanted the header " + name + ", saw " + request.get("headers"));
    }

    /** Uses what the library signed on the observer's real connection; the server's answer decides. */
    private static void subscribes(Observer observer, String channel, String auth) throws Exception {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("observer", observer.name());
        body.put("channel", channel);
        JsonParser.parseString(auth).getAsJsonObject().entrySet().forEach(e -> body.put(e.getKey(), e.getValue()));
        JsonObject answer = Stage.ask("/subscribe", body);
        expect(answer.get("ok").getAsBoolean(), "a subscription with " + auth, answer);
    }

    private static String succeeds(Result result) {
        expect(result.getStatus() == Result.Status.SUCCESS, "success",
            result.getStatus() + " " + result.getHttpStatus() + " " + result.getMessage());
        return result.getMessage();
    }
}
