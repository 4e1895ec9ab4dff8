module belfry.test/clients/go-go-pusher

go 1.21

require (
	belfry.test/stage v0.0.0
	github.com/toorop/go-pusher v0.0.0-20180521062818-4521e2eb39fb
)

// The library has no go.mod, so that this stands here.
require golang.org/x/net v0.28.0 // indirect

replace belfry.test/stage => ../go
