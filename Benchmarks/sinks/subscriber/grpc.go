package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"../../tally"
	"../../wire"
)

func fields(message []byte, each func(number, value uint64, bytes []byte)) {
	if err := wire.Fields(message, each); err != nil {
		fail(err)
	}
}

// count takes a SubscribeResponse apart: 1 is a TopicMessage, whose 11 is the payload; 2 is missed.
func count(response []byte, counted *tally.Tally) {
	fields(response, func(number, value uint64, message []byte) {
		switch number {
		case 1:
			fields(message, func(number, _ uint64, data []byte) {
				if number == 11 {
					counted.Add(data)
				}
			})
		case 2:
			counted.Miss(value)
		}
	})
}

// subscribeGRPC counts the messages of a topic of wsm from now on.
func subscribeGRPC(address, topic string, counted *tally.Tally) {
	connection, err := wire.Dial(address)
	if err != nil {
		fail(err)
	}
	stream, err := connection.NewStream(
		context.Background(), &grpc.StreamDesc{ServerStreams: true},
		"/wsm.v1.Orchestrator/Subscribe")
	if err != nil {
		fail(err)
	}
	request := wire.AppendBytes(nil, 1, []byte(topic))
	if err := stream.SendMsg(&request); err != nil {
		fail(err)
	}
	if err := stream.CloseSend(); err != nil {
		fail(err)
	}
	fmt.Println("subscribed")
	for {
		var response []byte
		if err := stream.RecvMsg(&response); err != nil {
			fail(err)
		}
		count(response, counted)
	}
}
