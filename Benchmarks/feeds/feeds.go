// Package feeds opens connections to the source, so many handshakes at a time, and reads each on a
// goroutine of its own.
package feeds

import (
	"fmt"
	"os"

	"github.com/gorilla/websocket"
)

// Fail ends the program: a run with a fault is void.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Read returns when the last of count handshakes has begun. Each is called with every message of a
// connection, in order.
func Read(dialer *websocket.Dialer, url string, count, inFlight int, each func(message []byte)) {
	turns := make(chan struct{}, inFlight)
	for i := 0; i < count; i++ {
		turns <- struct{}{}
		go func() {
			connection, _, err := dialer.Dial(url, nil)
			if err != nil {
				Fail(err)
			}
			<-turns
			for {
				_, message, err := connection.ReadMessage()
				if err != nil {
					return
				}
				each(message)
			}
		}()
	}
}
