// A bridge of the kind people write: gorilla/websocket in, one PublishEvent call a message out.
//
//	dapr_bridge SIDECAR-PORT TOPIC PORT CONNECTIONS
//
// A connection publishes one message after the other, so that its order is kept. The request is put
// together as bytes on grpc-go, which costs less than generated code and the SDK above it.
package main

import (
	"context"
	"os"
	"strconv"

	"github.com/gorilla/websocket"

	"../../feeds"
	"../../tally"
	"../../wire"
)

const method = "/dapr.proto.runtime.v1.Dapr/PublishEvent"

// request is a PublishEventRequest: pubsub_name 1, topic 2, data 3, data_content_type 4.
func request(topic string, data []byte) []byte {
	message := make([]byte, 0, len(data)+len(topic)+64)
	message = wire.AppendBytes(message, 1, []byte("pubsub"))
	message = wire.AppendBytes(message, 2, []byte(topic))
	message = wire.AppendBytes(message, 3, data)
	return wire.AppendBytes(message, 4, []byte("application/json"))
}

func main() {
	sidecar, err := wire.Dial("127.0.0.1:" + os.Args[1])
	if err != nil {
		feeds.Fail(err)
	}
	count, err := strconv.Atoi(os.Args[4])
	if err != nil {
		feeds.Fail(err)
	}
	counted := tally.New(0, 0)
	url, topic := "ws://127.0.0.1:"+os.Args[3]+"/", os.Args[2]
	feeds.Read(websocket.DefaultDialer, url, count, 64, func(data []byte) {
		message := request(topic, data)
		var answer []byte
		if err := sidecar.Invoke(context.Background(), method, &message, &answer); err != nil {
			feeds.Fail(err)
		}
		counted.Add(data)
	})
	tally.AwaitEnd()
	counted.Report()
}
