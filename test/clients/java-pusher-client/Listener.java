import static stage.Checks.until;

import com.pusher.client.channel.PresenceChannelEventListener;
import com.pusher.client.channel.PrivateEncryptedChannelEventListener;
import com.pusher.client.channel.PusherEvent;
import com.pusher.client.channel.User;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/** What a channel told. */
final class Listener implements PresenceChannelEventListener, PrivateEncryptedChannelEventListener {
    final List<PusherEvent> events = new CopyOnWriteArrayList<>();
    final List<String> failures = new CopyOnWriteArrayList<>();
    final List<String> added = new CopyOnWriteArrayList<>();
    final List<String> removed = new CopyOnWriteArrayList<>();
    volatile Set<String> members;
    volatile boolean subscribed;

    @Override
    public void onSubscriptionSucceeded(String channelName) {
        subscribed = true;
    }

    @Override
    public void onEvent(PusherEvent event) {
        events.add(event);
    }

    @Override
    public void onAuthenticationFailure(String message, Exception problem) {
        failures.add(message);
    }

    @Override
    public void onDecryptionFailure(String event, String reason) {
        failures.add(event + ": " + reason);
    }

    @Override
    public void onUsersInformationReceived(String channelName, Set<User> users) {
        members = users.stream().map(User::getId).collect(Collectors.toSet());
    }

    @Override
    public void userSubscribed(String channelName, User user) {
        added.add(user.getId());
    }

    @Override
    public void userUnsubscribed(String channelName, User user) {
        removed.add(user.getId());
    }

    void untilSubscribed() throws Exception {
        until("a subscription", Program.DEADLINE_MS, () -> subscribed, this);
    }

    PusherEvent untilEvent(String name) throws Exception {
        until("one " + name, Program.DEADLINE_MS, () -> count(name) == 1, this);
        return events.stream().filter(event -> event.getEventName().equals(name)).findFirst().orElseThrow();
    }

    long count(String name) {
        return events.stream().filter(event -> event.getEventName().equals(name)).count();
    }

    @Override
    public String toString() {
        return "subscribed " + subscribed + ", events " + events + ", failures " + failures + ", members " + members
            + ", added " + added + ", removed " + removed + ", connection " + Program.LOG;
    }
}
