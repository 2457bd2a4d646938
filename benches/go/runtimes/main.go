// Go's part of the comparison of runtimes: the workloads of benches/src/bin/runtimes, in the way Go
// does them. It is built and run by that program:
//
//	runtimes WORKLOAD WORKERS TASKS ROUNDS
//
// prints one line of JSON. The main goroutine is the root task. The garbage collector is as Go sets
// it up.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// computing is the number of goroutines that compute beside those that block.
const computing = 16

func main() {
	workloads := map[string]func(tasks, rounds int) sample{
		"spawn":     spawn,
		"skynet":    skynet,
		"yield":     yield,
		"ping-pong": pingPong,
		"ring":      ring,
		"wake":      wake,
		"blocking":  blocking,
		"idle":      idle,
	}
	if len(os.Args) != 5 || workloads[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: runtimes WORKLOAD WORKERS TASKS ROUNDS")
		os.Exit(2)
	}
	var numbers [3]int
	for i, text := range os.Args[2:] {
		number, err := strconv.Atoi(text)
		check(err)
		numbers[i] = number
	}
	runtime.GOMAXPROCS(numbers[0])
	workloads[os.Args[1]](numbers[1], numbers[2]).print()
}

// spawn: waves of goroutines that each leave their number; a wait group joins them.
func spawn(tasks, rounds int) sample {
	results := make([]int, tasks)
	m := start()
	sum := 0
	for range rounds {
		var wave sync.WaitGroup
		wave.Add(tasks)
		for n := range tasks {
			go func() {
				results[n] = n
				wave.Done()
			}()
		}
		wave.Wait()
		for n := range results {
			sum += results[n]
			results[n] = 0
		}
	}
	s := m.stop(tasks * rounds)
	equal(sum, rounds*sumBelow(tasks))
	return s
}

// skynet: each goroutine sends the sum of its ten children to its parent's channel.
func skynet(leaves, _ int) sample {
	m := start()
	sum := make(chan int, 1)
	go node(sum, 0, leaves)
	total := <-sum
	s := m.stop(leaves)
	equal(total, sumBelow(leaves))
	return s
}

func node(parent chan<- int, first, leaves int) {
	if leaves == 1 {
		parent <- first
		return
	}
	part := leaves / 10
	children := make(chan int, 10)
	for i := range 10 {
		go node(children, first+i*part, part)
	}
	sum := 0
	for range 10 {
		sum += <-children
	}
	parent <- sum
}

func yield(tasks, rounds int) sample {
	m := start()
	var all sync.WaitGroup
	all.Add(tasks)
	for range tasks {
		go func() {
			for range rounds {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	return m.stop(tasks * rounds)
}

func pingPong(_, rounds int) sample {
	there, back := make(chan int), make(chan int)
	go func() {
		for message := range there {
			back <- message + 1
		}
		close(back)
	}()
	m := start()
	message := 0
	for range rounds {
		there <- message
		message = <-back
	}
	s := m.stop(rounds)
	close(there)
	<-back
	equal(message, rounds)
	return s
}

func ring(tasks, rounds int) sample {
	first := make(chan int)
	last := first
	for range tasks {
		inbox, next := last, make(chan int)
		go func() {
			for message := range inbox {
				next <- message + 1
			}
			close(next)
		}()
		last = next
	}
	m := start()
	message := 0
	for range rounds {
		first <- message
		message = <-last
	}
	s := m.stop(tasks * rounds)
	close(first)
	<-last
	equal(message, tasks*rounds)
	return s
}

// wake: Go has no thread outside its scheduler. The one that wakes is a goroutine bound to its
// thread, which sleeps in the system and not in Go's timers.
func wake(_, samples int) sample {
	epoch := time.Now()
	var pressed, answers atomic.Int64
	latencies := make([]int64, 0, samples)
	bell := make(chan struct{}, 1)
	m := start()
	go func() {
		runtime.LockOSThread()
		sleep(5 * time.Millisecond)
		for i := range int64(samples) {
			pressed.Store(int64(time.Since(epoch)))
			bell <- struct{}{}
			for {
				sleep(time.Millisecond)
				if answers.Load() > i {
					break
				}
			}
		}
	}()
	for range samples {
		<-bell
		latencies = append(latencies, int64(time.Since(epoch))-pressed.Load())
		answers.Add(1)
	}
	return m.stop(samples).withLatencies(latencies)
}

// blocking: the call that blocks is the system call itself; Go's scheduler sees to the rest.
func blocking(tasks, rounds int) sample {
	m := start()
	var blocked, computed sync.WaitGroup
	blocked.Add(tasks)
	for range tasks {
		go func() {
			for range rounds {
				sleep(time.Millisecond)
			}
			blocked.Done()
		}()
	}
	computed.Add(computing)
	words := make([]uint64, computing)
	for seed := range words {
		go func() {
			word := uint64(seed)
			for range chunks(rounds) {
				word = chunk(word)
				runtime.Gosched()
			}
			words[seed] = word
			computed.Done()
		}()
	}
	computed.Wait()
	done := m.elapsed()
	blocked.Wait()
	s := m.stop(tasks * rounds).withCompute(done)
	last := uint64(computing - 1)
	for range chunks(rounds) {
		last = chunk(last)
	}
	equal(words[computing-1], last)
	return s
}

// idle: goroutines that wait for a channel to be closed.
func idle(tasks, _ int) sample {
	var waiting atomic.Int64
	var all sync.WaitGroup
	all.Add(tasks)
	gate := make(chan struct{})
	before := residentBytes()
	m := start()
	for range tasks {
		go func() {
			waiting.Add(1)
			<-gate
			all.Done()
		}()
	}
	for waiting.Load() < int64(tasks) {
		runtime.Gosched()
	}
	memory := residentBytes()
	close(gate)
	all.Wait()
	return m.stop(tasks).withMemory(before, memory, tasks)
}

// sleep blocks the thread in the system.
func sleep(time time.Duration) {
	left := syscall.NsecToTimespec(int64(time))
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}

func chunks(rounds int) int { return (rounds*5 + 1) / 2 }

// chunk is a chain of operations each of which needs the one before.
func chunk(seed uint64) uint64 {
	word := seed | 1
	for range 100_000 {
		word ^= word << 13
		word ^= word >> 7
		word ^= word << 17
	}
	return word
}

func sumBelow(count int) int { return count * (count - 1) / 2 }

func equal[T comparable](found, expected T) {
	if found != expected {
		panic(fmt.Sprintf("found %v, expected %v", found, expected))
	}
}
