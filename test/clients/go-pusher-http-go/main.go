// Checks of the HTTP library pusher-http-go against a running server.
//
// Reads the address and the credentials from the environment, asks the stage
// (STAGE_URL) for the other side of every check, and prints one JSON line per
// check. Everything else goes to stderr.
//
// Left out, because the library cannot do it:
//
//	terminate  it has no call for terminate_connections
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"belfry.test/stage"
	"github.com/pusher/pusher-http-go/v5"
	"golang.org/x/crypto/nacl/secretbox"
)

var (
	run    = stage.RandomName()
	client = newClient(os.Getenv("BELFRY_APP_SECRET"))
)

func newClient(secret string) *pusher.Client {
	return &pusher.Client{
		AppID:                     os.Getenv("BELFRY_APP_ID"),
		Key:                       os.Getenv("BELFRY_APP_KEY"),
		Secret:                    secret,
		Host:                      os.Getenv("BELFRY_HOST") + ":" + os.Getenv("BELFRY_PORT"),
		EncryptionMasterKeyBase64: os.Getenv("BELFRY_ENCRYPTION_KEY"),
		HTTPClient:                &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}},
	}
}

func params(channel, socketID string) []byte {
	return []byte(url.Values{"channel_name": {channel}, "socket_id": {socketID}}.Encode())
}

func sharedSecret(channel string) [32]byte {
	master := stage.Must(base64.StdEncoding.DecodeString(os.Getenv("BELFRY_ENCRYPTION_KEY")))
	return sha256.Sum256(append([]byte(channel), master...))
}

func main() {
	stage.SayLibrary("pusher-http-go", "github.com/pusher/pusher-http-go/v5")
	stage.Check("trigger", trigger)
	stage.Check("trigger-multi", triggerMulti)
	stage.Check("trigger-exclude", triggerExclude)
	stage.Check("trigger-batch", triggerBatch)
	stage.Check("trigger-info", triggerInfo)
	stage.Check("channels", channels)
	stage.Check("channel", channel)
	stage.Check("users", users)
	stage.Check("auth-private", authPrivate)
	stage.Check("auth-presence", authPresence)
	stage.Check("auth-encrypted", authEncrypted)
	stage.Check("auth-user", authUser)
	stage.Check("user-event", userEvent)
	stage.Check("encrypted-trigger", encryptedTrigger)
	stage.Check("webhook", webhook)
	stage.Check("wrong-secret", wrongSecret)
}

func trigger() {
	name := "go-trigger-" + run
	by := stage.Observe(name)
	stage.Done(client.Trigger(name, "greeting", stage.Data))
	stage.WantSeen(by, name, "greeting", stage.Data)
}

func triggerMulti() {
	names := []string{"go-multi-1-" + run, "go-multi-2-" + run, "go-multi-3-" + run}
	by := stage.Observe(names...)
	stage.Done(client.TriggerMulti(names, "greeting", stage.Data))
	for _, name := range names {
		stage.WantSeen(by, name, "greeting", stage.Data)
	}
}

func triggerExclude() {
	name := "go-exclude-" + run
	leftOut, other := stage.Observe(name), stage.Observe(name)
	stage.Must(client.TriggerWithParams(name, "greeting", stage.Data, pusher.TriggerParams{SocketID: &leftOut.SocketID}))
	stage.Done(client.Trigger(name, "marker", "after"))
	stage.WantSeen(other, name, "greeting", stage.Data)
	stage.Want(stage.Seen(leftOut, name, "marker", 3000), []string{"after"}, "marker at the excluded connection")
	stage.Want(stage.Seen(leftOut, name, "greeting", 100), []string{}, "greeting at the excluded connection")
}

func triggerBatch() {
	first, second := "go-batch-1-"+run, "go-batch-2-"+run
	by := stage.Observe(first, second)
	stage.Must(client.TriggerBatch([]pusher.Event{
		{Channel: first, Name: "greeting", Data: map[string]int{"number": 1}},
		{Channel: second, Name: "greeting", Data: "plain"},
	}))
	stage.WantSeen(by, first, "greeting", map[string]any{"number": 1.0})
	stage.Want(stage.Seen(by, second, "greeting", 3000), []string{"plain"}, "a string")
}

func triggerInfo() {
	presence, public, empty := "presence-go-info-"+run, "go-info-"+run, "go-info-empty-"+run
	stage.Observe(presence, public)
	stage.Observe(presence)
	info := "user_count,subscription_count"
	one, two, none := 1, 2, 0
	wanted := map[string]pusher.TriggerChannelListItem{
		presence: {UserCount: &two, SubscriptionCount: &two},
		public:   {SubscriptionCount: &one},
		empty:    {SubscriptionCount: &none},
	}
	stage.Eventually(
		func() *pusher.TriggerChannelsList {
			names := []string{presence, public, empty}
			return stage.Must(client.TriggerMultiWithParams(names, "greeting", stage.Data, pusher.TriggerParams{Info: &info}))
		},
		func(answer *pusher.TriggerChannelsList) bool { return reflect.DeepEqual(answer.Channels, wanted) },
		"info",
	)
}

func channels() {
	prefix := "presence-go-channels-" + run + "-"
	stage.Observe(prefix + "1")
	stage.Observe(prefix+"1", prefix+"2")
	info := "user_count"
	wanted := map[string]pusher.ChannelListItem{prefix + "1": {UserCount: 2}, prefix + "2": {UserCount: 1}}
	stage.Eventually(
		func() *pusher.ChannelsList {
			return stage.Must(client.Channels(pusher.ChannelsParams{FilterByPrefix: &prefix, Info: &info}))
		},
		func(answer *pusher.ChannelsList) bool { return reflect.DeepEqual(answer.Channels, wanted) },
		"channels",
	)
	nobody := "nobody-" + run
	stage.Want(len(stage.Must(client.Channels(pusher.ChannelsParams{FilterByPrefix: &nobody})).Channels), 0, "no channel")
}

func channel() {
	name := "presence-go-channel-" + run
	stage.Observe(name)
	stage.Observe(name)
	info := "user_count,subscription_count"
	wanted := pusher.Channel{Name: name, Occupied: true, UserCount: 2, SubscriptionCount: 2}
	stage.Eventually(
		func() *pusher.Channel { return stage.Must(client.Channel(name, pusher.ChannelParams{Info: &info})) },
		func(answer *pusher.Channel) bool { return *answer == wanted },
		"channel",
	)
	stage.Want(stage.Must(client.Channel("nobody-"+run, pusher.ChannelParams{})).Occupied, false, "an empty channel")
}

func users() {
	name := "presence-go-users-" + run
	stage.Observe(name)
	stage.Observe(name)
	answer := stage.Eventually(
		func() *pusher.Users { return stage.Must(client.GetChannelUsers(name)) },
		func(answer *pusher.Users) bool { return len(answer.List) == 2 },
		"users",
	)
	stage.Want(answer.List[0].ID != answer.List[1].ID, true, fmt.Sprintf("two users in %v", answer.List))
	for _, user := range answer.List {
		stage.Want(strings.HasPrefix(user.ID, "observer-"), true, user.ID+" is an observer")
	}
}

func authPrivate() {
	name, by := "private-go-auth-"+run, stage.Observe()
	made := stage.Must(client.AuthorizePrivateChannel(params(name, by.SocketID)))
	stage.Authorized("/subscribe", by, made, map[string]any{"channel": name})
	stage.Done(client.Trigger(name, "greeting", stage.Data))
	stage.WantSeen(by, name, "greeting", stage.Data)
}

func authPresence() {
	name, by := "presence-go-auth-"+run, stage.Observe()
	member := pusher.MemberData{UserID: "ünn", UserInfo: map[string]string{"name": "<Änn>"}}
	made := stage.Must(client.AuthorizePresenceChannel(params(name, by.SocketID), member))
	stage.Authorized("/subscribe", by, made, map[string]any{"channel": name})
	stage.Eventually(
		func() *pusher.Users { return stage.Must(client.GetChannelUsers(name)) },
		func(answer *pusher.Users) bool { return len(answer.List) == 1 && answer.List[0].ID == "ünn" },
		"users",
	)
}

func authEncrypted() {
	name, by := "private-encrypted-go-auth-"+run, stage.Observe()
	made := stage.Must(client.AuthorizePrivateChannel(params(name, by.SocketID)))
	fields := stage.Authorized("/subscribe", by, made, map[string]any{"channel": name})
	secret := sharedSecret(name)
	stage.Want(fields["shared_secret"], base64.StdEncoding.EncodeToString(secret[:]), "shared secret")
}

func authUser() {
	by := stage.Observe()
	user := map[string]any{"id": "go-" + run, "user_info": map[string]string{"name": "Änn"}}
	form := url.Values{"socket_id": {by.SocketID}}.Encode()
	stage.Authorized("/signin", by, stage.Must(client.AuthenticateUser([]byte(form), user)), nil)
}

func userEvent() {
	user := "go-user-" + run
	by := stage.Ask[stage.Observer]("/observe", map[string]any{"channels": []string{}, "user": user})
	stage.Done(client.SendToUser(user, "greeting", stage.Data))
	stage.WantSeen(by, "#server-to-user-"+user, "greeting", stage.Data)
}

func encryptedTrigger() {
	name := "private-encrypted-go-" + run
	by := stage.Observe(name)
	stage.Done(client.Trigger(name, "greeting", stage.Data))
	got := stage.Seen(by, name, "greeting", 3000)
	stage.Want(len(got), 1, "events")
	stage.Want(strings.Contains(got[0], "quoted"), false, "clear text on the wire")
	var sealed struct{ Nonce, Ciphertext []byte }
	stage.Done(json.Unmarshal([]byte(got[0]), &sealed))
	secret, nonce := sharedSecret(name), [24]byte(sealed.Nonce)
	opened, ok := secretbox.Open(nil, sealed.Ciphertext, &nonce, &secret)
	stage.Want(ok, true, "opened")
	var value any
	stage.Done(json.Unmarshal(opened, &value))
	stage.Want(value, any(stage.Data), "the opened data")
}

func webhook() {
	name := "go-webhook-" + run
	stage.Ask[any]("/leave", map[string]any{"observer": stage.Observe(name).Observer})
	type hook struct {
		Headers map[string]string
		Body    string
	}
	// The checks above left webhooks of their own channels behind.
	for deadline := time.Now().Add(15 * time.Second); ; {
		got := stage.Ask[hook]("/webhook", map[string]any{"name": "channel_vacated", "waitMs": 6000})
		header := http.Header{}
		for key, value := range got.Headers {
			header.Set(key, value)
		}
		parsed := stage.Must(client.Webhook(header, []byte(got.Body)))
		for _, event := range parsed.Events {
			if event.Channel != name {
				continue
			}
			stage.Want(event.Name, "channel_vacated", "name")
			_, err := client.Webhook(header, []byte(strings.ReplaceAll(got.Body, name, "forged")))
			stage.Want(err != nil, true, "a forged body is refused")
			return
		}
		if time.Now().After(deadline) {
			panic(fmt.Sprintf("no channel_vacated of %s, the last was %+v", name, parsed))
		}
	}
}

func wrongSecret() {
	err := newClient("00000000000000000000").Trigger("go-wrong-"+run, "greeting", stage.Data)
	stage.Want(err != nil, true, "an error")
	stage.Want(strings.Contains(err.Error(), "401"), true, fmt.Sprintf("status in %q", err))
	stage.Want(strings.Contains(err.Error(), "Invalid signature"), true, fmt.Sprintf("text in %q", err))
}
