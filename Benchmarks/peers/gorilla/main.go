// A client on gorilla/websocket, one goroutine a connection: gorilla PORT CONNECTIONS
package main

import (
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/gorilla/websocket"
)

func main() {
	url := "ws://127.0.0.1:" + os.Args[1] + "/"
	var count int
	fmt.Sscan(os.Args[2], &count)
	var messages, bytes atomic.Uint64
	for i := 0; i < count; i++ {
		connection, _, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			for {
				_, data, err := connection.ReadMessage()
				if err != nil {
					return
				}
				messages.Add(1)
				bytes.Add(uint64(len(data)))
			}
		}()
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
	fmt.Printf("{\"messages\":%d,\"bytes\":%d}\n", messages.Load(), bytes.Load())
}
