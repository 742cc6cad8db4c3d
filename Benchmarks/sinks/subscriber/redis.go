package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"

	"../../tally"
)

// line returns the number behind the type mark of a RESP line.
func line(reader *bufio.Reader, mark byte) int {
	text, err := reader.ReadSlice('\n')
	if err != nil {
		fail(err)
	}
	if text[0] != mark {
		fail(fmt.Errorf("%q where %q was due", text, mark))
	}
	value, err := strconv.Atoi(string(text[1 : len(text)-2]))
	if err != nil {
		fail(err)
	}
	return value
}

func bulk(reader *bufio.Reader, into []byte) []byte {
	size := line(reader, '$') + 2
	if cap(into) < size {
		into = make([]byte, size)
	}
	into = into[:size]
	if _, err := io.ReadFull(reader, into); err != nil {
		fail(err)
	}
	return into
}

// subscribeRedis counts what is published to a channel: arrays of "message", channel and payload.
func subscribeRedis(address, topic string, counted *tally.Tally) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		fail(err)
	}
	fmt.Fprintf(connection, "*2\r\n$9\r\nSUBSCRIBE\r\n$%d\r\n%s\r\n", len(topic), topic)
	reader := bufio.NewReaderSize(connection, 256*1024)
	var kind, channel, payload []byte
	line(reader, '*')
	kind, channel = bulk(reader, kind), bulk(reader, channel)
	line(reader, ':')
	fmt.Println("subscribed")
	for {
		line(reader, '*')
		kind, channel = bulk(reader, kind), bulk(reader, channel)
		payload = bulk(reader, payload)
		counted.Add(payload[:len(payload)-2])
	}
}
