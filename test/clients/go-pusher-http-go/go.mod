module belfry.test/clients/go-pusher-http-go

go 1.21

require (
	belfry.test/stage v0.0.0
	github.com/pusher/pusher-http-go/v5 v5.1.1
	golang.org/x/crypto v0.0.0-20200709230013-948cd5f35899
)

require golang.org/x/sys v0.0.0-20190412213103-97732733099d // indirect

replace belfry.test/stage => ../go
