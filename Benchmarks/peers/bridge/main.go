// A bridge of the kind people write: gorilla/websocket in, Redis PUBLISH out.
//
//	bridge REDIS-PORT TOPIC PORT CONNECTIONS
//
// One goroutine a connection reads, one writes commands by hand into one buffer and flushes when
// nothing waits, one reads the replies: faster than a client library, so that the peer is a good one.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/gorilla/websocket"

	"../../feeds"
	"../../tally"
)

func publish(redis net.Conn, topic string, messages <-chan []byte) {
	writer := bufio.NewWriterSize(redis, 64*1024)
	prefix := fmt.Sprintf("*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$", len(topic), topic)
	var length []byte
	for message := range messages {
		length = strconv.AppendInt(length[:0], int64(len(message)), 10)
		writer.WriteString(prefix)
		writer.Write(length)
		writer.WriteString("\r\n")
		writer.Write(message)
		if _, err := writer.WriteString("\r\n"); err != nil {
			feeds.Fail(err)
		}
		if len(messages) == 0 {
			if err := writer.Flush(); err != nil {
				feeds.Fail(err)
			}
		}
	}
}

func main() {
	redis, err := net.Dial("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		feeds.Fail(err)
	}
	count, err := strconv.Atoi(os.Args[4])
	if err != nil {
		feeds.Fail(err)
	}
	// Replies are not looked at: what was lost shows at the subscriber.
	go io.Copy(io.Discard, redis)
	messages := make(chan []byte, 1024)
	go publish(redis, os.Args[2], messages)
	counted := tally.New(0, 0)
	url := "ws://127.0.0.1:" + os.Args[3] + "/"
	feeds.Read(websocket.DefaultDialer, url, count, 64, func(message []byte) {
		counted.Add(message)
		messages <- message
	})
	tally.AwaitEnd()
	counted.Report()
}
