package stage;

import static stage.Checks.expect;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;

/** The harness, as a program sees it: its environment, and what it does when asked. */
public final class Stage {
    private static final Gson GSON = new Gson();
    /** The client would ask for HTTP/2 first, which the stage does not speak. */
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final int SEEN_MS = 3000;

    private Stage() {}

    public static String env(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new IllegalStateException(name + " is not set");
        }
        return value;
    }

    /** @param body what Gson makes JSON of */
    public static JsonObject ask(String action, Object body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(env("STAGE_URL") + action))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(GSON.toJson(body)))
            .build();
        HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(action + " answered " + response.statusCode() + " " + response.body());
        }
        return JsonParser.parseString(response.body()).getAsJsonObject();
    }

    /** Publishes the JSON text of the data. */
    public static void trigger(String channel, String event, Object data) throws Exception {
        ask("/trigger", Map.of("channel", channel, "event", event, "data", data));
    }

    public static Observer observe(String... channels) throws Exception {
        return observerOf(Map.of("channels", List.of(channels)));
    }

    public static Observer observeAs(String user) throws Exception {
        return observerOf(Map.of("channels", List.of(), "user", user));
    }

    private static Observer observerOf(Object body) throws Exception {
        JsonObject answer = ask("/observe", body);
        return new Observer(answer.get("observer").getAsString(), answer.get("socketId").getAsString());
    }

    /** A raw connection of the harness. */
    public record Observer(String name, String socketId) {
        /** The data of the one event of this name; it is a text in every frame. */
        public String seen(String channel, String event) throws Exception {
            JsonArray events = events(channel, event, SEEN_MS);
            expect(events.size() == 1, "one " + event + " on " + channel, events);
            JsonElement data = events.get(0).getAsJsonObject().get("data");
            expect(data.isJsonPrimitive() && data.getAsJsonPrimitive().isString(), "data as a string", data);
            return data.getAsString();
        }

        /** All of this name, as soon as there is one; none when the time is over. */
        public JsonArray events(String channel, String event, int waitMs) throws Exception {
            Object body = Map.of("observer", name, "channel", channel, "event", event, "waitMs", waitMs);
            return ask("/seen", body).getAsJsonArray("events");
        }

        public void whisper(String channel, String event, Object data) throws Exception {
            ask("/whisper", Map.of("observer", name, "channel", channel, "event", event, "data", data));
        }

        public void leave() throws Exception {
            ask("/leave", Map.of("observer", name));
        }
    }
}
