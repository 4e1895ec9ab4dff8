package stage

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"
)

// Data of every JSON type, for events.
var Data = map[string]any{"text": "héllo \"quoted\"", "number": 1.5, "list": []any{1.0, nil, true}}

// RandomName is for channels of this run.
func RandomName() string {
	random := make([]byte, 4)
	rand.Read(random)
	return hex.EncodeToString(random)
}

// SayLibrary prints the first line: the library, and its module's version in this build.
func SayLibrary(library, module string) {
	version := "unknown"
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			version = dependency.Version
		}
	}
	say(map[string]any{"library": library, "version": version})
}

// Check runs the body and prints its outcome. A body that panics has failed; the next ones still run.
func Check(name string, body func()) {
	defer func() {
		if reason := recover(); reason != nil {
			say(map[string]any{"check": name, "ok": false, "detail": fmt.Sprint(reason)})
			return
		}
		say(map[string]any{"check": name, "ok": true})
	}()
	body()
}

// Must fails the check when there is an error.
func Must[T any](value T, err error) T {
	Done(err)
	return value
}

// Done fails the check when there is an error.
func Done(err error) {
	if err != nil {
		panic(err)
	}
}

// Want fails the check when the two differ.
func Want(seen, wanted any, what string) {
	if !reflect.DeepEqual(seen, wanted) {
		panic(fmt.Sprintf("%s: saw %#v, wanted %#v", what, seen, wanted))
	}
}

// Eventually reads until the answer is accepted, at most 5 s: counts of a cluster may be a moment late.
func Eventually[T any](read func() T, accept func(T) bool, what string) T {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		seen := read()
		if accept(seen) {
			return seen
		}
		if time.Now().After(deadline) {
			panic(fmt.Sprintf("%s: saw %+v", what, seen))
		}
	}
}

// Parsed gives the value of a JSON text.
func Parsed(text string) (value any) {
	Done(json.Unmarshal([]byte(text), &value))
	return value
}

func say(line map[string]any) {
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}
