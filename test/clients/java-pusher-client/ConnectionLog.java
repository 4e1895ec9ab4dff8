import com.pusher.client.connection.ConnectionEventListener;
import com.pusher.client.connection.ConnectionState;
import com.pusher.client.connection.ConnectionStateChange;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a connection told: its states in order, and its errors as "CODE MESSAGE EXCEPTION". */
final class ConnectionLog implements ConnectionEventListener {
    final List<ConnectionState> states = new CopyOnWriteArrayList<>();
    final List<String> errors = new CopyOnWriteArrayList<>();

    @Override
    public void onConnectionStateChange(ConnectionStateChange change) {
        states.add(change.getCurrentState());
    }

    @Override
    public void onError(String message, String code, Exception problem) {
        errors.add(code + " " + message + (problem == null ? "" : " " + problem));
    }

    @Override
    public String toString() {
        return "states " + states + ", errors " + errors;
    }
}
