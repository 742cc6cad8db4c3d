// Package tally counts messages and how long they took from the source's stamp, and reports both.
package tally

import (
	"encoding/json"
	"os"
	"os/signal"
	"sort"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// What the source stamps with is CLOCK_MONOTONIC, which Go does not show: it is read once.
var began, beganAt = time.Now(), monotonic()

func monotonic() int64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.Syscall(
		syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

func nanotime() int64 { return beganAt + int64(time.Since(began)) }

// Tally may be added to by any goroutine.
type Tally struct {
	messages, bytes, missed atomic.Uint64
	last                    atomic.Int64
	latencies               []uint32
	filled                  atomic.Uint64
	target                  uint64
	reached                 chan struct{}
}

// New keeps up to so many latencies; Reached tells of the message that makes the count the target.
func New(latencies int, target uint64) *Tally {
	return &Tally{
		latencies: make([]uint32, latencies), target: target, reached: make(chan struct{}, 1)}
}

// Add counts a message. A stamped one begins with {"t": and 20 digits, as the source writes them.
func (t *Tally) Add(payload []byte) {
	if len(t.latencies) > 0 {
		t.note(payload)
	}
	t.bytes.Add(uint64(len(payload)))
	t.check(t.messages.Add(1) + t.missed.Load())
}

// Miss counts messages that were not delivered.
func (t *Tally) Miss(count uint64) {
	t.check(t.missed.Add(count) + t.messages.Load())
}

// Reached returns when as many messages as New was told came or were missed.
func (t *Tally) Reached() <-chan struct{} { return t.reached }

func (t *Tally) check(count uint64) {
	if t.target > 0 && count >= t.target && t.last.CompareAndSwap(0, nanotime()) {
		t.reached <- struct{}{}
	}
}

func (t *Tally) note(payload []byte) {
	if len(payload) < 25 || string(payload[:5]) != "{\"t\":" {
		return
	}
	var stamp int64
	for _, digit := range payload[5:25] {
		stamp = stamp*10 + int64(digit-'0')
	}
	if at := t.filled.Add(1) - 1; stamp > 0 && at < uint64(len(t.latencies)) {
		t.latencies[at] = uint32(nanotime() - stamp)
	}
}

// Report writes one line of JSON.
func (t *Tally) Report() {
	report := map[string]any{
		"messages": t.messages.Load(), "bytes": t.bytes.Load(), "missed": t.missed.Load()}
	if last := t.last.Load(); last > 0 {
		report["last"] = float64(last) / 1e9
	}
	if n := int(t.filled.Load()); n > 0 {
		if n > len(t.latencies) {
			n = len(t.latencies)
		}
		kept := t.latencies[:n]
		sort.Slice(kept, func(i, j int) bool { return kept[i] < kept[j] })
		report["p50_us"] = float64(kept[n/2]) / 1e3
		report["p99_us"] = float64(kept[n*99/100]) / 1e3
	}
	json.NewEncoder(os.Stdout).Encode(report)
}

// AwaitEnd returns when the program is told to end.
func AwaitEnd() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
}
