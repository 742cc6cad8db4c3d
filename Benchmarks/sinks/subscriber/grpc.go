package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"../../tally"
)

// raw hands messages over as their bytes.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = data
	return nil
}
func (raw) Name() string { return "proto" }

const varint, lengthDelimited = 0, 2

var errMalformed = errors.New("the server's message is not protobuf")

// fields calls back for each field of a protobuf message that is a varint or length-delimited.
func fields(message []byte, each func(number uint64, value uint64, bytes []byte)) {
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		if n <= 0 {
			fail(errMalformed)
		}
		message = message[n:]
		value, n := binary.Uvarint(message)
		if n <= 0 {
			fail(errMalformed)
		}
		message = message[n:]
		switch key & 7 {
		case varint:
			each(key>>3, value, nil)
		case lengthDelimited:
			if value > uint64(len(message)) {
				fail(errMalformed)
			}
			each(key>>3, 0, message[:value])
			message = message[value:]
		default:
			fail(errMalformed)
		}
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
	connection, err := grpc.Dial(
		address, grpc.WithInsecure(), grpc.WithBlock(),
		grpc.WithInitialWindowSize(1<<20), grpc.WithInitialConnWindowSize(1<<20),
		grpc.WithReadBufferSize(256*1024),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(16<<20)))
	if err != nil {
		fail(err)
	}
	stream, err := connection.NewStream(
		context.Background(), &grpc.StreamDesc{ServerStreams: true},
		"/wsm.v1.Orchestrator/Subscribe")
	if err != nil {
		fail(err)
	}
	request := append([]byte{1<<3 | lengthDelimited, byte(len(topic))}, topic...)
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
