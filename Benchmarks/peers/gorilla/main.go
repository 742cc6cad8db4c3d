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
	"os"
	"strconv"

	"github.com/gorilla/websocket"

	"../../feeds"
	"../../tally"
)

func dialer(ca string) (websocket.Dialer, string) {
	if ca == "" {
		return *websocket.DefaultDialer, "ws"
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		feeds.Fail(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dialer := *websocket.DefaultDialer
	dialer.TLSClientConfig = &tls.Config{RootCAs: roots}
	return dialer, "wss"
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
		feeds.Fail(err)
	}
	counted := tally.New(*latencies, 0)
	feeds.Read(&dialer, url, count, *dials, counted.Add)
	tally.AwaitEnd()
	counted.Report()
}
