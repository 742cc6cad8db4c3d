// A subscriber, the same for both: it counts the messages of a topic until there are EXPECTED.
//
//	subscriber [-latencies N] grpc|redis PORT TOPIC EXPECTED
//
// Prints "subscribed", then "reached" when as many came or were missed, and on SIGTERM what it
// counted. Both kinds are parsed by hand, without a client library's objects, so that neither side
// is measured by its library.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"

	"../../tally"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	latencies := flag.Int("latencies", 0, "how many to keep")
	flag.Parse()
	kind, port, topic := flag.Arg(0), flag.Arg(1), flag.Arg(2)
	expected, err := strconv.ParseUint(flag.Arg(3), 10, 64)
	if err != nil {
		fail(err)
	}
	counted := tally.New(*latencies, expected)
	switch kind {
	case "grpc":
		go subscribeGRPC("127.0.0.1:"+port, topic, counted)
	case "redis":
		go subscribeRedis("127.0.0.1:"+port, topic, counted)
	default:
		fail(fmt.Errorf("%q is neither grpc nor redis", kind))
	}
	go func() {
		<-counted.Reached()
		fmt.Println("reached")
	}()
	tally.AwaitEnd()
	counted.Report()
}
