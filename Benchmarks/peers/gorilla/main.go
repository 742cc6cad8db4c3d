// A client on gorilla/websocket, one goroutine a connection:
//
//	gorilla [-dials N] [-ca FILE] [-latencies N] PORT CONNECTIONS
//
// With -ca it speaks wss and checks the source's certificate.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"strconv"

	"github.com/gorilla/websocket"

	"../../tally"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func dialer(ca string) (websocket.Dialer, string) {
	if ca == "" {
		return *websocket.DefaultDialer, "ws"
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		fail(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dialer := *websocket.DefaultDialer
	dialer.TLSClientConfig = &tls.Config{RootCAs: roots}
	return dialer, "wss"
}

func read(connection *websocket.Conn, counted *tally.Tally) {
	for {
		_, data, err := connection.ReadMessage()
		if err != nil {
			return
		}
		counted.Add(data)
	}
}

func main() {
	dials := flag.Int("dials", 1, "handshakes in flight")
	ca := flag.String("ca", "", "PEM file of the source's certificate")
	latencies := flag.Int("latencies", 0, "how many to keep")
	flag.Parse()
	dialer, scheme := dialer(*ca)
	url := scheme + "://127.0.0.1:" + flag.Arg(0) + "/"
	count, err := strconv.Atoi(flag.Arg(1))
	if err != nil {
		fail(err)
	}
	counted := tally.New(*latencies, 0)
	turns := make(chan struct{}, *dials)
	for i := 0; i < count; i++ {
		turns <- struct{}{}
		go func() {
			connection, _, err := dialer.Dial(url, nil)
			if err != nil {
				fail(err)
			}
			<-turns
			read(connection, counted)
		}()
	}
	tally.AwaitEnd()
	counted.Report()
}
