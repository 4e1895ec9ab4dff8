// Package stage is what the programs in Go have in common: what they ask the
// stage for, and how they tell what they saw.
package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// The stage is on this machine: proxies of the environment are not for it.
var toStage = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}

// Ask is for an action of the stage, and gives its answer.
func Ask[T any](path string, body map[string]any) (answer T) {
	text := Must(json.Marshal(body))
	response := Must(toStage.Post(os.Getenv("STAGE_URL")+path, "application/json", bytes.NewReader(text)))
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		panic(fmt.Sprintf("the stage answered %d to %s", response.StatusCode, path))
	}
	Done(json.NewDecoder(response.Body).Decode(&answer))
	return answer
}

// Trigger has the stage publish; of a Go string, the data is JSON of it.
func Trigger(channel, event string, data any) {
	Ask[any]("/trigger", map[string]any{"channel": channel, "event": event, "data": data})
}

// Observer is a connection of the stage.
type Observer struct {
	Observer any    `json:"observer"`
	SocketID string `json:"socketId"`
}

// Observe gives a new one, subscribed to the channels.
func Observe(channels ...string) Observer {
	return Ask[Observer]("/observe", map[string]any{"channels": append([]string{}, channels...)})
}

// Seen gives the data strings that the observer got: as soon as there is one, or when the time is over.
func Seen(by Observer, channel, event string, waitMs int) []string {
	body := map[string]any{"observer": by.Observer, "channel": channel, "event": event, "waitMs": waitMs}
	answer := Ask[struct{ Events []struct{ Data string } }]("/seen", body)
	texts := []string{}
	for _, item := range answer.Events {
		texts = append(texts, item.Data)
	}
	return texts
}

// WantSeen wants one event, with the JSON of this value as data.
func WantSeen(by Observer, channel, event string, wanted any) {
	got := []any{}
	for _, text := range Seen(by, channel, event, 3000) {
		got = append(got, Parsed(text))
	}
	Want(got, []any{wanted}, event+" on "+channel)
}

// Authorized gives an auth made by the library to the stage, which uses it on a real connection.
func Authorized(path string, by Observer, made []byte, rest map[string]any) map[string]string {
	fields := map[string]string{}
	Done(json.Unmarshal(made, &fields))
	body := map[string]any{"observer": by.Observer}
	for name, value := range rest {
		body[name] = value
	}
	for name, value := range fields {
		body[name] = value
	}
	answer := Ask[struct {
		OK    bool
		Frame any
	}](path, body)
	Want(answer.OK, true, fmt.Sprintf("taken by the server, which said %v", answer.Frame))
	return fields
}
