import static stage.Checks.check;
import static stage.Checks.equal;
import static stage.Checks.expect;
import static stage.Checks.until;
import static stage.Stage.env;
import static stage.Stage.observe;
import static stage.Stage.trigger;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.pusher.client.ChannelAuthorizer;
import com.pusher.client.Pusher;
import com.pusher.client.PusherOptions;
import com.pusher.client.channel.PresenceChannel;
import com.pusher.client.channel.PrivateChannel;
import com.pusher.client.connection.ConnectionState;
import com.pusher.client.util.HttpChannelAuthorizer;
import java.util.Map;
import java.util.Set;
import stage.Checks;
import stage.Stage;
import stage.Stage.Observer;

/**
 * Uses pusher-java-client as its users do, against a running server, and prints one JSON line per check.
 *
 * <p>The library speaks protocol 5 and keeps its own activity timeout of two minutes, whatever the server says, so
 * in the silent check it is the server that pings. It never answers `pusher:ping` events; its WebSocket layer
 * answers ping frames.
 */
public final class Program {
    static final int DEADLINE_MS = 4000;
    /** The library returns 1, 4, 9, … seconds after a lost connection. */
    private static final int RESTART_DEADLINE_MS = 25000;

    static final ConnectionLog LOG = new ConnectionLog();
    private static final Pusher PUSHER = new Pusher(env("BELFRY_APP_KEY"), options(authorizer()));

    public static void main(String[] args) {
        Checks.reportLibrary("pusher-java-client", Pusher.class);
        check("connect", Program::connect);
        check("public", Program::publicChannel);
        check("private", Program::privateChannel);
        check("presence", Program::presence);
        check("encrypted", Program::encrypted);
        check("client-event", Program::clientEvent);
        check("unsubscribe", Program::unsubscribe);
        check("silence", Program::silence);
        check("refused", Program::refused);
        check("wrong-key", Program::wrongKey);
        check("restart", Program::restart);
        System.exit(0);
    }

    private static void connect() throws Exception {
        PUSHER.connect(LOG, ConnectionState.ALL);
        until("the state CONNECTED", DEADLINE_MS, () -> state(PUSHER) == ConnectionState.CONNECTED, LOG);
        String socketId = PUSHER.getConnection().getSocketId();
        expect(socketId.matches("\\d+\\.\\d+"), "a socket id of two numbers", socketId);
    }

    private static void publicChannel() throws Exception {
        Listener listener = new Listener();
        PUSHER.subscribe("java-client-public", listener, "greeting", "digits");
        listener.untilSubscribed();
        JsonElement data = JsonParser.parseString("{\"text\":\"grüß dich, 世界\",\"number\":7}");
        trigger("java-client-public", "greeting", data);
        equal(data, JsonParser.parseString(listener.untilEvent("greeting").getData()));
        // The library hands over the text of the frame, so that a string keeps its quotes.
        trigger("java-client-public", "digits", "42");
        equal("\"42\"", listener.untilEvent("digits").getData());
    }

    private static void privateChannel() throws Exception {
        Listener listener = new Listener();
        PUSHER.subscribePrivate("private-java-client", listener, "greeting");
        listener.untilSubscribed();
        trigger("private-java-client", "greeting", Map.of("text", "private"));
        equal("{\"text\":\"private\"}", listener.untilEvent("greeting").getData());
    }

    private static void presence() throws Exception {
        String channel = "presence-java-client";
        observe(channel);
        Listener listener = new Listener();
        PresenceChannel presence = PUSHER.subscribePresence(channel, listener, "client-whisper");
        listener.untilSubscribed();
        until("the list of members", DEADLINE_MS, () -> listener.members != null, listener);
        Set<String> here = listener.members;
        long others = here.stream().filter(id -> id.startsWith("observer-")).count();
        expect(here.size() == 2 && here.contains("java") && others == 1, "java and an observer", here);
        equal("java", presence.getMe().getId());

        Observer second = observe(channel);
        until("one added member", DEADLINE_MS, () -> listener.added.size() == 1, listener);
        expect(!here.contains(listener.added.get(0)), "a member that was not here", listener);
        second.whisper(channel, "client-whisper", Map.of());
        equal(listener.added.get(0), listener.untilEvent("client-whisper").getUserId());
        second.leave();
        until("the same member removed", DEADLINE_MS, () -> listener.removed.equals(listener.added), listener);
    }

    private static void encrypted() throws Exception {
        Listener listener = new Listener();
        String channel = "private-encrypted-java-client";
        PUSHER.subscribePrivateEncrypted(channel, listener, "secret");
        listener.untilSubscribed();
        trigger(channel, "secret", Map.of("text", "decrypted"));
        equal("{\"text\":\"decrypted\"}", listener.untilEvent("secret").getData());
    }

    private static void clientEvent() throws Exception {
        String channel = "private-java-client-events";
        Observer observer = observe(channel);
        Listener listener = new Listener();
        PrivateChannel sending = PUSHER.subscribePrivate(channel, listener, "client-there", "client-back");
        listener.untilSubscribed();
        sending.trigger("client-there", "{\"text\":\"there\"}");
        String there = observer.seen(channel, "client-there");
        equal("{\"text\":\"there\"}", JsonParser.parseString(there).toString());
        observer.whisper(channel, "client-back", Map.of("text", "back"));
        equal("{\"text\":\"back\"}", listener.untilEvent("client-back").getData());
        expect(listener.count("client-there") == 0, "no own client event", listener);
    }

    private static void unsubscribe() throws Exception {
        String channel = "presence-java-client-leaving";
        Observer observer = observe(channel);
        Listener listener = new Listener();
        PUSHER.subscribePresence(channel, listener, "late");
        listener.untilSubscribed();
        PUSHER.unsubscribe(channel);
        // The library drops events of a channel it left, so only the server's word proves that it let go as well.
        JsonArray removed = observer.events(channel, "pusher_internal:member_removed", DEADLINE_MS);
        expect(removed.size() == 1, "one member_removed at the observer", removed);
        trigger(channel, "late", Map.of());
        receives("an event after unsubscribing elsewhere", "after-unsubscribe");
        expect(listener.count("late") == 0, "no event after unsubscribing", listener);
    }

    private static void silence() throws Exception {
        long seconds = Stage.ask("/heartbeat", Map.of()).get("activityTimeoutSeconds").getAsLong();
        String socketId = PUSHER.getConnection().getSocketId();
        int changes = LOG.states.size();
        Thread.sleep(2000 * seconds + 2000);
        expect(LOG.states.size() == changes, "no change of state in silence", LOG);
        equal(socketId, PUSHER.getConnection().getSocketId());
        receives("an event after silence", "after-silence");
    }

    private static void refused() throws Exception {
        ChannelAuthorizer wrong = (channel, socketId) ->
            "{\"auth\":\"" + env("BELFRY_APP_KEY") + ":" + "0".repeat(64) + "\"}";
        Pusher pusher = new Pusher(env("BELFRY_APP_KEY"), options(wrong));
        ConnectionLog log = new ConnectionLog();
        pusher.connect(log, ConnectionState.ALL);
        until("the state CONNECTED", DEADLINE_MS, () -> state(pusher) == ConnectionState.CONNECTED, log);
        PrivateChannel channel = pusher.subscribePrivate("private-java-client-refused", new Listener());
        until("an error about the signature", DEADLINE_MS,
            () -> log.errors.stream().anyMatch(error -> error.toLowerCase().contains("signature")), log);
        expect(!channel.isSubscribed(), "no subscription", log);
        equal(ConnectionState.CONNECTED, state(pusher));
        pusher.disconnect();
    }

    private static void wrongKey() throws Exception {
        Pusher pusher = new Pusher("no-such-key", options(authorizer()));
        ConnectionLog log = new ConnectionLog();
        pusher.connect(log, ConnectionState.ALL);
        until("an error with the code 4001", DEADLINE_MS,
            () -> log.errors.stream().anyMatch(error -> error.startsWith("4001 ")), log);
        until("the state DISCONNECTED", DEADLINE_MS, () -> state(pusher) == ConnectionState.DISCONNECTED, log);
        int changes = log.states.size();
        // The library's first attempt to return would come after one second.
        Thread.sleep(2500);
        expect(log.states.size() == changes, "no attempt to reconnect", log);
    }

    private static void restart() throws Exception {
        String before = PUSHER.getConnection().getSocketId();
        Stage.ask("/restart", Map.of());
        receivesAgain("an event after the restart", "after-restart", RESTART_DEADLINE_MS);
        String after = PUSHER.getConnection().getSocketId();
        expect(!before.equals(after), "another socket id than " + before, after);
        expect(LOG.states.contains(ConnectionState.RECONNECTING), "a reconnection by the library", LOG);
    }

    /** One event to the private channel, and it must arrive. */
    private static void receives(String what, String event) throws Exception {
        Listener listener = boundTo(event);
        trigger("private-java-client", event, Map.of());
        until(what, DEADLINE_MS, () -> listener.count(event) == 1, LOG);
    }

    /** Publishes to the private channel until an event arrives; the program itself does nothing else. */
    private static void receivesAgain(String what, String event, int deadlineMs) throws Exception {
        Listener listener = boundTo(event);
        long end = System.currentTimeMillis() + deadlineMs;
        while (listener.events.isEmpty()) {
            expect(System.currentTimeMillis() < end, what, LOG);
            trigger("private-java-client", event, Map.of());
            Thread.sleep(250);
        }
    }

    private static Listener boundTo(String event) {
        Listener listener = new Listener();
        PUSHER.getPrivateChannel("private-java-client").bind(event, listener);
        return listener;
    }

    private static PusherOptions options(ChannelAuthorizer authorizer) {
        return new PusherOptions()
            .setHost(env("BELFRY_HOST"))
            .setWsPort(Integer.parseInt(env("BELFRY_PORT")))
            .setUseTLS(false)
            .setChannelAuthorizer(authorizer);
    }

    private static ChannelAuthorizer authorizer() {
        HttpChannelAuthorizer authorizer = new HttpChannelAuthorizer(env("AUTH_URL"));
        authorizer.setHeaders(Map.of("X-User", "java"));
        return authorizer;
    }

    private static ConnectionState state(Pusher pusher) {
        return pusher.getConnection().getState();
    }
}
