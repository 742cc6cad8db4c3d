// A load of unary calls: caller PORT CONNECTION-NAMES-PREFIX NAMES CALLS CONCURRENT
//
// Gets one connection after the other over one HTTP/2 connection, CONCURRENT calls at a time; an
// answer that is an error or empty ends it. Prints the seconds, and the latencies' median and 99th
// hundredth.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"../../wire"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		fail(err)
	}
	return value
}

func main() {
	connection, err := wire.Dial("127.0.0.1:" + os.Args[1])
	if err != nil {
		fail(err)
	}
	prefix, names := os.Args[2], number(os.Args[3])
	calls, concurrent := number(os.Args[4]), number(os.Args[5])
	latencies := make([]float64, calls)
	var next atomic.Int64
	var workers sync.WaitGroup
	begun := time.Now()
	for i := 0; i < concurrent; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				at := int(next.Add(1)) - 1
				if at >= calls {
					return
				}
				request := wire.AppendBytes(nil, 2, []byte(prefix+strconv.Itoa(at%names)))
				var answer []byte
				start := time.Now()
				err := connection.Invoke(
					context.Background(), "/wsm.v1.Orchestrator/Get", &request, &answer)
				if err == nil && len(answer) == 0 {
					err = fmt.Errorf("an empty answer")
				}
				if err != nil {
					fail(err)
				}
				latencies[at] = float64(time.Since(start).Microseconds())
			}
		}()
	}
	workers.Wait()
	seconds := time.Since(begun).Seconds()
	sort.Float64s(latencies)
	fmt.Printf("{\"seconds\":%f,\"p50_us\":%f,\"p99_us\":%f}\n",
		seconds, latencies[calls/2], latencies[calls*99/100])
}
