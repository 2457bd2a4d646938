package main

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A sample is what this process found out about itself; the fields are those of sample.rs.
type sample struct {
	Operations   int      `json:"operations"`
	WallNs       int64    `json:"wall_ns"`
	CPUNs        int64    `json:"cpu_ns"`
	Voluntary    int64    `json:"voluntary"`
	Involuntary  int64    `json:"involuntary"`
	PeakBytes    int64    `json:"peak_bytes"`
	P50Ns        *int64   `json:"p50_ns,omitempty"`
	P99Ns        *int64   `json:"p99_ns,omitempty"`
	ComputeNs    *int64   `json:"compute_ns,omitempty"`
	BytesPerTask *float64 `json:"bytes_per_task,omitempty"`
}

// A meter is a measurement that has begun.
type meter struct {
	begin  time.Time
	before syscall.Rusage
}

func start() meter {
	before := usage()
	return meter{time.Now(), before}
}

func (m meter) elapsed() int64 { return int64(time.Since(m.begin)) }

func (m meter) stop(operations int) sample {
	wall := m.elapsed()
	after := usage()
	return sample{
		Operations:  operations,
		WallNs:      wall,
		CPUNs:       cpu(after) - cpu(m.before),
		Voluntary:   after.Nvcsw - m.before.Nvcsw,
		Involuntary: after.Nivcsw - m.before.Nivcsw,
	}
}

func (s sample) withLatencies(latencies []int64) sample {
	slices.Sort(latencies)
	at := func(percent int) *int64 { return &latencies[(len(latencies)-1)*percent/100] }
	s.P50Ns, s.P99Ns = at(50), at(99)
	return s
}

func (s sample) withMemory(before, waiting int64, tasks int) sample {
	each := float64(waiting-before) / float64(tasks)
	s.BytesPerTask = &each
	return s
}

func (s sample) withCompute(done int64) sample {
	s.ComputeNs = &done
	return s
}

// print writes the sample as one line of JSON.
func (s sample) print() {
	s.PeakBytes = kilobytes("/proc/self/status", "VmHWM:")
	check(json.NewEncoder(os.Stdout).Encode(s))
}

func usage() (now syscall.Rusage) {
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &now))
	return now
}

func cpu(u syscall.Rusage) int64 { return u.Utime.Nano() + u.Stime.Nano() }

// residentBytes is the memory of this process that is in the machine's memory now.
func residentBytes() int64 { return kilobytes("/proc/self/smaps_rollup", "Rss:") }

func kilobytes(path, field string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, field); found {
			number := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB"))
			kilobytes, err := strconv.ParseInt(number, 10, 64)
			check(err)
			return kilobytes * 1024
		}
	}
	return 0
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
