// Checks of the WebSocket client go-pusher for Go against a running server.
//
// Reads the address and the credentials from the environment, asks the stage
// (STAGE_URL) for the other side of every check, and prints one JSON line per
// check. Everything else goes to stderr.
//
// Left out, because the library cannot do it:
//
//	private, presence, encrypted, refused  its subscribe sends no auth
//	client-event                           it has no call to send one
//	restart                                it does not reconnect
//
// What it does otherwise than the specification:
//   - `data` of every event is handed over as the text of the frame, and an
//     event whose data is no string ends its listening for good. That is so of
//     pusher:error too: its data is an object, which the library expects only
//     in place of pusher:connection_established
//   - so after 4200, or a refused subscription, its program is told of JSON
//     that does not fit instead of a code
//   - it does not hand over the socket id
//   - it ignores activity_timeout and pings every 30 s; what keeps a silent
//     connection is that it answers the server's pings
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"belfry.test/stage"
	"github.com/toorop/go-pusher"
)

const (
	greeting  = "greeting"
	succeeded = "pusher_internal:subscription_succeeded"
)

var run = stage.RandomName()

// connection is a client with what it heard, whatever the channel: the library binds by the event's name alone.
type connection struct {
	*pusher.Client
	greetings, succeeded, ended chan *pusher.Event
}

func connect() connection {
	client := stage.Must(open(os.Getenv("BELFRY_APP_KEY")))
	return connection{
		Client:    client,
		greetings: stage.Must(client.Bind(greeting)),
		succeeded: stage.Must(client.Bind(succeeded)),
		ended:     stage.Must(client.Bind(pusher.ErrEvent)),
	}
}

func open(key string) (*pusher.Client, error) {
	return pusher.NewCustomClient(key, os.Getenv("BELFRY_HOST")+":"+os.Getenv("BELFRY_PORT"), "ws")
}

func (own connection) subscribe(channel string) {
	stage.Done(own.Subscribe(channel))
	own.next(own.succeeded, channel)
}

// next gives the data of the next event, which is to be of this channel.
func (own connection) next(events chan *pusher.Event, channel string) string {
	select {
	case event := <-events:
		stage.Want(event.Channel, channel, "channel of "+event.Event)
		return event.Data
	case end := <-own.ended:
		panic("the connection ended: " + end.Data)
	case <-time.After(5 * time.Second):
		panic("nothing on " + channel + " within 5 s")
	}
}

// wantGreeting has the stage publish, and wants it here.
func (own connection) wantGreeting(channel string) {
	stage.Trigger(channel, greeting, stage.Data)
	stage.Want(stage.Parsed(own.next(own.greetings, channel)), any(stage.Data), greeting)
}

func main() {
	stage.SayLibrary("go-pusher", "github.com/toorop/go-pusher")
	stage.Check("connect", connects)
	stage.Check("public", public)
	stage.Check("unsubscribe", unsubscribe)
	stage.Check("silence", silence)
	stage.Check("wrong-key", wrongKey)
}

func connects() {
	own := connect()
	// The library opens it when the server has said pusher:connection_established, and refuses anything else.
	stage.Done(own.Close())
}

func public() {
	own, channel := connect(), "go-public-"+run
	defer own.Close()
	own.subscribe(channel)
	own.wantGreeting(channel)
	stage.Trigger(channel, greeting, "42")
	stage.Want(own.next(own.greetings, channel), `"42"`, "a string of digits")
}

func unsubscribe() {
	own, left, after := connect(), "go-left-"+run, "go-after-"+run
	defer own.Close()
	own.subscribe(left)
	own.wantGreeting(left)
	stage.Done(own.Unsubscribe(left))
	// The answer to this comes when the server has read the unsubscribe before it.
	own.subscribe(after)
	by := stage.Observe(left)
	stage.Trigger(left, greeting, "too late")
	stage.WantSeen(by, left, greeting, "too late")
	own.wantGreeting(after)
	// The two were published on different nodes, so that the first may come after the second.
	time.Sleep(300 * time.Millisecond)
	stage.Want(len(own.greetings), 0, "events after it")
}

func silence() {
	own, channel := connect(), "go-silence-"+run
	defer own.Close()
	own.subscribe(channel)
	timeout := stage.Ask[struct{ ActivityTimeoutSeconds int }]("/heartbeat", nil).ActivityTimeoutSeconds
	time.Sleep(time.Duration(timeout*2+2) * time.Second)
	stage.Want(len(own.ended), 0, "ends of the connection")
	// It does not reconnect, so that this comes on the same connection.
	own.wantGreeting(channel)
}

func wrongKey() {
	_, err := open("no-such-key-" + run)
	var told pusher.EventError
	stage.Want(errors.As(err, &told), true, fmt.Sprintf("the library's own error in %v", err))
	stage.Want(told.Data.Code, 4001, "code")
}
