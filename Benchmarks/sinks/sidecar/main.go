// A stand-in for a Dapr sidecar that takes what is published and keeps nothing:
//
//	sidecar GRPC-PORT HTTP-PORT
//
// It answers GetMetadata with one pub/sub component, its health over HTTP, and every publish call
// at once, so that it is not what is measured. Prints "ready", and on SIGTERM how many calls, events
// and messages (those inside an array event count one by one) it took.
package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"google.golang.org/grpc"

	"../../tally"
	"../../wire"
)

var calls, events, messages atomic.Uint64

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// metadata is a GetMetadataResponse: id 1, registered_components 3 {name 1, type 2, version 3},
// runtime_version 8.
func metadata() []byte {
	component := wire.AppendBytes(nil, 1, []byte("pubsub"))
	component = wire.AppendBytes(component, 2, []byte("pubsub.redis"))
	component = wire.AppendBytes(component, 3, []byte("v1"))
	answer := wire.AppendBytes(nil, 1, []byte("bench"))
	answer = wire.AppendBytes(answer, 3, component)
	return wire.AppendBytes(answer, 8, []byte("1.18.3"))
}

// take counts one event: an array event of wsm has one "sequence" for each message inside.
func take(event []byte) {
	events.Add(1)
	if bytes.Contains(event, []byte(`"com.virtufin.websocketmanager.messages"`)) {
		messages.Add(uint64(bytes.Count(event, []byte(`{"sequence":`))))
		return
	}
	messages.Add(1)
}

// published takes a PublishEventRequest apart (3 is the event) or a BulkPublishRequest (3 is an
// entry, whose 2 is the event).
func published(request []byte, isBulk bool) error {
	calls.Add(1)
	return wire.Fields(request, func(number, _ uint64, part []byte) {
		if number != 3 {
			return
		}
		if !isBulk {
			take(part)
			return
		}
		wire.Fields(part, func(number, _ uint64, event []byte) {
			if number == 2 {
				take(event)
			}
		})
	})
}

func answer(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	var reply []byte
	switch method {
	case "/dapr.proto.runtime.v1.Dapr/GetMetadata":
		reply = metadata()
	case "/dapr.proto.runtime.v1.Dapr/PublishEvent":
		if err := published(request, false); err != nil {
			return err
		}
	default:
		if err := published(request, true); err != nil {
			return err
		}
	}
	return stream.SendMsg(&reply)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fail(err)
	}
	server := grpc.NewServer(
		grpc.CustomCodec(wire.Raw{}), grpc.UnknownServiceHandler(answer),
		grpc.MaxRecvMsgSize(16<<20), grpc.InitialWindowSize(4<<20),
		grpc.InitialConnWindowSize(16<<20))
	go server.Serve(listener)
	health := func(writer http.ResponseWriter, _ *http.Request) { writer.WriteHeader(204) }
	go http.ListenAndServe("127.0.0.1:"+os.Args[2], http.HandlerFunc(health))
	fmt.Println("ready")
	tally.AwaitEnd()
	fmt.Printf("{\"calls\":%d,\"events\":%d,\"messages\":%d}\n",
		calls.Load(), events.Load(), messages.Load())
}
