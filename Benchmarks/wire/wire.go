// Package wire speaks gRPC and protobuf as bytes, so that no generated code is measured or needed.
package wire

import (
	"encoding/binary"
	"errors"

	"google.golang.org/grpc"
)

// Raw hands messages over as their bytes: a *[]byte each way.
type Raw struct{}

func (Raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (Raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = data
	return nil
}

func (Raw) Name() string   { return "proto" }
func (Raw) String() string { return "proto" }

// What may be on its way to us unread: about as much as the kernel holds for a bare socket, so that
// a subscriber over gRPC has the same room for its pauses as one of Redis.
const window = 8 << 20

// Dial returns a connection to a plaintext server whose calls carry raw bytes.
func Dial(address string) (*grpc.ClientConn, error) {
	return grpc.Dial(
		address, grpc.WithInsecure(), grpc.WithBlock(),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
		grpc.WithReadBufferSize(256*1024),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(Raw{}), grpc.MaxCallRecvMsgSize(16<<20)))
}

const varint, lengthDelimited = 0, 2

var errMalformed = errors.New("not a protobuf message of varints and length-delimited fields")

// Fields calls back for each field of a message: with its value, or with its bytes.
func Fields(message []byte, each func(number, value uint64, bytes []byte)) error {
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		if n <= 0 {
			return errMalformed
		}
		message = message[n:]
		value, n := binary.Uvarint(message)
		if n <= 0 {
			return errMalformed
		}
		message = message[n:]
		switch key & 7 {
		case varint:
			each(key>>3, value, nil)
		case lengthDelimited:
			if value > uint64(len(message)) {
				return errMalformed
			}
			each(key>>3, 0, message[:value])
			message = message[value:]
		default:
			return errMalformed
		}
	}
	return nil
}

// AppendBytes appends a length-delimited field.
func AppendBytes(message []byte, number uint64, value []byte) []byte {
	message = binary.AppendUvarint(message, number<<3|lengthDelimited)
	message = binary.AppendUvarint(message, uint64(len(value)))
	return append(message, value...)
}
